"""Check: whether a component of one's own does what it must, tried in Python and in compiled code."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import numpy as np

from fastneuron.activations import Activation, Sigmoid
from fastneuron.batches import Batch, FullBatch
from fastneuron.components import Component, shown
from fastneuron.derivatives import MANY, TARGETS, own_name, pairs_of
from fastneuron.engine.response import forward
from fastneuron.fingerprint import PACKAGE
from fastneuron.losses import Loss, SquaredError
from fastneuron.models import Neuron
from fastneuron.optimizers import GradientDescent, Optimizer
from fastneuron.outcomes import Stop
from fastneuron.penalties import NoPenalty, Penalty
from fastneuron.reducers import Reducer
from fastneuron.rehearsal import LANES, arguments_of, compare, place_in_code, rehearse
from fastneuron.sweep import Sweep
from fastneuron.tasks import Task
from fastneuron.training import DTYPES

SHARE = 1e-5  # by which a derivative may differ from the differences
CLOSE = {"float64": 1e-12, "float32": 1e-5}  # two ways to compute the same number
ROLES = ("activation", "loss", "penalty", "optimizer", "batch", "reducer")


def check(component: Component) -> None:
    """Check a component of one's own: derivatives, arrays, both dtypes, and that it compiles.

    Parameters
    ----------
    component : Activation, Loss, Penalty, Optimizer, Batch or Reducer
        An instance, as ``Softsign()``. Its fields have the values with which it is checked.

    Raises
    ------
    ValueError
        If something is wrong with it: the method, what it gives and what it should, and the line where it is
        written.

    See Also
    --------
    component : What makes a class a component.

    Notes
    -----
    The derivative of an activation (``slope``), a loss (``delta``) or a penalty is compared with differences
    at 261 points from -100 to 100; at a kink or a jump any slope is right. A class that says ``surrogate =
    True`` gives something else than the derivative on purpose, and this is not compared. Every method must
    give the same on arrays as on single numbers, keep float32, and compile in both dtypes, which takes some
    seconds.

    A sweep compares derivatives, too, when it is made, but at 18 points only, and refuses what is far off.

    Examples
    --------
    >>> import fastneuron as fn
    >>> @fn.component
    ... class Square(fn.Activation):
    ...     def value(self, z):
    ...         return z * z
    ...
    ...     def slope(self, z, a):
    ...         return z
    >>> fn.check(Square())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: Square.slope is not the derivative of Square.value: at ...
    """
    if not isinstance(component, Activation | Loss | Penalty | Optimizer | Batch | Reducer):
        wanted = f"an instance of a class derived from {', '.join(role.capitalize() for role in ROLES)}"
        raise ValueError(f"component must be {wanted}, got {shown(component)}")
    parts = _parts_with(component)
    rehearse(**parts, samples=_samples(component))
    for pair in pairs_of(component):
        compare(pair, MANY, SHARE)
    if isinstance(component, Loss):
        _check_divergence(component)
    for dtype in DTYPES:
        _check_arrays(component, dtype)
    for dtype in DTYPES:
        _check_compiled(component, dtype)


def _check_divergence(loss: Loss) -> None:
    """Raise ValueError if the derivative is finite where the loss is not, which is how kernels see it."""
    activation = Sigmoid()
    with np.errstate(all="ignore"):
        for y in TARGETS.get(loss.targets, ()):
            for z in MANY:
                a = activation.value(z)
                value, delta = (method(activation, z, a, y) for method in (loss.value, loss.derivative))
                if not np.isfinite(value) and np.isfinite(delta):
                    name = f"{type(loss).__name__}.{own_name(loss, 'delta')}"
                    what = f"{name} must not be finite where the loss is not"
                    told = (
                        f"for Sigmoid and target {y:g} at {z:.4g} it gives {delta:.5g}, and the loss {value}"
                    )
                    raise ValueError(f"{what}: {told}")


def _check_arrays(component: Component, dtype: str) -> None:
    """Raise ValueError if a method gives on an array something else than on its numbers, or another dtype."""
    lanes = LANES.astype(dtype)
    for method, arguments in arguments_of(component, lanes).items():
        name = f"{type(component).__name__}.{method}"
        together = _parts(component, method, arguments)
        singly = [_parts(component, method, arguments_of(component, lane)[method]) for lane in lanes]
        for k, part in enumerate(together):
            given = np.asarray(part)
            if given.shape not in ((), lanes.shape):
                raise ValueError(f"{name} must give an array of its shape, {lanes.shape}, got {given.shape}")
            if given.dtype != dtype:
                raise ValueError(
                    f"{name} must give {dtype} for {dtype}, got {given.dtype}; "
                    "write constants as fn.constant(z, 1.0)"
                )
            wanted = [float(one[k]) for one in singly]
            if not np.allclose(given, wanted, rtol=CLOSE[dtype], atol=CLOSE[dtype], equal_nan=True):
                told = f"{np.broadcast_to(given, lanes.shape).tolist()} and {wanted}"
                raise ValueError(f"{name} must give on arrays what it gives on numbers, got {told}")


def _parts(component: Component, method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a method gives, as a tuple.

    Raises
    ------
    ValueError
        If it fails, with its line.
    """
    try:
        with np.errstate(all="ignore"):
            given = getattr(component, method)(*arguments)
    except ArithmeticError:
        return (np.nan,)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if not Path(frame.filename).is_relative_to(PACKAGE)] or frames
        place = place_in_code(own[-1].filename, own[-1].lineno or 0)
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(
            f"{type(component).__name__}.{method} fails on arrays{place}: {reason}; "
            "use the functions of fastneuron.elementary"
        ) from None
    return given if isinstance(given, tuple) else (given,)


def _parts_with(component: Component) -> dict[str, Any]:
    """The component, and one of each other role, as `rehearse` takes them."""
    roles = {
        "loss": SquaredError(),
        "penalty": NoPenalty(),
        "optimizer": GradientDescent(0.125),
        "batch": FullBatch(),
    }
    bases = {"loss": Loss, "penalty": Penalty, "optimizer": Optimizer, "batch": Batch}
    activation = component if isinstance(component, Activation) else Sigmoid()
    parts = {
        role: component if isinstance(component, bases[role]) else other for role, other in roles.items()
    }
    return {
        "activations": {"activation": activation},
        **parts,
        "record": [component] * isinstance(component, Reducer),
    }


def _samples(component: Component) -> int:
    """So many samples that a batch of this size leaves some."""
    return max(4, 2 * int(getattr(component, "size", 0)) + 1)


def _check_compiled(component: Component, dtype: str) -> None:
    """Raise ValueError if kernels of this dtype cannot use it, or an activation is another one there."""
    parts = _parts_with(component)
    recorded = parts.pop("record")
    x = np.arange(_samples(component)) / _samples(component)
    Sweep(
        task=Task(x, np.where(x < 0.5, 1.0, 0.0)),
        model=Neuron(**parts.pop("activations")),
        axes={"weight": [0.5, 1.5]},
        stop=Stop(max_steps=3, tolerance=0.0),
        dtype=dtype,
        record=dict(zip(["checked"], recorded, strict=False)),
        **parts,
    ).run(progress=False)
    if isinstance(component, Activation):
        lanes = LANES.astype(dtype)
        one, zero = np.ones((), dtype), np.zeros((), dtype)
        found = forward(Neuron(activation=component), {"weight": one, "bias": zero}, lanes)
        wanted = np.broadcast_to(component.value(lanes), lanes.shape)
        if not np.allclose(found, wanted, rtol=CLOSE[dtype], atol=CLOSE[dtype], equal_nan=True):
            name = f"{type(component).__name__}.value"
            told = f"{found.tolist()} and {wanted.tolist()}"
            raise ValueError(f"{name} gives something else when it is compiled, for {dtype}: {told}")
