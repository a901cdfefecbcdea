"""The commands, and what of their errors is whose fault."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable

from cyclopts import App, CycloptsError, Parameter

from fastneuron import __version__
from fastneuron.cli.descend import descend
from fastneuron.cli.endings import DONE, FAILED, WRONG
from fastneuron.cli.figure import figure
from fastneuron.cli.info import info
from fastneuron.cli.map import Unfinished, map_starts
from fastneuron.cli.plot import plot
from fastneuron.cli.provenance import spec
from fastneuron.cli.respond import respond
from fastneuron.cli.store import Damaged, export, status, verify
from fastneuron.cli.tasks import tasks
from fastneuron.cli.warmup import warmup

_HELP = """Map the training dynamics of small neurons: train one from every point of a grid at once.

Start with 'fastneuron map', which needs no options: a neuron learns the inverter (0 -> 1, 1 -> 0) by gradient descent from a million starts, and a picture shows what became of each. 'fastneuron COMMAND --help' explains a command."""

_COMMANDS: dict[str, Callable[..., None]] = {
    "map": map_starts,
    "respond": respond,
    "descend": descend,
    "plot": plot,
    "spec": spec,
    "figure": figure,
    "status": status,
    "verify": verify,
    "export": export,
    "tasks": tasks,
    "info": info,
    "warmup": warmup,
}

# a path that cannot be used, rather than a machine that fails
_WRONG_PATH = {
    errno.EACCES,
    errno.EEXIST,
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENODEV,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENXIO,
    errno.EPERM,
    errno.EROFS,
}


def build() -> App:
    """The command line as a cyclopts application, which neither prints errors nor exits by itself."""
    app = App(
        name="fastneuron",
        help=_HELP,
        version=__version__,
        help_format="plaintext",
        default_parameter=Parameter(negative=(), show_default=False),
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for position, (name, command) in enumerate(_COMMANDS.items()):
        app.command(command, name=name, sort_key=position)
    return app


def run(words: list[str]) -> tuple[int, str]:
    """Run a command; the exit code, and the line that says why it is not 0.

    Raises
    ------
    KeyboardInterrupt
        With what has been kept.
    BrokenPipeError
        If the reader of the output has left.
    """
    try:
        build()(words)
    except Damaged:
        return FAILED, ""
    except Unfinished as stopped:
        raise KeyboardInterrupt(f"{stopped}; resume with: {shlex.join(['fastneuron', *words])}") from None
    except CycloptsError as error:
        error.verbose = False
        return WRONG, f"error: {str(error).rstrip('.')} (see 'fastneuron --help')"
    except (ValueError, MemoryError) as error:
        return WRONG, f"error: {error}"
    except BrokenPipeError:
        raise
    except OSError as error:
        wrong = error.errno in _WRONG_PATH and error.filename is not None
        return (WRONG, f"error: {_reason(error)}") if wrong else (FAILED, f"failed: {_reason(error)}")
    return DONE, ""


def _reason(error: OSError) -> str:
    if error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return error.strerror or str(error)
