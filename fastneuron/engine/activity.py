"""How the units of random networks answer: their outputs over many networks whose parameters are drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.activations import Activation
from fastneuron.arrays import checked_array
from fastneuron.components import Bound, checked_number, nearest, shown, with_rows
from fastneuron.engine.interrupt import interruptible
from fastneuron.engine.lowering import explained
from fastneuron.engine.memory import require_memory
from fastneuron.engine.progress import Report, reporting
from fastneuron.engine.threads import thread_count
from fastneuron.kernels import activity as kernels
from fastneuron.kernels.activity import Dense, run_layer, tally
from fastneuron.kernels.jit import specialised
from fastneuron.kernels.vectors import VECTOR_BYTES
from fastneuron.models import Network, network_in
from fastneuron.starts import Distribution, Normal

if TYPE_CHECKING:
    import xarray

BINS = 50
_LANES = VECTOR_BYTES // 8
_GROUP_DRAWS = 2**18  # parameters of a vector of networks that a group has about, ...
_GROUP_OUTPUTS = 2**15  # ... and outputs of a layer
_GROUP_VECTORS = 256
_DRAWS = Bound("a whole number from 1 to 2147483647", low=1, high=2**31, whole=True)


def activity(
    model: Network,
    x: Any,
    *,
    start: Mapping[str, Any] | None = None,
    draws: int = 1000,
    seed: int = 0,
    low: float = 0.01,
    high: float = 0.99,
    edges: Any = None,
    threads: int | None = None,
    progress: bool | Report | None = None,
) -> xarray.Dataset:
    """What the units of networks with random parameters give: means, shares and histograms, layer by layer.

    Parameters
    ----------
    model : Network
        Whose units they are.
    x : array-like, shape (samples, inputs)
        Inputs, as images in rows; ink is 1 and paper 0 in `tasks.digits`.
    start : mapping of str to normal(...), uniform(...), float or array, shape of the parameter, optional
        Parameters by name. Default: all are normal(0, 1).
    draws : int, 1 <= draws < 2**31
        Networks.
    seed : int, 0 <= seed < 2**63
        Key of the random numbers.
    low, high : float, finite, `low` at most `high`
        An output below `low` counts as low, one above `high` as high.
    edges : array-like, ascending, shape (bins + 1,), optional
        Edges of the histogram's bins. Default: 50 bins over 0 to 1 for layers whose activation keeps to it,
        over -1 to 1 for those that keep to this, and for the others over the outputs of the first networks.
    threads : int, 1 or more, optional
        How many groups of networks are computed at a time. Default: as many as there are CPUs.
    progress : bool or callable, optional
        As `Sweep.run` has it.

    Returns
    -------
    xarray.Dataset
        Dims ``layer`` (0 is the first hidden one, the last the outputs) and ``sample``: ``mean``,
        ``variance``, ``low_share`` and ``high_share`` of the outputs over networks and units;
        ``all_above_half``, the share of the networks in which all units of the layer are above 1/2;
        ``histogram``, how many outputs are in each ``bin`` (``bin_left`` <= output < ``bin_right``; the last
        bin has both its edges), and ``outside``, how many are in none.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.
    MemoryError
        If the outputs of a few networks for all samples do not fit into memory.

    See Also
    --------
    forward : The outputs of given networks, one by one.
    plot.hidden_units : Draws the histograms.

    Notes
    -----
    Number k of a network's parameters, in the order of its layers, weights before biases, in C order, is
    drawn by use k of the network's number, as in a sweep over draws. Results are the same for any number of
    threads. Weights are drawn where they are used: memory does not grow with `draws`, and the time is that of
    the draws, about 5 ns each. Weights of inputs that are 0 in all samples are not drawn.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import numpy as np
    >>> found = fn.activity(fn.Network((784, 30, 10)), np.zeros((1, 784)), draws=5000)
    >>> hidden = found.isel(layer=0, sample=0)
    >>> float(hidden["mean"].round(2)), float(hidden["variance"].round(3)), float(hidden["all_above_half"])
    (0.5, 0.043, 0.0)
    """
    model = network_in(model)
    inputs = _inputs(model, x)
    draws = int(checked_number("draws", draws, _DRAWS))
    seed = _checked_seed(seed)
    low, high = checked_number("low", low), checked_number("high", high)
    if low > high:
        raise ValueError(f"low must be at most high, got {low:g} and {high:g}")
    given_edges = None if edges is None else _checked_edges(edges)
    sources = _sources(model, start)
    count = thread_count(threads)
    vectors = _vectors_in_group(model, len(inputs))
    largest = max(model.sizes[1:]) * len(inputs) * vectors * VECTOR_BYTES
    require_memory(2 * count * largest, f"the activity for {len(inputs):,} samples", "use fewer samples")
    with explained():
        task = _Task(_layers(model, sources), inputs, seed, low, high, vectors)
    with reporting(progress, draws) as report:
        totals = interruptible(lambda cancel: _run(task, given_edges, draws, count, report, cancel))
    return _dataset(model, sources, draws, seed, low, high, *totals)


def _checked_seed(seed: object) -> int:
    # not as a float, which has not all bits of a large seed
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to {2**63 - 1}, got {shown(seed)}")
    return int(seed)


def _inputs(model: Network, x: object) -> np.ndarray:
    array = checked_array("x", x)
    if array.ndim != 2 or array.shape[1] != model.inputs or not len(array):
        raise ValueError(f"x must be numbers of shape (samples, {model.inputs}), got shape {array.shape}")
    return np.ascontiguousarray(array, np.float64)


def _checked_edges(edges: object) -> np.ndarray:
    array = checked_array("edges", edges, "two or more ascending numbers")
    if array.ndim != 1 or len(array) < 2 or (array[1:] <= array[:-1]).any():
        raise ValueError(f"edges must be two or more ascending numbers, got {shown(edges)}")
    return np.ascontiguousarray(array, np.float64)


Source = Distribution | np.ndarray


def _sources(model: Network, start: object) -> dict[str, Source]:
    """What each parameter is drawn from, or its numbers, by name."""
    if start is not None and not isinstance(start, Mapping):
        raise ValueError(f"start must be a dict of starts by parameter, got {shown(start)}")
    given = {} if start is None else start
    for name in given:
        if name not in model.shapes:
            known, hint = ", ".join(model.parameters), nearest(str(name), model.parameters)
            raise ValueError(f"start: unknown parameter {shown(name)}{hint}; known: {known}")
    default = Normal(0.0, 1.0)
    return {
        name: _source(f"start[{name!r}]", given.get(name, default), shape)
        for name, shape in model.shapes.items()
    }


def _source(where: str, value: object, shape: tuple[int, ...]) -> Source:
    if isinstance(value, Distribution):
        return value
    wanted = f"normal(...), uniform(...), a number or an array of shape {shape}"
    array = checked_array(where, value, wanted)
    if array.shape not in ((), shape):
        raise ValueError(f"{where} must be {wanted}, got shape {array.shape}")
    return np.array(np.broadcast_to(array, shape), np.float64)


def _layers(model: Network, sources: Mapping[str, Source]) -> list[Dense]:
    """The layers as kernel arguments."""

    def argument(source: Source) -> Any:
        return source.ravel() if isinstance(source, np.ndarray) else with_rows(source, {})

    made = []
    for k, layer in enumerate(model.layers):
        activation = model.output if k == len(model.layers) - 1 else model.hidden
        bias = sources[f"layer{k}.bias"] if model.bias else np.zeros(layer.units)
        made.append(
            Dense(
                weight=argument(sources[f"layer{k}.weight"]),
                bias=argument(bias),
                activation=with_rows(activation, {}),
                inputs=layer.inputs,
                units=layer.units,
                factor=layer.factor,
                first=layer.first,
            )
        )
    return made


def _vectors_in_group(model: Network, samples: int) -> int:
    """Vectors of networks in a group: some milliseconds of work, and outputs that fit into a cache.

    The last bits of a mean depend on it, as groups are added up: so it may not depend on the threads.
    """
    most = min(_GROUP_DRAWS // model.size, _GROUP_OUTPUTS // (samples * max(model.sizes[1:])))
    return max(1, min(most, _GROUP_VECTORS))


@dataclass
class _Totals:
    """What the outputs of networks amount to, for one layer."""

    number: int
    moments: np.ndarray
    counts: np.ndarray
    histogram: np.ndarray

    def add(self, other: _Totals) -> None:
        """Count in what further outputs amount to (Chan, Golub and LeVeque 1983)."""
        number = self.number + other.number
        distance = other.moments[:, kernels.MEAN] - self.moments[:, kernels.MEAN]
        with np.errstate(invalid="ignore", over="ignore"):
            self.moments[:, kernels.MEAN] += distance * (other.number / number)
            between = distance * distance * (self.number * (other.number / number))
            self.moments[:, kernels.SQUARES] += other.moments[:, kernels.SQUARES] + between
        self.counts += other.counts
        self.histogram += other.histogram
        self.number = number


class _Task:
    """The work on groups of networks, by kernels compiled for the layers."""

    def __init__(
        self, layers: list[Dense], x: np.ndarray, seed: int, low: float, high: float, vectors: int
    ) -> None:
        self._layers, self._x, self._seed = layers, x.ravel(), seed
        self.samples, self._range = len(x), (low, high)
        self.networks = vectors * _LANES  # of a group
        self._seen = [np.flatnonzero(x.any(axis=0))] + [np.arange(layer.inputs) for layer in layers[1:]]
        whole, real, cancel = np.empty(1, np.int64), np.empty(1), np.zeros(1, np.uint8)
        self._kernels = [
            specialised(run_layer, layer, 0, whole, whole, real, True, real, real, cancel) for layer in layers
        ]
        table, wholes = np.empty((1, 2)), np.empty((1, 4), np.int64)
        self._tally = specialised(tally, real, 1, 1, 0.0, 0.0, real, table, wholes, wholes)

    @property
    def activations(self) -> list[Activation]:
        """Those of the layers."""
        return [layer.activation for layer in self._layers]

    def outputs(self, group: int, cancel: np.ndarray) -> list[np.ndarray]:
        """The outputs of each layer of a group, as `run_layer` leaves them; fewer layers where cancelled."""
        numbers = np.arange(group * self.networks, (group + 1) * self.networks)
        sums = np.empty(self.samples * _LANES)
        found: list[np.ndarray] = []
        for layer, seen, run in zip(self._layers, self._seen, self._kernels, strict=True):
            below = found[-1] if found else self._x
            out = np.empty(self.networks * self.samples * layer.units)
            if not run(layer, self._seed, numbers, seen, below, not found, sums, out, cancel):
                break
            found.append(out)
        return found

    def totals(
        self, group: int, networks: int, edges: list[np.ndarray], cancel: np.ndarray
    ) -> list[_Totals] | None:
        """What the first `networks` of a group amount to, layer by layer; None where cancelled."""
        outputs = self.outputs(group, cancel)
        if len(outputs) < len(self._layers):
            return None
        made = []
        for layer, values, bounds in zip(self._layers, outputs, edges, strict=True):
            moments, counts = np.empty((self.samples, 2)), np.empty((self.samples, 4), np.int64)
            histogram = np.empty((self.samples, len(bounds) - 1), np.int64)
            self._tally(values, networks, layer.units, *self._range, bounds, moments, counts, histogram)
            made.append(_Totals(networks * layer.units, moments, counts, histogram))
        return made


def _run(
    task: _Task, given: np.ndarray | None, draws: int, threads: int, report: Report, cancel: np.ndarray
) -> tuple[list[_Totals], list[np.ndarray]]:
    """Totals and edges of every layer; groups are added up in their order, whoever has done them."""
    edges = _edges(task, given, draws, cancel)
    groups = range(-(-draws // task.networks))
    totals: list[_Totals] = []
    done, begun = 0, iter(groups)
    report(0, draws)
    pool = ThreadPoolExecutor(min(threads, len(groups)), thread_name_prefix="fastneuron")
    waiting: deque[tuple[int, Future[list[_Totals] | None]]] = deque()

    def begin() -> None:
        group = next(begun, None)
        if group is not None:
            networks = min(task.networks, draws - group * task.networks)
            waiting.append((networks, pool.submit(task.totals, group, networks, edges, cancel)))

    try:
        for _ in range(4 * threads):
            begin()
        while waiting:
            networks, future = waiting.popleft()
            part = future.result()
            if part is None:
                break
            begin()
            if totals:
                for whole, more in zip(totals, part, strict=True):
                    whole.add(more)
            else:
                totals = part
            done += networks
            report(done, draws)
    except BaseException:
        cancel[0] = 1
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return totals, edges


def _edges(task: _Task, given: np.ndarray | None, draws: int, cancel: np.ndarray) -> list[np.ndarray]:
    """The edges of the bins of each layer."""
    if given is not None:
        return [given] * len(task.activations)
    ranges = [_range_of(activation) for activation in task.activations]
    if None in ranges:
        outputs = task.outputs(0, cancel)
        ranges = [known or _range_seen(values) for known, values in zip(ranges, outputs, strict=False)]
    return [np.linspace(*(found or (0.0, 1.0)), BINS + 1) for found in ranges]


def _range_of(activation: Activation) -> tuple[float, float] | None:
    """0 to 1 or -1 to 1, where an activation keeps to it."""
    z = np.concatenate([np.linspace(-40, 40, 801), [-1e6, 1e6]])
    with np.errstate(all="ignore"):
        values = np.asarray(activation.value(z), np.float64)
    for low in (0.0, -1.0):
        if (values >= low).all() and (values <= 1.0).all():
            return low, 1.0
    return None


def _range_seen(values: np.ndarray) -> tuple[float, float]:
    """A range that holds the finite ones of some values, with ends of two digits."""
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    size = max(abs(low), abs(high), 1e-300)
    step = 10.0 ** (np.floor(np.log10(size)) - 1)
    low, high = float(np.floor(low / step) * step), float(np.ceil(high / step) * step)
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _dataset(
    model: Network,
    sources: Mapping[str, Source],
    draws: int,
    seed: int,
    low: float,
    high: float,
    totals: list[_Totals],
    edges: list[np.ndarray],
) -> xarray.Dataset:
    import xarray

    number = np.array([[total.number] for total in totals])
    moments, counts = np.stack([t.moments for t in totals]), np.stack([t.counts for t in totals])
    bounds = np.stack(edges)
    whole = ("layer", "sample")

    def variable(dims: tuple[str, ...], values: np.ndarray, name: str) -> Any:
        return dims, values, {"long_name": name, "units": "1"}

    variables = {
        "mean": variable(whole, moments[:, :, kernels.MEAN], "mean output over networks and units"),
        "variance": variable(
            whole, moments[:, :, kernels.SQUARES] / number, "variance of the outputs over networks and units"
        ),
        "low_share": variable(whole, counts[:, :, kernels.LOW] / number, f"share of outputs below {low:g}"),
        "high_share": variable(
            whole, counts[:, :, kernels.HIGH] / number, f"share of outputs above {high:g}"
        ),
        "all_above_half": variable(
            whole,
            counts[:, :, kernels.ALL_ABOVE_HALF] / draws,
            "share of networks in which all units of the layer are above 1/2",
        ),
        "histogram": variable(
            (*whole, "bin"), np.stack([total.histogram for total in totals]), "number of outputs in the bin"
        ),
        "outside": variable(whole, counts[:, :, kernels.OUTSIDE], "number of outputs in no bin"),
    }
    coordinates = {
        "layer": variable(("layer",), np.arange(len(totals)), "layer, the last one that of the outputs"),
        "sample": variable(("sample",), np.arange(moments.shape[1]), "number of the sample"),
        "bin": variable(("bin",), np.arange(bounds.shape[1] - 1), "number of the bin"),
        "width": variable(("layer",), np.array(model.sizes[1:]), "units of the layer"),
        "bin_left": variable(("layer", "bin"), bounds[:, :-1], "left edge of the bin"),
        "bin_right": variable(("layer", "bin"), bounds[:, 1:], "right edge of the bin"),
    }
    drawn_from = ", ".join(f"{name}: {_text(source)}" for name, source in sources.items())
    attrs = {
        "model": repr(model),
        "start": drawn_from,
        "draws": draws,
        "seed": seed,
        "low": low,
        "high": high,
    }
    return xarray.Dataset(variables, coordinates, attrs)


def _text(source: Source) -> str:
    return f"an array of shape {source.shape}" if isinstance(source, np.ndarray) else repr(source)
