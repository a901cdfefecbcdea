"""The entry point: the commands, and how every way to end becomes an exit code and one line."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cyclopts import App, CycloptsError, Parameter

from fastneuron import __version__
from fastneuron.cli.descend import descend
from fastneuron.cli.figure import figure
from fastneuron.cli.info import info
from fastneuron.cli.map import Unfinished, map_starts
from fastneuron.cli.plot import plot
from fastneuron.cli.provenance import spec
from fastneuron.cli.respond import respond
from fastneuron.cli.store import Damaged, export, status, verify
from fastneuron.cli.tasks import tasks
from fastneuron.cli.warmup import warmup

DONE = 0
FAILED = 1
WRONG = 2
INTERRUPTED = 130

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str or None
        The words after ``fastneuron``; None: those of this process.

    Returns
    -------
    int
        0 done; 1 failed; 2 wrong usage, spec or file; 130 interrupted. Whatever is not 0 has printed one
        line on stderr (an error that is a bug in fastneuron is raised as it is).
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with _terminable():
            build()(words)
        sys.stdout.flush()
    except Damaged:
        return FAILED
    except BrokenPipeError:
        # the reader has left (`| head`): nothing may be written any more, not even by the exit itself
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Unfinished as stopped:
        return _ended(
            INTERRUPTED, f"interrupted; {stopped}; go on with: {shlex.join(['fastneuron', *words])}"
        )
    except KeyboardInterrupt as stopped:
        return _ended(INTERRUPTED, f"interrupted{f'; {stopped}' if str(stopped) else ''}")
    except CycloptsError as error:
        error.verbose = False
        return _ended(WRONG, f"error: {str(error).rstrip('.')} (see 'fastneuron --help')")
    except (ValueError, MemoryError) as error:
        return _ended(WRONG, f"error: {error}")
    except (
        FileExistsError,
        FileNotFoundError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as error:
        return _ended(WRONG, f"error: {_reason(error)}")
    except OSError as error:
        return _ended(FAILED, f"failed: {_reason(error)}")
    return DONE


@contextmanager
def _terminable() -> Iterator[None]:
    """Within, SIGTERM is an interrupt like Ctrl-C; only the main thread can say so."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ended(code: int, text: str) -> int:
    print("fastneuron:", " ".join(text.split()), file=sys.stderr)
    return code


def _reason(error: OSError) -> str:
    if error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
