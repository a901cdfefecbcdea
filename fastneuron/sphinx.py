"""A Sphinx extension: a directive that runs a spec or a ready figure, and includes the picture.

In ``conf.py``: ``extensions = ["fastneuron.sphinx"]``. In a page, with MyST in a fence of ``{fastneuron}``::

    .. fastneuron:: basins
       :width: 80%

       The caption.

    .. fastneuron:: specs/mine.toml
       :set: optimizer.learning_rate=10, picture.dpi=200

    .. fastneuron::

       [task]
       name = "nand"
       ...

The argument is a ready figure (`fastneuron.figures`), or a TOML file, relative to the page or, with a leading
``/``, to the folder of ``conf.py``. Without one the content is the spec, and ``:caption:`` the caption. A
picture is drawn once: its file is named by its spec, the versions and the code that draws it, also that of
components of your own. A spec names these ``module:Class``, and ``conf.py`` imports the module.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import sphinx.util.logging
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.directives.patches import Figure
from sphinx.util.docutils import SphinxDirective

import fastneuron
from fastneuron import toml
from fastneuron.figures import ReadyFigure, load, names
from fastneuron.fingerprint import class_loaded, code_table, package_fingerprint
from fastneuron.result import CODE, code_in
from fastneuron.spec import seek_from

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

FORMATS = ("png", "svg", "gif")
FOLDER = "fastneuron"  # within the doctrees
_log = sphinx.util.logging.getLogger(__name__)


class FastneuronDirective(Figure, SphinxDirective):
    """``fastneuron``: the picture of a spec, as ``figure`` includes one, with the options of that.

    Attributes
    ----------
    option_spec : dict of str to callable
        The options of ``figure``, and ``caption``, ``set`` (``key.path=value``, one a line or with a comma
        and a space between them) and ``format`` (png or svg).

    Examples
    --------
    In a page of reStructuredText:

    .. code-block:: rst

        .. fastneuron:: inverter
           :set: optimizer.learning_rate=10, picture.dpi=200
           :width: 80%
    """

    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    content: StringList
    option_spec: ClassVar[dict[str, Any]] = {
        **(Figure.option_spec or {}),
        "caption": directives.unchanged_required,
        "set": directives.unchanged_required,
        "format": lambda given: directives.choice(given, FORMATS),
    }

    def run(self) -> list[nodes.Node]:
        """The nodes of the picture, which is drawn if its file is not there.

        Returns
        -------
        list of Node
            A figure with the picture and its caption.

        Raises
        ------
        DirectiveError
            If the spec, the file or the name of a figure is wrong, or the picture cannot be drawn or written;
            Sphinx reports it with the line of the directive.
        """
        try:
            figure = self._figure()
            if code := figure.sweep.component_code:
                self.env.metadata[self.env.docname].setdefault(CODE, []).append(code)
            picture = self._drawn(figure)
        except (ValueError, MemoryError, OSError) as error:
            text = " ".join(str(error).split())
            raise self.error(f"fastneuron: {text}") from error
        source = Path(self.env.srcdir) / os.path.dirname(self.env.docname)
        self.arguments = [Path(os.path.relpath(picture, source)).as_posix()]
        self.options.setdefault("alt", figure.title or f"{figure.picture.kind} of {figure.sweep.task.name}")
        return list(super().run())

    def _figure(self) -> ReadyFigure:
        """What is to be drawn; what is left of the content is the caption."""
        caption = self.options.pop("caption", None)
        name, title, place = "", "", ""
        if not self.arguments:
            if not self.content:
                raise ValueError("give a ready figure, a TOML file, or a spec as the content")
            spec = toml.loads("\n".join(self.content))
            seek_from(Path(self.env.srcdir) / os.path.dirname(self.env.docname), spec)
            self.content = StringList()
        elif self.arguments[0] in names():
            ready = load(self.arguments[0])
            spec, name, title = ready.spec, ready.name, ready.title
        else:
            place, spec = self._file(self.arguments[0])
        if caption is not None:
            self.content = StringList([caption], self.get_source_info()[0])
        _override(spec, self.options.pop("set", ""))
        self._note_table(spec)
        try:
            return ReadyFigure(spec, name, title)
        except ValueError as error:
            raise ValueError(f"{place}: {error}" if place else str(error)) from None

    def _file(self, given: str) -> tuple[str, dict[str, Any]]:
        """The name of a file from the folder of ``conf.py``, and the spec in it."""
        relative, absolute = self.env.relfn2path(given)
        self.env.note_dependency(relative)
        try:
            text = Path(absolute).read_text(encoding="utf-8")
        except FileNotFoundError:
            known = ", ".join(names())
            raise ValueError(
                f"no file {relative}, and no ready figure of that name; there are: {known}"
            ) from None
        try:
            spec = toml.loads(text)
        except ValueError as error:
            raise ValueError(f"{relative}: {error}") from None
        seek_from(Path(absolute).parent, spec)
        return relative, spec

    def _note_table(self, spec: dict[str, Any]) -> None:
        """Have the page built again when the CSV file of a task changes."""
        task = spec.get("task")
        table = task.get("csv") if isinstance(task, dict) else None
        if isinstance(table, str) and Path(table).is_file():
            self.env.note_dependency(os.path.relpath(table, self.env.srcdir))

    def _drawn(self, figure: ReadyFigure) -> Path:
        """The file of the picture, drawn if it is not there."""
        ending = self.options.pop("format", figure.picture.format)
        key = hashlib.sha256(figure.toml.encode()).hexdigest()[:24]
        folder = Path(self.env.doctreedir) / FOLDER
        path = folder / f"{figure.name or figure.picture.kind}-{key}.{ending}"
        if not figure.is_drawn(path):
            _log.info("fastneuron: drawing %s", path.name, location=self.get_location())
            folder.mkdir(parents=True, exist_ok=True)
            figure.save(path)
        return path


def _override(spec: dict[str, Any], given: str) -> None:
    """Change entries of a spec: ``key.path=value``, one a line or with commas between them."""
    from fastneuron.cli.spec import overridden

    overridden(spec, tuple(filter(None, re.split(r"\s*(?:,\s+|\n)\s*(?=[^\s=,\[\]{}]+\s*=)", given.strip()))))


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """The pages with pictures of components whose code has changed."""
    return [
        page
        for page, noted in env.metadata.items()
        if any(code != _code_now(code) for code in noted.get(CODE, ()))
    ]


def _code_now(code: str) -> str:
    """The code of the same components as they are loaded now."""
    classes = [class_loaded(name) for name in code_in({CODE: code}) if name != "python"]
    return code_table(cls for cls in classes if isinstance(cls, type))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive; pages are read anew when the package has changed.

    Parameters
    ----------
    app : Sphinx
        The application, which calls this.

    Returns
    -------
    dict of str to str or bool
        The version, and that pages can be read and written in parallel.

    Examples
    --------
    In ``conf.py``:

    >>> extensions = ["fastneuron.sphinx"]
    """
    app.add_directive("fastneuron", FastneuronDirective)
    app.add_config_value("fastneuron_fingerprint", package_fingerprint(), "env", str)
    app.connect("env-get-outdated", _outdated)
    return {"version": fastneuron.__version__, "parallel_read_safe": True, "parallel_write_safe": True}
