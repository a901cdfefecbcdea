"""Tasks: the inputs and targets that a model should learn.

Not here: how a model turns inputs into outputs.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import Any

import numpy as np

from fastneuron.arrays import checked_array
from fastneuron.components import nearest, shown
from fastneuron.files import path_of
from fastneuron.starts import normal, uniform_numbers
from fastneuron.tables import read_table

MAX_POINTS = 2**24
MAX_COLUMNS = 2**20
MAX_NUMBERS = 2**27
DATA = 2**31  # the first of the uses of random numbers that are data; those below are starts


class Task:
    """Inputs and the targets that a model should give for them.

    Parameters
    ----------
    x : array-like of finite numbers, shape (samples, inputs) or (samples,)
        Inputs; a 1-D list is one input a sample.
    y : array-like of finite numbers, shape (samples,) or (samples, outputs)
        Targets; a 1-D list is one output.
    name : str
        What the task is called in titles and tables.

    Raises
    ------
    ValueError
        If the data are empty, ragged, not finite or do not match.

    Examples
    --------
    >>> import fastneuron as fn
    >>> task = fn.Task([[0], [1]], [1, 0], name="inverter")
    >>> task.samples, task.inputs
    (2, 1)
    >>> task == fn.tasks.inverter()
    True
    """

    __slots__ = ("_short", "name", "x", "y")

    x: np.ndarray
    y: np.ndarray
    name: str
    _short: dict[str, Any] | None  # the table of a task that its data do not tell, as that of a seed

    def __init__(self, x: object, y: object, name: str = "task") -> None:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise ValueError(f"name must be a line of text, got {shown(name)}")
        inputs = _numbers("x", x)
        targets = _numbers("y", y)
        if inputs.ndim == 1:
            inputs = inputs[:, None]
        if targets.ndim == 1:
            targets = targets[:, None]
        if inputs.ndim != 2 or 0 in inputs.shape:
            raise ValueError(f"x must have shape (samples, inputs), each 1 or more, got {inputs.shape}")
        if targets.ndim != 2 or targets.shape[1] == 0:
            raise ValueError(
                f"y must have shape (samples,) or (samples, outputs), each 1 or more, got {targets.shape}"
            )
        if len(inputs) != len(targets):
            raise ValueError(f"x has {len(inputs)} samples but y has {len(targets)}; they must match")
        for array in (inputs, targets):
            array.flags.writeable = False
        object.__setattr__(self, "x", inputs)
        object.__setattr__(self, "y", targets)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_short", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Task cannot be changed; make a new one to set {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _with_table, (self.x, self.y, self.name, self._short)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.x)

    @property
    def inputs(self) -> int:
        """Number of inputs of a sample."""
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """Number of targets of a sample."""
        return int(self.y.shape[1])

    @property
    def middle(self) -> float:
        """What parts high outputs from low ones: the middle between the lowest and the highest target.

        Where all targets are equal there is nothing between them. Then it is 1/2 below them if they are 1/2
        or more, else 1/2 above: for the gates "true" and "false" 1/2, as for all other gates.
        """
        low, high = float(self.y.min()), float(self.y.max())
        if low == high:
            return low - 0.5 if low >= 0.5 else low + 0.5
        return low / 2 + high / 2

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Task)
            and self.name == other.name
            and np.array_equal(self.x, other.x)
            and np.array_equal(self.y, other.y)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.x.tobytes(), self.y.tobytes()))

    def __repr__(self) -> str:
        outputs = f", {self.outputs} outputs" if self.outputs > 1 else ""
        return f"Task({self.name!r}, {self.samples} samples, {self.inputs} inputs{outputs})"


def _with_table(x: np.ndarray, y: np.ndarray, name: str, short: dict[str, Any] | None) -> Task:
    task = Task(x, y, name)
    object.__setattr__(task, "_short", short)
    return task


def _numbers(field: str, given: object) -> np.ndarray:
    array = checked_array(field, given, "a list of numbers")
    if array.ndim == 0:
        raise ValueError(f"{field} must be a list of numbers, got {shown(given)}")
    return np.array(array, np.float64, order="C") + 0.0  # no -0.0: equal tasks have equal bytes


def _whole(field: str, value: object, low: int, high: int, high_text: str = "") -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(
            f"{field} must be a whole number from {low} to {high_text or high}, got {shown(value)}"
        )
    return int(value)


def inverter() -> Task:
    """The inverter, 0 -> 1 and 1 -> 0: what a sigmoid neuron does with a negative weight and a bias.

    Returns
    -------
    Task
        Of 2 samples, 1 input and 1 output.

    Examples
    --------
    >>> import fastneuron as fn
    >>> task = fn.tasks.inverter()
    >>> task.x.tolist(), task.y.tolist()
    ([[0.0], [1.0]], [[1.0], [0.0]])
    """
    return Task([[0], [1]], [1, 0], name="inverter")


GATES: dict[str, tuple[int, int, int, int]] = {
    # targets for the inputs (0, 0), (0, 1), (1, 0), (1, 1)
    "false": (0, 0, 0, 0),
    "nor": (1, 0, 0, 0),
    "y_and_not_x": (0, 1, 0, 0),
    "not_x": (1, 1, 0, 0),
    "x_and_not_y": (0, 0, 1, 0),
    "not_y": (1, 0, 1, 0),
    "xor": (0, 1, 1, 0),
    "nand": (1, 1, 1, 0),
    "and": (0, 0, 0, 1),
    "xnor": (1, 0, 0, 1),
    "y": (0, 1, 0, 1),
    "x_implies_y": (1, 1, 0, 1),
    "x": (0, 0, 1, 1),
    "y_implies_x": (1, 0, 1, 1),
    "or": (0, 1, 1, 1),
    "true": (1, 1, 1, 1),
}


def gate(name: str) -> Task:
    """A two-input gate: all sixteen, named as in `GATES`.

    Each is also a function of its own, ``tasks.xor()``; those that Python keeps the name of have a line below
    it, ``tasks.and_()`` and ``tasks.or_()``.

    Parameters
    ----------
    name : str
        ``"nand"``, ``"xor"``, ...; capitals and underscores do not matter.

    Returns
    -------
    Task
        Of 4 samples, (0, 0), (0, 1), (1, 0) and (1, 1), 2 inputs and 1 output, 0 or 1.

    Raises
    ------
    ValueError
        If there is no gate of that name.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.tasks.gate("nand").y[:, 0].tolist()
    [1.0, 1.0, 1.0, 0.0]
    """
    found = _found(name, GATES)
    if found is None:
        hint = nearest(str(name).lower(), GATES)
        raise ValueError(f"unknown gate {shown(name)}{hint}; known: {', '.join(GATES)}")
    return Task([[0, 0], [0, 1], [1, 0], [1, 1]], GATES[found], name=found)


def _found(name: object, known: Iterable[str]) -> str | None:
    """The known name that is meant, where capitals and underscores do not matter."""
    plain = {one.replace("_", ""): one for one in known}
    return plain.get(name.replace("_", "").lower()) if isinstance(name, str) else None


def __getattr__(name: str) -> Callable[[], Task]:
    """``tasks.xor`` and all other gates, as functions without arguments."""
    gates = {f"{known}_" if iskeyword(known) else known: known for known in GATES}
    if name not in gates:
        hint = nearest(name, [*gates, *KEYED, "inverter"])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    return functools.partial(gate, gates[name])


def flipped_step(points: int = 101) -> Task:
    """The flipped step: inputs evenly over [0, 1]; target 1 left of 0.5, else 0.

    Parameters
    ----------
    points : int, from 2 to `MAX_POINTS`
        Number of samples.

    Returns
    -------
    Task
        Of 1 input and 1 output.

    Raises
    ------
    ValueError
        If `points` is not a whole number of its range.

    Examples
    --------
    >>> import fastneuron as fn
    >>> task = fn.tasks.flipped_step(points=5)
    >>> task.x[:, 0].tolist(), task.y[:, 0].tolist()
    ([0.0, 0.25, 0.5, 0.75, 1.0], [1.0, 1.0, 0.0, 0.0, 0.0])
    """
    x = np.linspace(0.0, 1.0, _whole("points", points, 2, MAX_POINTS))
    return Task(x, (x < 0.5).astype(float), name="flipped_step")


def random_regression(inputs: int, samples: int, seed: int = 0, outputs: int = 1) -> Task:
    """Random numbers to be learned by heart: all inputs and targets are independent, standard normal.

    Parameters
    ----------
    inputs : int, from 1 to `MAX_COLUMNS`
        Number of inputs of a sample.
    samples : int, from 1 to `MAX_POINTS`
        Number of samples.
    seed : int, 0 <= seed < 2**63
        The key of the numbers.
    outputs : int, from 1 to `MAX_COLUMNS`
        Number of targets of a sample.

    Returns
    -------
    Task
        Of these sizes.

    Raises
    ------
    ValueError
        Naming the parameter, the value and what is allowed; or if there are more than `MAX_NUMBERS` numbers.

    Notes
    -----
    The columns are the inputs and then the outputs. Column c of sample s is the normal quantile of
    `fastneuron.starts.uniform_numbers(seed, s, 2**31 + c)`: it depends on the seed, s and c alone. So more
    samples, or more outputs, leave the earlier ones as they are. The random starts of a sweep come from the
    same generator, with uses below 2**31, so that they are others whatever the seed.

    Examples
    --------
    >>> import fastneuron as fn
    >>> task = fn.tasks.random_regression(inputs=16, samples=272)
    >>> task
    Task('random_regression', 272 samples, 16 inputs)
    >>> bool((task.x[:9] == fn.tasks.random_regression(inputs=16, samples=9).x).all())
    True
    """
    inputs = _whole("inputs", inputs, 1, MAX_COLUMNS)
    samples = _whole("samples", samples, 1, MAX_POINTS)
    seed = _whole("seed", seed, 0, 2**63 - 1, "2**63 - 1")
    outputs = _whole("outputs", outputs, 1, MAX_COLUMNS)
    size = samples * (inputs + outputs)
    if size > MAX_NUMBERS:
        raise ValueError(f"samples * (inputs + outputs) must be at most {MAX_NUMBERS}, got {size}")
    points = np.arange(samples, dtype=np.uint64)
    table = np.empty((samples, inputs + outputs))
    for column in range(inputs + outputs):
        table[:, column] = normal(0, 1).value(uniform_numbers(seed, points, DATA + column))
    short = {
        "name": "random_regression",
        "inputs": inputs,
        "samples": samples,
        "seed": seed,
        "outputs": outputs,
    }
    return _with_table(table[:, :inputs], table[:, inputs:], "random_regression", short)


DIGITS_PARTS = {"train": 1438, "test": 359, "all": 1797}  # and their numbers of samples


def digits(part: str = "train") -> Task:
    """Handwritten digits, 8 x 8 pixels, as scikit-learn bundles them; one output for each digit.

    Parameters
    ----------
    part : {"train", "test", "all"}
        Every fifth sample, number 4, 9, 14, ... counted from 0, is for the test, the others for training.

    Returns
    -------
    Task
        Of 1438, 359 or 1797 samples, 64 inputs and 10 outputs.

    Raises
    ------
    ValueError
        If there is no such part, or scikit-learn cannot be imported.

    Notes
    -----
    x has shape (samples, 64): the pixels row by row, from 0, white, to 1, ink, in steps of 1/16. y has shape
    (samples, 10): 1 for the digit that it is and 0 for the others.

    References
    ----------
    Alpaydin and Kaynak (1998), "Optical recognition of handwritten digits", UCI Machine Learning Repository.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.tasks.digits("test")
    Task('digits', 359 samples, 64 inputs, 10 outputs)
    """
    if not isinstance(part, str) or part not in DIGITS_PARTS:
        raise ValueError(f"part must be one of {', '.join(DIGITS_PARTS)}, got {shown(part)}")
    x, y = _all_digits()
    fifth = np.arange(len(x)) % 5 == 4
    chosen = {"train": ~fifth, "test": fifth, "all": fifth | ~fifth}[part]
    return Task(x[chosen], y[chosen], name="digits")


@functools.cache
def _all_digits() -> tuple[np.ndarray, np.ndarray]:
    try:  # here, so that only who asks for digits needs it
        from sklearn.datasets import load_digits
    except ImportError:
        raise ValueError("digits needs scikit-learn: pip install 'fastneuron[digits]'") from None
    pixels, digit = load_digits(return_X_y=True)
    return pixels / 16.0, np.eye(10)[digit]


def from_csv(path: str | os.PathLike[str], header: bool | None = None, targets: int = 1) -> Task:
    """A task from a CSV file: the last columns are the targets, the others are the inputs.

    Parameters
    ----------
    path : str or path
        A text file of at most 128 MiB, in UTF-8, or UTF-16 with a byte order mark, of two columns or more.
        They are parted by the first of tab, semicolon and comma that the first line has. Blank lines and
        those that begin with # are passed over.
    header : bool, optional
        Whether the first row is a header, whatever it holds. Default: it is one if none of its cells begins
        as a number does; so a first row of numbers is data.
    targets : int, 1 or more
        How many of the columns are targets.

    Returns
    -------
    Task
        Of as many outputs as there are targets, called as the file without its ending.

    Raises
    ------
    ValueError
        If the file cannot be read, or a row is ragged or not finite numbers, naming file and line; or if
        there is no column left for the inputs.

    Notes
    -----
    A number is written as in ``-1.5e3``. A decimal comma, ``1_000``, NaN, infinity and an empty cell are
    errors.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import numpy as np
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savetxt(f"{folder}/half.csv", [[0, 0], [1, 0.5]], delimiter=",", header="x, y")
    ...     fn.tasks.from_csv(f"{folder}/half.csv")
    Task('half', 2 samples, 1 inputs)
    """
    path = path_of(path)
    if header is not None and not isinstance(header, bool):
        raise ValueError(f"header must be true or false, got {shown(header)}")
    targets = _whole("targets", targets, 1, MAX_COLUMNS)
    try:
        table = read_table(path, header)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if str(path) in text else f"cannot read {shown(path)}: {text}") from None
    columns = table.shape[1]
    if columns <= targets:
        wanted = "the target" if targets == 1 else f"{targets} targets"
        raise ValueError(
            f"{path}: needs {targets + 1} columns or more (inputs, then {wanted}), parted by commas, "
            f"semicolons or tabs, has {columns}"
        )
    return Task(table[:, :-targets], table[:, -targets:], name=path.stem)


# the tasks of one output that a name alone makes
NAMED: dict[str, Callable[[], Task]] = {
    "inverter": inverter,
    "flipped_step": flipped_step,
} | {name: (lambda name=name: gate(name)) for name in GATES}
# those with keys of their own, which are the parameters; one without a default must be given
KEYED: dict[str, Callable[..., Task]] = {
    "flipped_step": flipped_step,
    "random_regression": random_regression,
    "digits": digits,
}


def keys_of(name: str) -> dict[str, Any]:
    """The keys that belong to the task `name` in a table, with their defaults.

    Parameters
    ----------
    name : str
        As in ``[task]``, ``"flipped_step"``.

    Returns
    -------
    dict of str to str, int or None
        The default of each key, None where it must be given; empty for a task without keys, or none.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.tasks.keys_of("flipped_step"), fn.tasks.keys_of("inverter")
    ({'points': 101}, {})
    """
    if name not in KEYED:
        return {}
    parameters = inspect.signature(KEYED[name]).parameters
    return {key: None if own.default is own.empty else own.default for key, own in parameters.items()}


CSV_KEYS = ("header", "targets")  # that go with csv
_OWNERS = {key: name for name in KEYED for key in keys_of(name)}


def from_spec(spec: Mapping[str, Any], where: str = "task") -> Task:
    """The task that a TOML table describes: a ``name``, ``x`` and ``y``, or a ``csv`` file.

    A relative path in ``csv`` is looked for from the current folder; ``fastneuron map`` has put that of the
    spec's file before it.

    Parameters
    ----------
    spec : mapping of str to str, number or list
        The table ``[task]``.
    where : str
        What errors call it.

    Returns
    -------
    Task
        The named one, or of the samples in the table.

    Raises
    ------
    ValueError
        Naming the key, the value and what is allowed.

    See Also
    --------
    to_spec : The way back.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.tasks.from_spec({"name": "flipped_step", "points": 11})
    Task('flipped_step', 11 samples, 1 inputs)
    >>> fn.tasks.from_spec({"x": [[0], [1]], "y": [1, 0], "name": "mine"}).y[:, 0].tolist()
    [1.0, 0.0]
    """
    known = ("name", "x", "y", "csv", *CSV_KEYS, *_OWNERS)
    for key in spec:
        if key not in known:
            key_text = key if isinstance(key, str) and key.isprintable() else shown(key)
            raise ValueError(
                f"{where}.{key_text}: unknown key{nearest(key, known)}; allowed: {', '.join(known)}"
            )
    name = spec.get("name")
    owned = [key for key in spec if key in _OWNERS]
    try:
        if "csv" in spec:
            if "x" in spec or "y" in spec or owned or not isinstance(spec["csv"], str):
                raise ValueError(f"csv must be a path, without x, y, {_either(_OWNERS)}")
            table = from_csv(spec["csv"], **{key: spec[key] for key in CSV_KEYS if key in spec})
            return table if name is None else Task(table.x, table.y, name)
        for key in CSV_KEYS:
            if key in spec:
                raise ValueError(f"{key} belongs to csv, which is not given")
        if "x" in spec or "y" in spec:
            if "x" not in spec or "y" not in spec or owned:
                raise ValueError(f"x and y must be given together, without {_either(_OWNERS)}")
            return Task(spec["x"], spec["y"], "task" if name is None else name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    names = [*NAMED, *(key for key in KEYED if key not in NAMED)]
    if name is None:
        raise ValueError(f"{where}: missing key 'name', or x and y, or csv; names: {', '.join(names)}")
    found = _found(name, names)
    if found is None:
        hint = nearest(str(name).lower(), names)
        raise ValueError(f"{where}.name: unknown task {shown(name)}{hint}; known: {', '.join(names)}")
    name = found
    for key in owned:
        if _OWNERS[key] != name:
            raise ValueError(f"{where}: {key} belongs to {_OWNERS[key]}, not to {shown(name)}")
    if name not in KEYED:
        return NAMED[name]()
    for key, default in keys_of(name).items():
        if default is None and key not in spec:
            raise ValueError(f"{where}: missing key {key!r}; {name} has the keys {', '.join(keys_of(name))}")
    try:
        return KEYED[name](**{key: spec[key] for key in owned})
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}"


def to_spec(task: Task) -> dict[str, Any]:
    """The table that `from_spec` turns back into `task`: the name and its keys where these say all.

    Parameters
    ----------
    task : Task
        Any task.

    Returns
    -------
    dict of str to str, int or list
        As it stands in TOML: a name with its keys, or the name, ``x`` and ``y``.

    See Also
    --------
    from_spec : The way back.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.tasks.to_spec(fn.tasks.flipped_step(11)), fn.tasks.to_spec(fn.Task([0, 1], [0, 0.5], name="half"))
    ({'name': 'flipped_step', 'points': 11}, {'name': 'half', 'x': [[0.0], [1.0]], 'y': [0.0, 0.5]})
    """
    short = _candidate(task)
    if short is not None:
        try:
            if task == from_spec(short):
                return short
        except ValueError:  # no such task, as a flipped step of one point, or digits without scikit-learn
            pass
    y = task.y[:, 0] if task.outputs == 1 else task.y
    return {"name": task.name, "x": task.x.tolist(), "y": y.tolist()}


def _candidate(task: Task) -> dict[str, Any] | None:
    """The only short table that could give `task`, if there is one."""
    if task._short is not None:
        return dict(task._short)
    if task.name == "flipped_step":
        return {"name": task.name, "points": task.samples}
    if task.name == "digits" and (task.inputs, task.outputs) == (64, 10):
        parts = [part for part, samples in DIGITS_PARTS.items() if samples == task.samples]
        return {"name": task.name, "part": parts[0]} if parts else None
    return {"name": task.name} if task.name in NAMED else None
