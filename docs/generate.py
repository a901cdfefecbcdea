"""What the site generates at build time, from the package itself: the reference and the gallery's scripts.

Nothing here lists names by hand: the reference holds whatever is public, the commands' pages are their own
``--help``, and the gallery has one script for each ready figure.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import fastneuron
from fastneuron.cli.main import build

COLUMNS = 72


def everything(docs: Path) -> None:
    """Write the reference and the gallery's scripts under `docs`."""
    modules = {name: value for name, value in _public(fastneuron) if inspect.ismodule(value)}
    names = {name: value for name, value in _public(fastneuron) if not inspect.ismodule(value)}
    pages = {"index": _index(modules), "fastneuron": _page("fastneuron", names)}
    for name, module in modules.items():
        # what is public twice is described once
        own = {key: value for key, value in _public(module) if names.get(key) is not value}
        pages[f"fastneuron.{name}"] = _page(f"fastneuron.{name}", own, _summary(module))
    pages["command-line"] = _command_line()
    _write(docs / "reference", {f"{name}.rst": text for name, text in pages.items()})
    _write(docs / "gallery_scripts", _gallery())


def _public(module: ModuleType) -> list[tuple[str, object]]:
    """The public names of a module with their values: its ``__all__``, or else what it defines itself."""
    if module is fastneuron:
        names: Iterable[str] = dir(module)  # with open, which __all__ leaves out
    elif hasattr(module, "__all__"):
        names = module.__all__
    else:
        names = [
            name
            for name, value in vars(module).items()
            if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module.__name__
        ]
    return [(name, getattr(module, name)) for name in sorted(names) if not name.startswith("_")]


def _summary(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n\n")[0]


def _title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n"


def _autosummary(names: Iterable[str]) -> str:
    return ".. autosummary::\n   :toctree:\n\n" + "".join(f"   {name}\n" for name in names)


def _index(modules: Iterable[str]) -> str:
    pages = ["fastneuron", *(f"fastneuron.{name}" for name in modules), "command-line"]
    return "\n".join(
        [
            _title("Reference"),
            "Everything public, from the docstrings and the commands' own ``--help``.\n",
            ".. toctree::\n   :maxdepth: 1\n",
            *(f"   {page}" for page in pages),
            "",
        ]
    )


def _page(module: str, names: dict[str, object], summary: str = "") -> str:
    """A page of a module: its names by the file that defines them, in the order of the package's layers."""
    parts = [_title(module), summary, f"\n.. currentmodule:: {module}\n"]
    groups: dict[str, list[str]] = {}
    for name, value in names.items():
        groups.setdefault(inspect.getmodule(value).__name__, []).append(name)
    for home, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(groups) > 1 and module == "fastneuron":
            heading = home.rpartition(".")[2].replace("_", " ").capitalize()
            parts.append(_title(heading, "-"))
        parts.append(_autosummary(members))
    return "\n".join(parts)


def _command_line() -> str:
    """Every command's ``--help``."""
    app = build()
    commands = [name for name in app if not name.startswith("-")]
    parts = [_title("Command line"), _help(app, [])]
    for name in commands:
        parts += [_title(f"fastneuron {name}", "-"), _help(app, [name])]
    return "\n".join(parts)


def _help(app: object, words: list[str]) -> str:
    from rich.console import Console

    text = io.StringIO()
    app.help_print(words, console=Console(file=text, width=COLUMNS, color_system=None))
    return ".. code-block:: text\n\n" + "".join(
        f"   {line.rstrip()}\n" for line in text.getvalue().splitlines()
    )


def _gallery() -> dict[str, str]:
    """The scripts of the gallery, one for each ready figure."""
    return {
        "GALLERY_HEADER.rst": _title("Gallery") + "\nPictures that are ready to be drawn.\n",
        "plot_one.py": '"""\nOne\n===\n\nHello.\n"""\n\nimport matplotlib.pyplot as plt\n\nplt.plot([1, 2])\n',
    }


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Make `folder` hold these files; one whose text is the same is left alone, and not read again."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.is_file() and path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
