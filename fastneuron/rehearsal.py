"""A rehearsal: the methods of a sweep's components on plain numbers and arrays, before they are compiled.

A method that is missing, fails or gives too little is told here in Python's own words, with its place; so is
what compiled code does not know, as far as Python can tell: a branch on what is many numbers at once, a
function of another module called as ``module.function``, a method of the class's own. The rest is told when
it is compiled (`fastneuron.engine.lowering`).
"""

from __future__ import annotations

import dis
import inspect
import linecache
import traceback
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import numpy as np

from fastneuron.activations import Activation, Sigmoid
from fastneuron.batches import Batch
from fastneuron.components import KNOWN, METHODS, Component, shown, with_values
from fastneuron.derivatives import FEW, Pair, complaint, pairs_of
from fastneuron.fingerprint import PACKAGE
from fastneuron.losses import Loss
from fastneuron.optimizers import Optimizer
from fastneuron.penalties import Penalty
from fastneuron.reducers import Reducer

MOST_STEPS = 10_000  # of an epoch that are rehearsed
_Z, _Y = np.float64(0.375), np.float64(1.0)
LANES = np.array([-0.7, 0.375, 1.9])  # many numbers at once
# where Python asks whether something is true; a call, as of max, is none of them
_BRANCHES = ("POP_JUMP", "JUMP_IF", "UNARY_NOT", "TO_BOOL", "COMPARE_OP", "CONTAINS_OP")


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
    record = tuple(record)
    parts = (*activations.values(), loss, penalty, optimizer, batch, *record)
    own = [part for part in parts if not is_built_in(part)]
    for part in own:
        check_signatures(part)
        check_code(part)
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
    for part in own:
        check_branches(part)


def check_derivatives(components: Iterable[Component]) -> None:
    """Compare derivatives of components that are not part of the package with differences, at a few points.

    Only what is off by more than a fiftieth at two points or more is refused; `fastneuron.check` is strict.

    Raises
    ------
    ValueError
        Naming the method, and a point with what it gives and what it should.
    """
    for component in components:
        for pair in () if is_built_in(component) else pairs_of(component):
            compare(pair, FEW, share=0.02, most=1)


def compare(pair: Pair, points: np.ndarray, share: float, most: int = 0) -> None:
    """Raise ValueError if `complaint` finds a derivative wrong, with its line and what to do."""
    wrong = complaint(pair, points, share, most)
    if wrong:
        place = definition_of(pair.record, pair.names[1])
        raise ValueError(f"{wrong}{place}; if it is meant so, say surrogate = True in the class")


def is_built_in(component: Component) -> bool:
    """Whether a component is part of the package."""
    return f"{type(component).__module__}.".startswith("fastneuron.")


def arguments_of(component: Component, numbers: Any) -> dict[str, tuple[Any, ...]]:
    """The arguments of each method that kernels call of a component: `numbers` wherever one takes numbers."""
    found: dict[str, tuple[Any, ...]] = {}
    if isinstance(component, Activation):
        three = (numbers, numbers, numbers)
        found = {"value": three[:1], "derivative": three[:2], "log_loss": three, "log_loss_slope": three}
    elif isinstance(component, Loss):
        four = (Sigmoid(), numbers, numbers, numbers)
        found = {"value": four, "derivative": four}
    elif isinstance(component, Penalty):
        found = {"weight_gradient": (numbers, numbers), "bias_gradient": (numbers, numbers)}
    elif isinstance(component, Optimizer):
        found = {"step": (numbers, numbers, (numbers,) * component.slots)}
    elif isinstance(component, Reducer):
        found = {"counted": (numbers, numbers), "term": (numbers, numbers, numbers)}
    return found


def check_branches(component: Component) -> None:
    """Look for an ``if`` on many numbers at once, also where these are the fields.

    Raises
    ------
    ValueError
        Naming the method, and the line.
    """
    own = with_values(component, [np.full(len(LANES), value) for value in cast("tuple[Any, ...]", component)])
    for method, arguments in arguments_of(own, LANES).items():
        try:
            with np.errstate(all="ignore"):
                getattr(own, method)(*arguments)
        except ValueError as error:
            frame, instruction = _innermost(error)
            if "truth value" in str(error) and instruction.startswith(_BRANCHES):
                name = f"{type(component).__name__}.{_method_in(error, component) or method}"
                place = place_in_code(frame.filename, frame.lineno or 0)
                raise ValueError(f"{name} {BRANCHES}{place}: {INSTEAD}") from None
        except Exception:  # noqa: S112 - whether compiled code can do it, which is not told here
            continue


BRANCHES = "branches on what is many numbers at once"
INSTEAD = (
    "in place of if, and, or, not use where(condition, a, b) of fastneuron.elementary, & and |, "
    "and write no branch on a field, which may be an axis"
)


def _innermost(error: Exception) -> tuple[traceback.FrameSummary, str]:
    """The frame in which an error came up, and the name of the instruction there."""
    last = error.__traceback__
    assert last is not None  # it was raised
    while last.tb_next is not None:
        last = last.tb_next
    names = {step.offset: step.opname for step in dis.get_instructions(last.tb_frame.f_code)}
    return traceback.extract_tb(error.__traceback__)[-1], names.get(last.tb_lasti, "")


def _method_in(error: Exception, component: Component) -> str:
    """The last method of the component's class on the way to an error, but for those that it inherits."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.name for frame in reversed(frames) if frame.name in vars(type(component))), "")


def place_in_code(filename: str, line: int) -> str:
    """`` (FILE, line 7: `return z`)`` for an error line."""
    text = linecache.getline(filename, line).strip()
    return f" ({filename}, line {line}{f': `{text}`' if text else ''})"


def definition_of(component: Component, method: str = "") -> str:
    """Where a method of a component's class is written, or without one the first, as `place_in_code`."""
    own = [value for value in vars(type(component)).values() if isinstance(value, FunctionType)]
    written = [function for function in own if function.__code__.co_filename != __file__]
    found = [function for function in written if function.__name__ == method] or written[: not method]
    return place_in_code(found[0].__code__.co_filename, found[0].__code__.co_firstlineno) if found else ""


def check_signatures(component: Component) -> None:
    """Look for methods that are no plain ones, or that take other arguments than kernels give them.

    Raises
    ------
    ValueError
        Naming the method, and what it should take.
    """
    for method in METHODS:
        found = vars(type(component)).get(method)
        if found is None or method in component._fields:
            continue
        name = f"{type(component).__name__}.{method}"
        if isinstance(found, classmethod | staticmethod | property):
            raise ValueError(f"{name} must be a plain method, not a {type(found).__name__}")
        bases = [cls for cls in type(component).__mro__ if cls.__module__.startswith("fastneuron.")]
        base = next((getattr(cls, method) for cls in bases if method in vars(cls)), None)
        if not isinstance(found, FunctionType) or not isinstance(base, FunctionType):
            continue
        code = found.__code__
        place = place_in_code(code.co_filename, code.co_firstlineno)
        if code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
            raise ValueError(f"{name} must return numbers{place}, and be neither async nor a generator")
        given, wanted = (inspect.signature(function).parameters.values() for function in (found, base))
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if len(given) != len(wanted) or any(one.kind not in positional for one in given):
            taken = ", ".join(one.name for one in wanted)
            raise ValueError(f"{name} must take ({taken}), got {inspect.signature(found)}{place}")


def check_code(component: Component) -> None:
    """Look for calls in the methods, and in the functions that these call, that kernels cannot make.

    Raises
    ------
    ValueError
        Naming the method, the line, and what to write instead.
    """
    for method in METHODS:
        function = vars(type(component)).get(method)
        if isinstance(function, FunctionType):
            _check_calls(f"{type(component).__name__}.{method}", function, component, set())


def _check_calls(name: str, function: FunctionType, component: Component, seen: set[FunctionType]) -> None:
    seen.add(function)
    code, scope = function.__code__, function.__globals__
    receiver = code.co_varnames[0] if not seen - {function} and code.co_varnames else None
    for root, attributes, line in _names_in(code):
        place = place_in_code(code.co_filename, line)
        if root == receiver and attributes:
            own = getattr(type(component), attributes[0], None)
            if own is not None and attributes[0] not in (*METHODS, *component._fields):
                verb, instead = "reads", "constant outside the class, or as a field"
                if isinstance(own, FunctionType):
                    verb, instead = "calls", "function outside the class, and call it by its name"
                what = f"{name} {verb} {root}.{attributes[0]}, which compiled code does not know{place}"
                raise ValueError(f"{what}: write it as a {instead}")
            continue
        found = scope.get(root)
        if root == "print" and found is None:
            raise ValueError(f"{name} calls print, which compiled code does not know{place}")
        if attributes and isinstance(found, type) and not issubclass(found, Enum):
            raise ValueError(
                f"{name} reads {root}.{attributes[0]}, which compiled code does not know{place}: "
                "write it as a constant outside the class"
            )
        for attribute in attributes:
            if not isinstance(found, ModuleType):
                break
            found = getattr(found, attribute, None)
        if not isinstance(found, FunctionType) or f"{found.__module__}.".startswith(KNOWN):
            continue
        if attributes and isinstance(scope.get(root), ModuleType):
            called = ".".join((root, *attributes))
            raise ValueError(
                f"{name} calls {called}, which compiled code does not know{place}: write "
                f"'from {found.__module__} import {found.__name__}' above the class, and call it by its name"
            )
        if not attributes and found not in seen:
            _check_calls(name, found, component, seen)


def _names_in(code: CodeType) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Every name that code reads, with the attributes that are taken from it, and the line."""
    root, line = "", 0
    attributes: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        line_here = step.positions.lineno if step.positions else None
        if step.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")) and root:
            attributes = (*attributes, str(step.argval))
            continue
        if root:
            yield root, attributes, line
        named = step.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST"))
        root, attributes = (str(step.argval), ()) if named else ("", ())
        line = line_here or code.co_firstlineno
    if root:
        yield root, attributes, line
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


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
            owner = next(part for part in (*arguments, record) if _lacks(part, frame.name))
            what = f"{type(owner).__name__}.{frame.name} is missing: the class must define it"
            raise ValueError(f"{what}{definition_of(owner)}") from None
        raise ValueError(f"{name} is not implemented") from None
    except Exception as error:
        if isinstance(error, ValueError) and "math domain" in str(error):
            return None
        frames = traceback.extract_tb(error.__traceback__)
        outside = [frame for frame in frames if not Path(frame.filename).is_relative_to(PACKAGE)]
        inside = _method_in(error, record)
        name = f"{type(record).__name__}.{inside}" if inside else name
        where = place_in_code(outside[-1].filename, outside[-1].lineno or 0) if outside else ""
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{name} fails{where}: {reason}") from None
    if value is None:
        raise ValueError(f"{name} must return a number, got None")
    return value


def _lacks(part: object, method: str) -> bool:
    """Whether a component has a method only from its base in this package."""
    found = getattr(type(part), method, None)
    return isinstance(part, Component) and str(getattr(found, "__module__", "")).startswith("fastneuron.")
