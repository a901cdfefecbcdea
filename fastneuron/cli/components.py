"""Components from outside fastneuron: modules are loaded where the words of a command name them, nowhere else.

What a spec, a store or a picture names is only looked for among the modules that are loaded.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastneuron.cli.spec import overridden


def load_components(given: Iterable[str], overrides: Iterable[str] = (), *names: str | None) -> None:
    """Load the modules that a command names.

    Parameters
    ----------
    given : iterable of str
        Those of ``--components``: files that end in .py, or modules.
    overrides : iterable of str
        Those of ``--set``, of which components, ``module:Class``, are loaded.
    names : str or None
        What options such as ``--loss`` name.

    Raises
    ------
    ValueError
        If one cannot be loaded, with its own error.
    """
    for text in given:
        if text.endswith(".py"):
            _load_file(Path(text))
        else:
            _load_module(text, "--components")
    for text in overrides:
        for name in _components_in(text):
            if ":" in name:
                _load_module(name.partition(":")[0], f"--set {text}")
    for named in names:
        if named is not None and ":" in named:
            _load_module(named.partition(":")[0], named)


def _components_in(override: str) -> list[str]:
    """The names of components that an entry of ``--set`` gives."""
    from fastneuron.spec import component_names

    with suppress(ValueError):  # of which the spec's reader will tell
        return list(component_names(overridden({}, (override,))))
    return []


def _load_module(name: str, where: str) -> None:
    from fastneuron.components import shown

    if not all(map(str.isidentifier, name.split("."))):
        raise ValueError(f"{where}: {shown(name)} is no name of a module, and no file that ends in .py")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ValueError(f"{where}: {_told(error, name)}") from error
        advice = f"give its file, --components {name.replace('.', '/')}.py, or set PYTHONPATH"
        raise ValueError(f"{where}: there is no module {name} where Python looks; {advice}") from None
    except (Exception, SystemExit) as error:
        raise ValueError(f"{where}: {_told(error, name)}") from error


def _load_file(path: Path) -> None:
    """Load a file as the module of its name; modules beside it are found by it, after all others."""
    name, where = path.stem, f"--components {path}"
    file = path.resolve()
    if not name.isidentifier():
        raise ValueError(f"{where}: the name of the file must be that of a module, as soft.py")
    if not file.is_file():
        raise ValueError(f"{where}: there is no such file")
    found = importlib.util.find_spec(name)
    if found is not None and (found.origin is None or Path(found.origin).resolve() != file):
        raise ValueError(f"{where}: there is another module {name}; rename the file")
    if name in sys.modules:
        return
    spec: Any = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # the processes of --workers look there, too
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        sys.path[:] = before
        raise ValueError(f"{where}: {_told(error, name)}") from error


def _told(error: BaseException, name: str) -> str:
    """Why a module cannot be loaded, in a line."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"module {name} cannot be loaded: {reason}{place}"
