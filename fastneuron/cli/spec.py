"""The spec a command works on: a TOML file or the default, with the options' overrides.

Not here: what a spec may contain. `fastneuron.Sweep.from_spec` checks that.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastneuron.cli.flags import check_whole
from fastneuron.files import read_file

MOST_TEXT = 2**28  # bytes of a spec, which holds whole tasks
SPECS = Path(__file__).parents[1] / "specs"
_WORD = re.compile(r"[A-Za-z_./~][\w./:~ -]*")


def default_spec(inputs: int = 1) -> dict[str, Any]:
    """The inverter under squared error, as a nested table; with the plane of starts for a task's inputs."""
    plane = ("bias", "weight") if inputs == 1 else ("weight_1", "weight_0")
    return {
        "task": {"name": "inverter"},
        "model": {"activation": "sigmoid"},
        "loss": {"name": "squared_error"},
        "optimizer": {"name": "gradient_descent", "learning_rate": 30.0},
        "axes": {name: {"linspace": [-20, 20, 1024]} for name in plane},
        "stop": {"max_steps": 2000, "tolerance": 0.1},
    }


def named() -> dict[str, Path]:
    """The sweeps that come with the package: their files, by name."""
    return {path.stem: path for path in sorted(SPECS.glob("*.toml"))}


def title(path: Path) -> str:
    """What a sweep of the package is, by the first sentence of its comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    return re.split(r"(?<=[.?;]) ", comment)[0]


def read(path: Path | None, overrides: tuple[str, ...] = ()) -> dict[str, Any]:
    """The spec of a file, or the default, after the overrides.

    Parameters
    ----------
    path : Path or None
        A TOML file, or where there is none of that name, the name of a sweep of the package; None: the default.
    overrides : tuple of str
        Each ``key.path=value``, applied in order.

    Raises
    ------
    ValueError
        If the file cannot be read or is no TOML, or an override is malformed.
    """
    with naming(as_typed(overrides)):
        return _read(path, overrides)


def _read(path: Path | None, overrides: tuple[str, ...]) -> dict[str, Any]:
    if path is not None:
        return overridden(_parse(named().get(str(path), path) if not path.exists() else path), overrides)
    from fastneuron import tasks

    spec = default_spec()
    if "sizes" in _table(overridden(spec, overrides), "model"):
        # a network has neither the neuron's activation nor its plane of starts
        network = {key: table for key, table in default_spec().items() if key not in ("model", "axes")}
        return _without_foreign_name(overridden(network, overrides))
    spec = default_spec()
    task = overridden(spec, overrides)["task"]
    if isinstance(task, dict) and (inputs := tasks.from_spec(task).inputs) > 1:
        spec = overridden(default_spec(inputs), overrides)
    return _without_foreign_name(spec)


def _table(spec: dict[str, Any], key: str) -> dict[str, Any]:
    table = spec.get(key)
    return table if isinstance(table, dict) else {}


def _without_foreign_name(spec: dict[str, Any]) -> dict[str, Any]:
    """The default spec, whose task's name does not stand for data of the user's own."""
    task = spec["task"]
    if isinstance(task, dict) and {"x", "y", "csv"} & set(task) and task.get("name") == "inverter":
        del task["name"]
    return spec


def with_points(spec: dict[str, Any], points: int) -> None:
    """Give every linspace and geomspace axis of `spec` this number of points.

    Raises
    ------
    ValueError
        If there is no such axis, or not so many points.
    """
    from fastneuron.axes import MAX_POINTS

    check_whole("--points", points, 1, MAX_POINTS)
    axes = spec.get("axes")
    changed = False
    for axis in axes.values() if isinstance(axes, dict) else ():
        for kind in ("linspace", "geomspace"):
            if isinstance(axis, dict) and isinstance(axis.get(kind), list) and len(axis[kind]) == 3:
                axis[kind] = [*axis[kind][:2], points]
                changed = True
    if not changed:
        raise ValueError("--points changes linspace and geomspace axes; the spec has none")


def _parse(path: Path) -> dict[str, Any]:
    from fastneuron import toml
    from fastneuron.spec import seek_from

    try:
        text = read_file(path, MOST_TEXT).decode().replace("\r\n", "\n")
    except OSError as error:
        known = f"; sweeps known by name: {', '.join(named())}" if not path.suffix else ""
        raise ValueError(f"cannot read {path}: {error.strerror}{known}") from None
    except UnicodeDecodeError:
        raise ValueError(f"cannot read {path}: it is not UTF-8 text") from None
    try:
        spec = toml.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    seek_from(path.parent, spec)
    return spec


def overridden(spec: dict[str, Any], overrides: tuple[str, ...]) -> dict[str, Any]:
    """`spec` after overrides, each ``key.path=value``.

    A component that gets another name keeps nothing of the one before: what an override has not given it has
    its default, or is missing. A learning rate that suits one optimizer is far off for another.
    """
    given: set[tuple[str, ...]] = set()
    for text in overrides:
        given.add(_override(spec, text, given))
    return spec


@contextmanager
def naming(options: Mapping[str, str], given: Container[str] | None = None) -> Iterator[None]:
    """Within, an error about a key of the spec names the option that has set it, or that can.

    `options` has the option for what an error begins with; `given` are those in use, without it all.
    """
    try:
        yield
    except ValueError as error:
        text = str(error)
        missing = re.fullmatch(r"(\S+): missing key '(\w+)' of \w+", text)
        if missing:
            key = f"{missing[1]}.{missing[2]}"
            text += f"; give {options.get(key, f'--set {key}=...')}"
        for key in sorted(options, key=len, reverse=True):
            used = given is None or options[key] in given
            if used and re.match(rf"{re.escape(key)}(?![\w.])", text):
                text = f"{options[key]}{text.removeprefix(key)}"
                break
        if text == str(error):
            raise
        raise ValueError(text) from None


def as_typed(overrides: tuple[str, ...]) -> dict[str, str]:
    """For `naming`: keys that errors call otherwise than overrides do."""
    options: dict[str, str] = {}
    for first, *rest in paths(overrides):
        if rest:
            key = ".".join(rest)
            options[f"{first}: {key}"] = f"{first}.{key}"
            if first == "axes":
                options[f"axis {key}"] = options[f"axis {rest[0]}"] = f"axes.{key}"
    return options


def paths(overrides: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The keys that overrides set, name by name."""
    found = [tuple(_path(text.partition("=")[0])) for text in overrides]
    return [path for path in found if path]


def same_name(one: object, other: object) -> bool:
    """Whether two names are of one component, as underscores and capitals do not matter."""
    return isinstance(one, str) and isinstance(other, str) and _plain(one) == _plain(other)


_COMPONENTS = re.compile(r"task|loss|optimizer|penalty|batch|model\.(activation|hidden|output)|record\..+")
_DATA = {"x", "y", "csv"}  # of a task, whose name is then no more than a label


def _renamed(table: dict[str, Any], path: list[str], name: Any, given: set[tuple[str, ...]]) -> None:
    """Take from a component that is to have another name what was not given for it."""
    if same_name(table.get("name"), name) or not _COMPONENTS.fullmatch(".".join(path)) or _DATA & set(table):
        return
    for field in [field for field in table if (*path, field) not in given]:
        del table[field]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _override(spec: dict[str, Any], text: str, before: set[tuple[str, ...]]) -> tuple[str, ...]:
    """Set what an override says, given the keys of those `before` it; returns its key."""
    key, equals, given = text.partition("=")
    path = _path(key)
    if not equals or not path or not given.strip():
        raise ValueError(f"--set must be key.path=value, as in optimizer.learning_rate=10, got {text!r}")
    section = spec.get(path[0])
    if isinstance(section, dict) and ".".join(path[1:]) in section:  # a quoted key, "layer0.learning_rate"
        path = [path[0], ".".join(path[1:])]
    *parents, last = path
    table = spec
    for depth, name in enumerate(parents, start=1):
        inner = table.setdefault(name, {})
        if isinstance(inner, str):  # activation = "sigmoid" is short for { name = "sigmoid" }
            inner = table[name] = {"name": inner}
        if not isinstance(inner, dict):
            raise ValueError(f"--set {text}: {'.'.join(parents[:depth])} is not a table")
        table = inner
    value = _value(given.strip(), text)
    if last == "name" and isinstance(value, bool):
        value = given.strip()  # the gates "true" and "false" are names
    if last == "name":
        _renamed(table, parents, value, before)
    table[last] = value
    return tuple(path)


def _path(key: str) -> list[str]:
    from fastneuron import toml

    try:
        table: Any = toml.loads(f"{key.strip()} = 0")
    except ValueError:
        return []
    path = []
    while isinstance(table, dict) and len(table) == 1:
        name, table = next(iter(table.items()))
        path.append(name)
    return path if table == 0 else []


def _value(given: str, text: str) -> Any:
    from fastneuron import toml

    try:
        table = toml.loads(f"value = {given}")
    except ValueError:
        if _WORD.fullmatch(given):
            return given
        raise ValueError(f"--set {text}: the value is neither TOML nor a name") from None
    if len(table) != 1:
        raise ValueError(f"--set {text}: one value, please")
    return table["value"]
