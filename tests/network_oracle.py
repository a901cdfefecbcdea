"""The oracle of networks: how they learn, as slow and as plain as it can be said in NumPy.

One start at a time. Layer l computes z = s (a W) + b from the outputs a of the layer before it, the inputs
for the first; then its activation: `hidden`, or `output` for the last. The loss is the mean over the samples
of the sum over the outputs. What a component says of a single number is taken from its own methods in plain
Python (`test_network_oracle` holds those to formulas of their own); nothing else is taken from the package.

Parameters are a dict: ``layer0.weight`` (inputs, units), ``layer0.bias`` (units,), ``layer1.weight``, ...
x is (samples, inputs), y (samples, outputs). What is computed has the dtype of the parameters.
"""

from typing import Any, NamedTuple

import numpy as np

from fastneuron.batches import FullBatch
from fastneuron.outcomes import Stop

from .oracle import epoch_lengths, sample_weights
from .outcome_oracle import end_of, filled_in, learned_and_margin


class Training(NamedTuple):
    """What a start goes through; a Sweep has all these by the same names.

    optimizer : one, or a sequence of one for each layer
    """

    task: Any
    model: Any
    loss: Any
    optimizer: Any
    penalty: Any = None
    batch: Any = FullBatch()
    stop: Any = Stop()
    dtype: str = "float64"


def shapes(network):
    """Shape of every parameter, by name, in the order in which they stand in one row."""
    found = {}
    for k, (inputs, units) in enumerate(zip(network.sizes[:-1], network.sizes[1:], strict=True)):
        found[f"layer{k}.weight"] = (inputs, units)
        if network.bias:
            found[f"layer{k}.bias"] = (units,)
    return found


def factor(network, k):
    """The factor s of layer k."""
    inputs, units = network.sizes[k], network.sizes[k + 1]
    last = k == len(network.sizes) - 2
    if network.scale == "mean_field":
        return 1 / inputs if last else 1 / np.sqrt(float(inputs)).item()
    square = {"none": 1, "fan_in": 1 / inputs, "xavier": 2 / (inputs + units), "he": 2 / inputs}
    return np.sqrt(square[network.scale]).item()


def layers(network, parameters, x):
    """Of each layer the outputs of the one before it, its pre-activations, its activation and its outputs.

    The parameters may have leading dimensions, which the results then have too.
    """
    a = np.asarray(x, parameters["layer0.weight"].dtype)
    passed = []
    for k in range(len(network.sizes) - 1):
        z = factor(network, k) * (a @ parameters[f"layer{k}.weight"])
        if network.bias:
            z = z + parameters[f"layer{k}.bias"][..., None, :]
        activation = network.output if k == len(network.sizes) - 2 else network.hidden
        before, a = a, activation.value(z)
        passed.append((before, z, activation, a))
    return passed


def pre_activations(network, parameters, x):
    """The pre-activations z of every layer: a list of arrays (..., samples, units)."""
    return [z for _, z, _, _ in layers(network, parameters, x)]


def outputs(network, parameters, x):
    """The outputs of the last layer, (..., samples, outputs)."""
    return layers(network, parameters, x)[-1][3]


def loss_of(network, loss, parameters, x, y):
    """The mean over the samples of the sum over the outputs."""
    return loss_after(layers(network, parameters, x), loss, y)


def loss_after(passed, loss, y):
    """The same of what `layers` gives."""
    _, z, activation, a = passed[-1]
    return loss.value(activation, z, a, np.asarray(y, a.dtype)).sum(axis=1).mean()


def gradients(network, loss, parameters, x, y, weights=None):
    """Derivative of the loss in every parameter, by name.

    `weights` (samples): how much each sample counts, 1 in the mean over all. One of weight 0 takes no part,
    whatever its numbers.
    """
    number = parameters["layer0.weight"].dtype
    weights = np.ones(len(x), number) if weights is None else np.asarray(weights, number)
    seen = weights > 0
    share = weights[seen, None] / number.type(len(x))
    passed = layers(network, parameters, np.asarray(x)[seen])
    _, z, activation, a = passed[-1]
    # delta is the derivative in the pre-activations of layer k
    delta = share * loss.derivative(activation, z, a, np.asarray(y, number)[seen])
    delta = np.broadcast_to(delta, z.shape)
    found = {}
    for k in reversed(range(len(passed))):
        before = passed[k][0]
        found[f"layer{k}.weight"] = factor(network, k) * (before.T @ delta)
        if network.bias:
            found[f"layer{k}.bias"] = delta.sum(axis=0)
        if k > 0:
            _, z, activation, a = passed[k - 1]
            in_outputs = factor(network, k) * (delta @ parameters[f"layer{k}.weight"].T)
            delta = in_outputs * activation.derivative(z, a)
    return found


class Descent:
    """One start that descends: its `parameters` now, and the `loss`, `error` and `output` that they give.

    `point` is its number, by which its batches are drawn.
    """

    def __init__(self, training, start, point=0):
        self.training, self.point, self.t = training, point, 0
        number = np.dtype(training.dtype)
        # the order in which they stand in one row
        self.parameters = {
            name: np.array(np.broadcast_to(start[name], shape), number)
            for name, shape in shapes(training.model).items()
        }
        one = hasattr(training.optimizer, "step")
        count = len(training.model.sizes) - 1
        self.optimizers = [training.optimizer] * count if one else list(training.optimizer)
        self.memory = {
            name: (np.zeros_like(values),) * self._optimizer(name).slots
            for name, values in self.parameters.items()
        }
        self.x, self.y = training.task.x.astype(number), training.task.y.astype(number)
        self._look()

    def _optimizer(self, name):
        return self.optimizers[int(name.partition(".")[0].removeprefix("layer"))]

    @np.errstate(all="ignore")
    def _look(self):
        passed = layers(self.training.model, self.parameters, self.x)
        self.output = passed[-1][3]
        self.loss = loss_after(passed, self.training.loss, self.y)
        self.error = np.abs(self.output - self.y).max()

    @property
    def state(self):
        """All parameters in one row."""
        return np.concatenate([values.ravel() for values in self.parameters.values()])

    @np.errstate(all="ignore")
    def step(self):
        """One update."""
        training = self.training
        weights = batch_weights(training.batch, len(self.y), self.point, self.t)
        slopes = gradients(training.model, training.loss, self.parameters, self.x, self.y, weights)
        for name, values in self.parameters.items():
            slope = slopes[name]
            if training.penalty is not None and name.endswith("weight"):
                slope = training.penalty.weight_gradient(values, slope)
            elif training.penalty is not None:
                slope = training.penalty.bias_gradient(values, slope)
            new, *memory = self._optimizer(name).step(values, slope, self.memory[name])
            self.parameters[name], self.memory[name] = new, tuple(memory)
        self.t += 1
        self._look()


def batch_fields(batch):
    """The fields of `batch` as the oracle of a neuron takes them, at one point."""
    return {("batch", name): np.array([value]) for name, value in batch._asdict().items()}


def batch_weights(batch, samples, point, t):
    """How much each sample counts in the mean of step t (from 0) of the start with the number `point`."""
    kind, fields = type(batch).__name__, batch_fields(batch)
    return sample_weights(kind, fields, samples, np.array([point]), t, np.float64)[:, 0]


def descend(training, start, steps, point=0):
    """Every state of one start, 0 .. `steps`, whatever `stop` says.

    Each parameter by its name, (steps + 1, its shape...); ``loss`` and ``error`` (steps + 1); ``output``
    (steps + 1, samples, outputs).
    """
    descent = Descent(training, start, point)
    path = []
    for t in range(steps + 1):
        if t > 0:
            descent.step()
        path.append(
            {**descent.parameters, "loss": descent.loss, "error": descent.error, "output": descent.output}
        )
    return {name: np.array([state[name] for state in path]) for name in path[0]}


def run(training, start, point=0):
    """How one start ends: what a sweep must give at this point.

    ``outcome``, ``steps``, ``period``, ``speed``, ``loss``, ``error``; ``learned``, -1 for more than one
    output or 32 samples, and its ``margin``; ``final_<name>`` for every parameter; and ``losses``, those of
    all states up to the last.
    """
    descent = Descent(training, start, point)
    losses = []

    def trajectory():
        while True:
            losses.append(descent.loss)
            yield descent.state, descent.loss, descent.error
            descent.step()

    batch, samples = training.batch, len(descent.y)
    epoch = epoch_lengths(type(batch).__name__, batch_fields(batch), samples, 1)[0]
    result = end_of(trajectory(), filled_in(training.stop, training.dtype), epoch)
    result |= {"loss": descent.loss, "error": descent.error, "learned": -1, "margin": np.inf}
    if descent.y.shape[1] == 1:
        learned, margin = learned_and_margin(descent.output, descent.y)
        result |= {"learned": int(learned[0]), "margin": margin[0]}
    result |= {f"final_{name}": values for name, values in descent.parameters.items()}
    return result | {"losses": np.array(losses)}


def recorded_losses(training, start, point=0):
    """The losses l_0 .. l_(max_steps - 1), each taken before its update.

    A start that has ended stays where it is, or goes round its cycle.
    """
    end = run(training, start, point)
    return going_on(end["losses"], end["period"], training.stop.max_steps)


def going_on(losses, period, steps):
    """So many losses: those up to the end, then the last one again, or those of a cycle in turn."""
    again = np.arange(max(0, steps - len(losses))) % max(1, period)
    return np.concatenate([losses, losses[len(losses) - max(1, period) :][again]])[:steps]


def reduced_losses(losses, last, clip, relative=False):
    """Recorded losses as a few numbers, in float64.

    c_t = min(l_t, clip), or min(l_t / l_0, clip) where `relative`, and `clip` where not finite. A loss
    of 0 is 0 beside any first loss.
    ``first`` is c_0, ``last`` the last c_t, ``mean`` the mean of the last `last` c_t, ``total`` the sum of
    all, ``inverse_total`` that of 1 / c_t.
    """
    if not 1 <= last <= len(losses):
        raise ValueError(f"last must be from 1 to {len(losses)}, got {last}")
    with np.errstate(all="ignore"):
        r = np.asarray(losses, np.float64)
        r = np.where(r == 0, 0.0, r / r[0]) if relative else r
        c = np.where(np.isfinite(r), np.minimum(r, clip), clip)
        inverse_total = (1 / c).sum()
    return {
        "first": c[0],
        "last": c[-1],
        "mean": c[-last:].mean(),
        "total": c.sum(),
        "inverse_total": inverse_total,
    }


def sensitive(training, start, point=0, exact=None):
    """Whether the rounding of the arithmetic decides how this start ends: see `oracle.sensitive`.

    The same start runs from a few last bits away, in float32 also in float64. `exact` is what `run` gives.
    """
    single = training.dtype == "float32"
    bits, close = (2.0**-21, 5e-4) if single else (2.0**-49, 1e-9)
    training = Training(*(getattr(training, name) for name in Training._fields))
    training = training._replace(stop=filled_in(training.stop, training.dtype))
    start = {name: np.asarray(values, training.dtype) for name, values in start.items()}
    exact = run(training, start, point) if exact is None else exact
    others = []
    for side in (bits, -bits):
        moved = {}
        for name, values in start.items():
            away = side * (-1.0) ** np.arange(values.size).reshape(values.shape)
            moved[name] = values + away * np.maximum(1, np.abs(values))
        others.append(run(training, moved, point))
    if single:
        others.append(run(training._replace(dtype="float64"), start, point))
    for other in others:
        for name, values in exact.items():
            if name in ("outcome", "steps") and other[name] != values:
                return True
            if name.startswith("final_") or name == "speed":
                with np.errstate(all="ignore"):
                    if (np.abs(other[name] - values) > close * np.maximum(1, np.abs(values))).any():
                        return True
    return False
