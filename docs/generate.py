"""What the site generates at build time, from the package itself: the reference and the gallery's scripts.

Nothing here lists names by hand: the reference holds whatever is public, the commands' pages are their own
``--help``, and the gallery has one script for each ready figure.
"""

from __future__ import annotations

import inspect
import io
import shutil
import sys
from collections.abc import Container, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from cyclopts import App
from rich.console import Console
from sphinx_gallery.scrapers import figure_rst

import fastneuron
from fastneuron.cli.app import build
from fastneuron.fingerprint import package_fingerprint

COLUMNS = 70  # of a help text: what the column of a page holds
MANY = 3


def everything(docs: Path) -> list[str]:
    """Write the reference and the gallery's scripts; the pages that list names, for autosummary to go on."""
    modules = {name: value for name, value in _public(fastneuron) if inspect.ismodule(value)}
    names = {name: value for name, value in _public(fastneuron) if not inspect.ismodule(value)}
    described = {"fastneuron": names}
    for name, module in modules.items():
        # what is public twice is described once
        described[f"fastneuron.{name}"] = {
            key: value for key, value in _public(module) if names.get(key) is not value
        }
    pages = {module: _page(module, members) for module, members in described.items()}
    pages["fastneuron.sphinx"] = f"{_title('fastneuron.sphinx')}\n.. automodule:: fastneuron.sphinx\n"
    pages["command-line"] = _command_line()
    pages["index"] = _index(name for name in pages)
    stubs = {f"{module}.{name}" for module, members in described.items() for name in members}
    _write(docs / "reference", {f"{name}.rst": text for name, text in pages.items()}, stubs)
    _write(docs / "gallery_scripts", _scripts())
    # what an older package drew is drawn again
    mark = docs / "gallery" / "drawn_by"
    if not mark.exists() or mark.read_text() != package_fingerprint():
        shutil.rmtree(mark.parent, ignore_errors=True)
        mark.parent.mkdir()
        mark.write_text(package_fingerprint())
    return [str(docs / "reference" / f"{module}.rst") for module in described]


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
    return ".. autosummary::\n   :toctree:\n   :nosignatures:\n\n" + "".join(f"   {name}\n" for name in names)


def _index(pages: Iterable[str]) -> str:
    return "\n".join(
        [
            _title("Reference"),
            "Everything public, from the docstrings and the commands' own ``--help``.\n",
            ".. toctree::\n   :maxdepth: 1\n",
            *(f"   {page}" for page in pages),
            "",
        ]
    )


def _page(module: str, names: dict[str, object]) -> str:
    """What a module is, and its names; those of a file that defines many are a section of their own."""
    parts = [_title(module), _summary(sys.modules[module]), f"\n.. currentmodule:: {module}\n"]
    files: dict[str, list[str]] = {}
    for name, value in names.items():
        files.setdefault(value.__module__, []).append(name)
    sections = {file: members for file, members in files.items() if len(files) > 1 and len(members) >= MANY}
    parts.append(_autosummary(name for name, value in names.items() if value.__module__ not in sections))
    for file, members in sections.items():
        parts += [_title(file.rpartition(".")[2].capitalize(), "-"), _autosummary(members)]
    return "\n".join(parts)


def _command_line() -> str:
    """Every command's ``--help``."""
    app = build()
    commands = [name for name in app if not name.startswith("-")]
    parts = [_title("Command line"), _help(app, [])]
    for name in commands:
        parts += [_title(f"fastneuron {name}", "-"), _help(app, [name])]
    return "\n".join(parts)


def _help(app: App, words: list[str]) -> str:
    text = io.StringIO()
    app.help_print(words, console=Console(file=text, width=COLUMNS, color_system=None))
    return ".. code-block:: text\n\n" + "".join(
        f"   {line.rstrip()}\n" for line in text.getvalue().splitlines()
    )


def _scripts() -> dict[str, str]:
    """The scripts of the gallery, one for each ready figure."""
    header = f"{_title('Gallery')}\nPictures that are ready to be drawn: ``fastneuron figure NAME``.\n"
    return {"GALLERY_HEADER.rst": header} | {
        f"{name}.py": _script(name) for name in fastneuron.figures.names()
    }


def _script(name: str) -> str:
    """A script that draws a ready figure, and tells its sweep."""
    figure = fastneuron.figures.load(name)
    toml = (fastneuron.figures.FOLDER / f"{name}.toml").read_text()
    spec = "".join(f"#    {line}".rstrip() + "\n" for line in toml.splitlines() if not line.startswith("#"))
    return f'''r"""
{_title(figure.title)}
{figure.text}
"""

import fastneuron as fn

figure = fn.figures.load("{name}")
figure.save("{name}.{figure.picture.format}")

# %%
# The command line draws it too:
#
# .. code-block:: console
#
#    $ fastneuron figure {name}
#
# This is the sweep and how it is drawn; a file of this, with any changes, goes to ``fastneuron map``:
#
# .. code-block:: toml
#
{spec}'''


def scrape(block: object, variables: dict[str, Any], conf: dict[str, Any]) -> str:
    """Move the picture that a script has saved to its page; it keeps the spec that it carries."""
    texts = []
    for path in [path for path in sorted(Path().iterdir()) if path.suffix in (".png", ".svg", ".gif")]:
        place = Path(next(variables["image_path_iterator"])).with_suffix(path.suffix)
        shutil.move(path, place)
        texts.append(figure_rst([str(place)], conf["src_dir"], fastneuron.figures.load(path.stem).title))
    return "".join(texts)


def _write(folder: Path, texts: dict[str, str], others: Container[str] = ()) -> None:
    """Make a folder hold these files, and no others but of these stems; what is the same stays untouched."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.is_file() and path.name not in texts and path.stem not in others:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
