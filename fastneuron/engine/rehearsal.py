"""A rehearsal: the methods of a sweep's components once on plain numbers, before they are compiled.

A method that is missing, fails or gives too little is told here in Python's own words, with its place. What
only compiled code does not know is told when it is compiled (`fastneuron.engine.lowering`).
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastneuron.activations import Activation
from fastneuron.batches import Batch
from fastneuron.components import Component, shown
from fastneuron.fingerprint import PACKAGE
from fastneuron.losses import Loss
from fastneuron.optimizers import Optimizer
from fastneuron.penalties import Penalty
from fastneuron.reducers import Reducer

MOST_STEPS = 10_000  # of an epoch that are rehearsed
_Z, _Y = np.float64(0.375), np.float64(1.0)


def rehearse(
    activations: Mapping[str, Activation],
    loss: Loss,
    penalty: Penalty,
    optimizer: Optimizer,
    batch: Batch,
    record: Iterable[Reducer],
    samples: int,
) -> None:
    """Call every method that the kernels call.

    Raises
    ------
    ValueError
        Naming the method, what is wrong with it, and where.
    """
    for activation in activations.values():
        a = _number(activation, "value", _Z)
        _number(activation, "derivative", _Z, a)
    # the last one's outputs are what is compared with the targets
    _number(loss, "value", activation, _Z, a, _Y)
    _number(loss, "derivative", activation, _Z, a, _Y)
    _number(penalty, "weight_gradient", _Z, _Y)
    _number(penalty, "bias_gradient", _Z, _Y)
    _check_optimizer(optimizer)
    _check_batch(batch, samples)
    for reducer in record:
        _number(reducer, "term", _number(reducer, "counted", _Z, _Y), np.float64(0.0), np.float64(1.0))


def _check_optimizer(optimizer: Optimizer) -> None:
    name, slots = type(optimizer).__name__, optimizer.slots
    if isinstance(slots, bool) or not isinstance(slots, int) or slots < 0:
        raise ValueError(f"{name}.slots must be a whole number of 0 or more, got {shown(slots)}")
    new = _called(optimizer, "step", _Z, _Y, (_Y,) * slots)
    if new is None:
        return
    if not isinstance(new, tuple) or len(new) != 1 + slots:
        wanted = f"the new parameter and what it remembers, a tuple of {1 + slots} numbers"
        raise ValueError(f"{name}.step must return {wanted}, got {shown(new)}")


def _check_batch(batch: Batch, samples: int) -> None:
    name = type(batch).__name__
    steps = _called(batch, "steps", samples)
    if steps is not None and not (_is_number(steps) and steps >= 1 and steps == int(steps)):
        raise ValueError(f"{name}.steps must return a whole number of 1 or more, got {shown(steps)}")
    if batch.shuffled and "seed" not in batch._fields:
        raise ValueError(f"{name} is shuffled and needs a field seed, the key of the order")
    span: Any = None
    for step in range(min(int(steps or 1), MOST_STEPS)):
        span = _called(batch, "span", np.float64(step), np.float64(samples))
        if span is not None and not _is_span(span, samples):
            raise ValueError(
                f"{name}.span must return the first place and the one behind the last, "
                f"from 0 to {samples}, got {shown(span)}"
            )
    if not batch.shuffled and (steps != 1 or (span is not None and tuple(span) != (0, samples))):
        raise ValueError(f"{name} does not see all samples in a step and must be shuffled")


def _is_span(span: Any, samples: int) -> bool:
    """Whether it is two whole numbers that begin and end a part of the samples which is not empty."""
    pair = isinstance(span, tuple) and len(span) == 2 and all(map(_is_number, span))
    return pair and 0 <= span[0] < span[1] <= samples and all(place == int(place) for place in span)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number | np.bool_) or (
        isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biuf"
    )


def _number(record: Component, method: str, *arguments: Any) -> Any:
    """What a method gives, which must be a number; NaN where plain numbers will not do."""
    value = _called(record, method, *arguments)
    if value is None or _is_number(value):
        return np.float64("nan") if value is None else value
    raise ValueError(f"{type(record).__name__}.{method} must return a number, got {shown(value)}")


def _called(record: Component, method: str, *arguments: Any) -> Any:
    """What a method returns, or None where it only fails on these numbers, as a logarithm of Python's may."""
    name = f"{type(record).__name__}.{method}"
    try:
        with np.errstate(all="ignore"):
            value = getattr(record, method)(*arguments)
    except ArithmeticError:
        return None
    except NotImplementedError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        if Path(frame.filename).is_relative_to(PACKAGE):
            owner = next(type(part).__name__ for part in (*arguments, record) if _lacks(part, frame.name))
            raise ValueError(f"{owner}.{frame.name} is missing: the class must define it") from None
        raise ValueError(f"{name} is not implemented") from None
    except Exception as error:
        if isinstance(error, ValueError) and "math domain" in str(error):
            return None
        frame = traceback.extract_tb(error.__traceback__)[-1]
        own = Path(frame.filename).is_relative_to(PACKAGE)
        if hasattr(type(record), frame.name):
            name = f"{type(record).__name__}.{frame.name}"
        where = "" if own else f" ({frame.filename}, line {frame.lineno})"
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{name} fails{where}: {reason}") from error
    if value is None:
        raise ValueError(f"{name} must return a number, got None")
    return value


def _lacks(part: object, method: str) -> bool:
    """Whether a component has a method only from its base in this package."""
    found = getattr(type(part), method, None)
    return isinstance(part, Component) and str(getattr(found, "__module__", "")).startswith("fastneuron.")
