"""The oracle: what a sweep must answer, as slow and as plain as it can be said in NumPy.

Every formula is written out here once more, by the name of the component's class, and none is taken from the
package: a mistake there cannot hide here. The last axis of every array is the points; all else is a loop over
time. When a point ends is in `outcome_oracle`, networks are in `network_oracle`.

Letters: x (samples, inputs) and y (samples, 1) are the task; theta (parameters, points) is the state,
the weights and then the bias; z and a (samples, points) are pre-activations and outputs.
"""

import functools

import numpy as np
from scipy import special

from .outcome_oracle import Rule, filled_in, learned_and_margin


def output_and_slope(kind, field, z):
    """Output a of the activation called `kind`, and da/dz."""
    if kind == "Sigmoid":
        gain = field["activation", "gain"]
        a = 1 / (1 + np.exp(-gain * z))
        return a, gain * a * (1 - a)
    if kind == "Tanh":
        gain = field["activation", "gain"]
        a = np.tanh(gain * z)
        return a, gain * (1 - a**2)
    if kind == "ReLU":
        return np.maximum(z, 0), (z > 0).astype(z.dtype)
    if kind == "LeakyReLU":
        below = field["activation", "slope"]
        return np.where(z > 0, z, below * z), np.where(z > 0, 1, below).astype(z.dtype)
    if kind == "Softplus":
        return np.logaddexp(0, z).astype(z.dtype), 1 / (1 + np.exp(-z))
    if kind == "SiLU":
        s = 1 / (1 + np.exp(-z))
        return z * s, s + z * s * (1 - s)
    if kind == "GELU":
        share = special.ndtr(z.astype(np.float64)).astype(z.dtype)  # right to z^2 ulp
        return z * share, share + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi).astype(z.dtype)
    if kind == "HardSigmoid":
        return np.clip(z / 6 + z.dtype.type(0.5), 0, 1), ((z > -3) & (z < 3)) / z.dtype.type(6)
    if kind == "Arctan":
        return np.arctan(z), 1 / (1 + z**2)
    if kind == "Identity":
        return z, np.ones_like(z)
    if kind == "Step":
        return (z >= 0).astype(z.dtype), np.zeros_like(z)
    raise NotImplementedError(f"the oracle has no activation {kind}: write its formula here")


def loss_and_delta(kind, activation, field, z, a, slope, y):
    """Loss of each sample, and its derivative in z."""
    if kind == "SquaredError":
        scale = field["loss", "scale"]
        return scale * (a - y) ** 2, 2 * scale * (a - y) * slope
    if kind == "CrossEntropy" and activation == "Sigmoid":
        # -y ln a - (1 - y) ln(1 - a), where -ln(1 - a) = ln(1 + e^u) and -ln a = ln(1 + e^u) - u
        gain = field["activation", "gain"]
        u = gain * z
        return np.logaddexp(0, u).astype(z.dtype) - y * u, gain * (a - y)
    if kind == "CrossEntropy" and activation == "Step":
        return 100 * np.abs(a - y), np.zeros_like(z)  # ln 0 counts as -100
    if kind == "CrossEntropy":
        # 0 ln 0 = 0, but the logarithm of a negative number is NaN even where its factor is 0
        hit = np.where((y == 0) & (a >= 0), 0, y * np.log(a))
        miss = np.where((y == 1) & (a <= 1), 0, (1 - y) * np.log(1 - a))
        rise = np.where((y == 1) & (a <= 1), 0, (1 - y) / (1 - a))
        fall = np.where((y == 0) & (a >= 0), 0, y / a)
        loss = -hit - miss
        return loss, np.where(np.isfinite(loss), (rise - fall) * slope, np.nan)
    if kind == "AbsoluteError":
        return np.abs(a - y), np.sign(a - y) * slope
    if kind == "Huber":
        delta, e = field["loss", "delta"], a - y
        small = np.abs(e) <= delta
        value = np.where(small, e**2 / 2, delta * (np.abs(e) - delta / 2))
        return value, np.where(small, e, delta * np.sign(e)) * slope
    if kind == "Hinge":
        side = 2 * y - 1
        return np.maximum(0, 1 - side * z), np.where(side * z < 1, -side, 0)
    if kind == "PerceptronLoss":
        return np.maximum(0, -(2 * y - 1) * z), (z >= 0).astype(z.dtype) - y
    raise NotImplementedError(f"the oracle has no loss {kind}: write its formula here")


def penalty_gradient(kind, field, theta):
    """Derivative of the penalty in every parameter, shape of theta."""
    if kind == "NoneType":
        return np.zeros_like(theta)
    strength = np.broadcast_to(field["penalty", "strength"], theta.shape).copy()
    strength[-1] = field["penalty", "bias_strength"]
    if kind == "L2":
        return strength * theta
    if kind == "L1":
        return strength * np.sign(theta)
    raise NotImplementedError(f"the oracle has no penalty {kind}: write its formula here")


def updated(kind, field, theta, gradient, memory, t):
    """Parameters after update number t, and what the optimizer remembers: arrays shaped like theta."""
    fields = {name: values for (role, name), values in field.items() if role == "optimizer"}
    rate = fields["learning_rate"]
    if kind == "GradientDescent":
        return theta - rate * gradient, memory
    if kind == "SignDescent":
        return theta - rate * np.sign(gradient), memory
    if kind in ("Momentum", "Nesterov"):
        momentum = fields["momentum"]
        velocity = momentum * memory[0] + gradient
        move = velocity if kind == "Momentum" else gradient + momentum * velocity
        return theta - rate * move, [velocity]
    if kind == "AdaGrad":
        total = memory[0] + gradient**2
        return theta - rate * gradient / (np.sqrt(total) + fields["epsilon"]), [total]
    if kind == "RMSProp":
        mean = fields["decay"] * memory[0] + (1 - fields["decay"]) * gradient**2
        return theta - rate * gradient / (np.sqrt(mean) + fields["epsilon"]), [mean]
    if kind in ("Adam", "AdamW"):
        beta1, beta2 = fields["beta1"], fields["beta2"]
        if kind == "AdamW":
            theta = theta * (1 - rate * fields["weight_decay"])
        first = beta1 * memory[0] + (1 - beta1) * gradient
        second = beta2 * memory[1] + (1 - beta2) * gradient**2
        mean, square = first / (1 - beta1**t), second / (1 - beta2**t)
        return theta - rate * mean / (np.sqrt(square) + fields["epsilon"]), [first, second]
    raise NotImplementedError(f"the oracle has no optimizer {kind}: write its formula here")


def philox(counter, key):
    """Four words by Philox4x32-10 (Salmon et al. 2011), in Python's whole numbers."""
    a, b, c, d = counter
    first, second = key
    for _ in range(10):
        one, two = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (two >> 32) ^ b ^ first, two % 2**32, (one >> 32) ^ d ^ second, one % 2**32
        first, second = (first + 0x9E3779B9) % 2**32, (second + 0xBB67AE85) % 2**32
    return a, b, c, d


@functools.cache
def places(samples, seed, point, epoch):
    """The place of each sample in the order of an epoch: shuffled from the end, one word a swap."""
    place = list(range(samples))
    key = seed % 2**32, seed // 2**32
    for k in range(samples - 1):
        word = philox((point % 2**32, point // 2**32, epoch, 1 + k // 4), key)[k % 4]
        last = samples - 1 - k
        other = word * (last + 1) >> 32
        place[last], place[other] = place[other], place[last]
    return np.array(place)


def sample_weights(kind, field, samples, points, t, number):
    """How much each sample counts in the mean of step t (from 0), shape (samples, points)."""
    if kind == "FullBatch":
        return np.ones((samples, len(points)), number)
    if kind == "MiniBatch":
        weights = np.zeros((samples, len(points)), number)
        for k, point in enumerate(points):
            size, seed = int(field["batch", "size"][k]), int(field["batch", "seed"][k])
            epoch, step = divmod(t, -(-samples // size))
            place = places(samples, seed, int(point), epoch)
            seen = (place >= step * size) & (place < (step + 1) * size)
            weights[seen, k] = samples / seen.sum()
        return weights
    raise NotImplementedError(f"the oracle has no batch {kind}: write what it sees here")


def epoch_lengths(kind, field, samples, points):
    """Steps in an epoch of every point."""
    if kind == "MiniBatch":
        return -(-samples // field["batch", "size"].astype(int))
    return np.ones(points, int)


class Descent:
    """Points that descend together: `theta`, and what the model makes of it now.

    `field` maps (role, name) to the value of that field at every point; `points` are the points' numbers in
    the grid, without it from 0 on.
    """

    def __init__(self, parts, field, x, y, theta, points=None):
        self.kinds = {role: type(part).__name__ for role, part in parts.items()}
        self.field, self.x, self.y, self.theta = field, x, y, theta
        self.memory = [np.zeros_like(theta)] * 2
        self.t = 0
        self.points = np.arange(theta.shape[1]) if points is None else points
        self.epoch = epoch_lengths(self.kinds.get("batch", "FullBatch"), field, len(y), theta.shape[1])
        self.look()

    def look(self):
        """Forward pass: output, loss, error and gradient of the present parameters."""
        weights, bias = self.theta[:-1], self.theta[-1]
        z = sum(self.x[:, j, None] * weights[j] for j in range(len(weights))) + bias
        a, slope = output_and_slope(self.kinds["activation"], self.field, z)
        loss, delta = loss_and_delta(
            self.kinds["loss"], self.kinds["activation"], self.field, z, a, slope, self.y
        )
        inputs_and_one = np.concatenate([self.x, np.ones_like(self.y)], axis=1)
        self.output = a
        self.loss = loss.mean(axis=0)
        self.error = np.abs(a - self.y).max(axis=0)
        weights = sample_weights(
            self.kinds.get("batch", "FullBatch"),
            self.field,
            len(self.y),
            self.points,
            self.t,
            self.theta.dtype,
        )[:, None, :]
        slopes = np.where(weights > 0, weights * delta[:, None, :] * inputs_and_one[:, :, None], 0)
        self.gradient = slopes.mean(axis=0)
        self.gradient = self.gradient + penalty_gradient(self.kinds["penalty"], self.field, self.theta)

    def step(self):
        """One update."""
        self.t += 1
        self.theta, self.memory = updated(
            self.kinds["optimizer"], self.field, self.theta, self.gradient, self.memory, self.t
        )
        self.look()

    def keep(self, which):
        """Go on with the points where `which` only."""
        self.memory = [array[..., which] for array in self.memory]
        for name in ("theta", "output", "loss", "error", "gradient", "points", "epoch"):
            setattr(self, name, getattr(self, name)[..., which])
        self.field = {place: values[which] for place, values in self.field.items()}


def fields_of(parts, number, points):
    """(role, name) -> the field's value at every point, in the dtype `number`."""
    return {
        (role, name): np.full(points, getattr(part, name), np.int64 if role == "batch" else number)
        for role, part in parts.items()
        for name in getattr(part, "_fields", ())
    }


def run(sweep):
    """What `sweep.run()` must give: name -> array of the shape of the grid.

    Besides the variables of a result there is ``margin``: how far the output nearest to the middle
    between the targets is from it, which says how sure ``learned`` is.
    """
    return runs(sweep)[0]


def runs(sweep, precision=None, nudges=(0.0,)):
    """What `run` gives, from starts that are moved by each of `nudges`.

    They descend side by side: a step takes hardly longer for three times the points.

    Parameters
    ----------
    precision : dtype, optional
        Compute in this dtype instead of the sweep's own, from the same numbers.
    nudges : list of float
        Move the starts by this much (the weights up, the bias down; relative where large).
    """
    given = np.dtype(sweep.dtype).type
    number = np.dtype(precision or sweep.dtype).type
    points = int(np.prod(sweep.shape))
    parts = {
        "activation": sweep.model.activation,
        "loss": sweep.loss,
        "penalty": sweep.penalty,
        "optimizer": sweep.optimizer,
        "batch": sweep.batch,
        "stop": filled_in(sweep.stop, sweep.dtype),
    }
    field = fields_of(parts, given, points)
    start = {name: np.full(points, sweep.start.get(name, 0.0), given) for name in sweep.model.parameters}
    axes = [sweep.axes[name].values() for name in sweep.dims]
    for name, values in zip(sweep.dims, np.meshgrid(*axes, indexing="ij"), strict=True):
        role, key = sweep.places[name]
        if role == "start":
            start[key] = values.ravel().astype(given)
        else:
            field[role, key] = values.ravel() if role == "batch" else values.ravel().astype(given)
    field = {
        place: values if place[0] == "batch" else values.astype(number) for place, values in field.items()
    }
    theta = np.array([start[name] for name in sweep.model.parameters]).astype(number)
    up = np.ones((len(theta), 1), number)
    up[-1] = -1
    theta = np.concatenate(
        [theta + up * number(nudge) * np.maximum(1, np.abs(theta)) for nudge in nudges], axis=1
    )
    field = {place: np.tile(values, len(nudges)) for place, values in field.items()}
    x, y = sweep.task.x.astype(given).astype(number), sweep.task.y.astype(given).astype(number)
    numbers = np.tile(np.arange(points), len(nudges))
    with np.errstate(all="ignore"):
        result = follow(Descent(parts, field, x, y, theta, numbers))
    names = [f"final_{name}" for name in sweep.model.parameters]
    result |= dict(zip(names, result.pop("theta"), strict=True))
    return [
        {name: values.reshape(len(nudges), *sweep.shape)[k] for name, values in result.items()}
        for k in range(len(nudges))
    ]


def follow(descent):
    """Follow every point of `descent` to its end; name -> array over the points."""
    n_parameters, points = descent.theta.shape
    y = descent.y
    result = {name: np.zeros(points, np.int64) for name in ("outcome", "steps", "period", "learned")}
    result |= {name: np.zeros(points, y.dtype) for name in ("loss", "error", "speed", "margin")}
    result["theta"] = np.zeros((n_parameters, points), y.dtype)

    stop = {name: values for (role, name), values in descent.field.items() if role == "stop"}
    rule = Rule(stop, descent.epoch, descent.theta)
    here = np.arange(points)  # the points that still descend
    while True:
        outcome, period, speed = rule.look(descent.theta, descent.loss, descent.error)
        learned, margin = learned_and_margin(descent.output, y)
        now = {
            "outcome": outcome,
            "steps": np.full(len(here), descent.t),
            "period": period,
            "learned": learned,
            "loss": descent.loss,
            "error": descent.error,
            "speed": speed,
            "margin": margin,
            "theta": descent.theta,
        }
        ended = outcome >= 0
        for name, values in now.items():
            result[name][..., here[ended]] = values[..., ended]
        if ended.all():
            return result
        if ended.any():
            here = here[~ended]
            rule.keep(~ended)
            descent.keep(~ended)
        descent.step()


def trajectory(task, model, loss, optimizer, penalty, start, steps, dtype="float64", batch=None, point=0):
    """Every state of one start, 0 .. steps: each parameter, ``loss``, ``error``, ``output`` (samples).

    `point` is its number, by which its batches are drawn.
    """
    number = np.dtype(dtype).type
    parts = {"activation": model.activation, "loss": loss, "penalty": penalty, "optimizer": optimizer}
    parts |= {} if batch is None else {"batch": batch}
    theta = np.array([[start.get(name, 0.0)] for name in model.parameters], number)
    path = {name: [] for name in (*model.parameters, "loss", "error", "output")}
    with np.errstate(all="ignore"):
        descent = Descent(
            parts,
            fields_of(parts, number, 1),
            task.x.astype(number),
            task.y.astype(number),
            theta,
            np.array([point]),
        )
        for t in range(steps + 1):
            if t > 0:
                descent.step()
            for name, value in zip(model.parameters, descent.theta[:, 0], strict=True):
                path[name].append(value)
            path["loss"].append(descent.loss[0])
            path["error"].append(descent.error[0])
            path["output"].append(descent.output[:, 0])
    return {name: np.array(values) for name, values in path.items()}


def sensitive(sweep):
    """Points whose end the rounding of the arithmetic decides, so that no program can be held to it."""
    return run_and_sensitive(sweep)[1]


def run_and_sensitive(sweep):
    """What `run` gives, and which points are `sensitive`.

    The same sweep is run in a wider dtype, and from starts a few last bits to either side. Where
    outcome, steps, final parameters or speed are not the same every time, a program that adds in another
    order or rounds a multiply-add once may differ as well: chaotic transients, ties of a step at z = 0,
    thresholds crossed at the pace of the last bits.
    """
    single = str(sweep.dtype) == "float32"
    bits, close = (2.0**-21, 5e-4) if single else (2.0**-49, 1e-9)
    exact, *others = runs(sweep, nudges=[0.0, bits, -bits])
    others += runs(sweep, precision="float64" if single else "longdouble")
    shaky = np.zeros(sweep.shape, bool)
    for other in others:
        shaky |= (other["outcome"] != exact["outcome"]) | (other["steps"] != exact["steps"])
        for name in exact:
            if name.startswith("final_") or name == "speed":
                with np.errstate(all="ignore"):
                    far = np.abs(other[name] - exact[name]) > close * np.maximum(1, np.abs(exact[name]))
                shaky |= far
    return exact, shaky
