"""Tasks: the inputs and targets that a model should learn.

Not here: how a model turns inputs into outputs.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastneuron.components import nearest, shown

MAX_POINTS = 2**24


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
    >>> task = Task([[0], [1]], [1, 0], name="inverter")
    >>> task.samples, task.inputs
    (2, 1)
    >>> task == inverter()
    True
    """

    __slots__ = ("name", "x", "y")

    x: np.ndarray
    y: np.ndarray
    name: str

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

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Task cannot be changed; make a new one to set {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Task, (self.x, self.y, self.name)

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


def _numbers(field: str, given: object) -> np.ndarray:
    try:
        array = np.array(given)
    except ValueError:
        raise ValueError(f"{field} is ragged: every sample must have as many numbers as the first") from None
    except Exception as error:  # whatever a foreign array type throws
        raise ValueError(f"{field} cannot be read as an array: {error}") from None
    leaves: Iterable[Any] = () if isinstance(given, np.ndarray) else np.array(given, object).flat
    if array.dtype.kind not in "iuf" or any(isinstance(leaf, bool | np.bool_) for leaf in leaves):
        raise ValueError(f"{field} must be numbers, got {shown(given)}")
    with np.errstate(over="ignore"):  # a longdouble may be too large: refused below
        array = np.array(array, np.float64, order="C") + 0.0  # no -0.0: equal tasks have equal bytes
    if array.ndim == 0:
        raise ValueError(f"{field} must be a list of numbers, got {shown(given)}")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{field}{list(place)} must be a finite number, got {array[place]}")
    return array


def inverter() -> Task:
    """0 -> 1 and 1 -> 0: what a sigmoid neuron does with a negative weight and a bias."""
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
    """A two-input gate: all sixteen, named as in `GATES` (``"nand"``, ``"xor"``, ...).

    Raises
    ------
    ValueError
        If there is no gate of that name.
    """
    if not isinstance(name, str) or name not in GATES:
        raise ValueError(f"unknown gate {shown(name)}{nearest(str(name), GATES)}; known: {', '.join(GATES)}")
    return Task([[0, 0], [0, 1], [1, 0], [1, 1]], GATES[name], name=name)


def flipped_step(points: int = 101) -> Task:
    """`points` inputs evenly over [0, 1]; target 1 left of 0.5, else 0.

    Raises
    ------
    ValueError
        If `points` is not a whole number from 2 to `MAX_POINTS`.
    """
    if isinstance(points, bool) or not isinstance(points, int) or not 2 <= points <= MAX_POINTS:
        raise ValueError(f"points must be a whole number from 2 to {MAX_POINTS}, got {shown(points)}")
    x = np.linspace(0.0, 1.0, points)
    return Task(x, (x < 0.5).astype(float), name="flipped_step")


def from_csv(path: str | Path) -> Task:
    """A task from a CSV file: the last column is the target, the others are the inputs.

    A first line that is not numbers is a header. Empty lines are passed over.

    Raises
    ------
    ValueError
        If the file cannot be read, or a row is ragged, empty or not numbers; naming file and line.
    """
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"path must be the path of a CSV file, got {shown(path)}")
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        lines = list(csv.reader(text.splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ValueError(f"cannot read {path}: {reason}") from None
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if not any(cell.strip() for cell in line):
            continue
        try:
            row = [float(cell) for cell in line]
        except ValueError:
            if not rows and number == 1 and not any(_is_number(cell) for cell in line):
                continue
            raise ValueError(f"{path}, line {number}: not numbers: {shown(','.join(line))}") from None
        if not all(math.isfinite(value) for value in row):
            raise ValueError(f"{path}, line {number}: not finite: {shown(','.join(line))}")
        if rows and len(row) != len(rows[0]):
            raise ValueError(f"{path}, line {number}: {len(row)} columns where {len(rows[0])} were expected")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path}: no rows of numbers")
    if len(rows[0]) < 2:
        raise ValueError(f"{path}: needs at least two columns (inputs, then the target), has 1")
    table = np.array(rows)
    return Task(table[:, :-1], table[:, -1], name=Path(path).stem)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


NAMED: dict[str, Callable[[], Task]] = {
    "inverter": inverter,
    "flipped_step": flipped_step,
} | {name: (lambda name=name: gate(name)) for name in GATES}


def from_spec(spec: Mapping[str, Any], where: str = "task") -> Task:
    """The task that a TOML table describes: a ``name``, ``x`` and ``y``, or a ``csv`` file.

    Raises
    ------
    ValueError
        Naming the key, the value and what is allowed.
    """
    known = ("name", "x", "y", "csv", "points")
    for key in spec:
        if key not in known:
            key_text = key if isinstance(key, str) and key.isprintable() else shown(key)
            raise ValueError(
                f"{where}.{key_text}: unknown key{nearest(key, known)}; allowed: {', '.join(known)}"
            )
    name = spec.get("name")
    try:
        if "csv" in spec:
            if "x" in spec or "y" in spec or "points" in spec or not isinstance(spec["csv"], str):
                raise ValueError("csv must be a path, without x, y or points")
            table = from_csv(spec["csv"])
            return table if name is None else Task(table.x, table.y, name)
        if "x" in spec or "y" in spec:
            if "x" not in spec or "y" not in spec or "points" in spec:
                raise ValueError("x and y must be given together, without points")
            return Task(spec["x"], spec["y"], "task" if name is None else name)
        if name == "flipped_step":
            return flipped_step(spec.get("points", 101))
        if "points" in spec:
            raise ValueError(f"points belongs to flipped_step, not to {shown(name)}")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if name is None:
        raise ValueError(f"{where}: missing key 'name', or x and y, or csv; names: {', '.join(NAMED)}")
    if not isinstance(name, str) or name not in NAMED:
        raise ValueError(
            f"{where}.name: unknown task {shown(name)}{nearest(str(name), NAMED)}; known: {', '.join(NAMED)}"
        )
    return NAMED[name]()


def to_spec(task: Task) -> dict[str, Any]:
    """The table that `from_spec` turns back into `task`: the name where it says all."""
    if task.name == "flipped_step" and 2 <= task.samples <= MAX_POINTS and task == flipped_step(task.samples):
        return {"name": task.name, "points": task.samples}
    if task.name in NAMED and task == NAMED[task.name]():
        return {"name": task.name}
    y = task.y[:, 0] if task.outputs == 1 else task.y
    return {"name": task.name, "x": task.x.tolist(), "y": y.tolist()}
