"""The entry point: how every way to end becomes an exit code and one line.

The commands are imported once signals are in good hands: an import takes longer than it takes to press Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence

from fastneuron.cli import printing
from fastneuron.cli.endings import FAILED, SIGNALLED, WRONG
from fastneuron.cli.process import prepare, usual_environment
from fastneuron.cli.signals import Signals


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str or None
        The words after ``fastneuron``; None: those of this process, which does nothing else.

    Returns
    -------
    int
        0 done; 1 failed; 2 wrong usage, spec or file; 130 interrupted, 143 by SIGTERM. Whatever is not 0 has
        printed one line on stderr (an error that is a bug in fastneuron is raised as it is).
    """
    alone = arguments is None
    with Signals(last=alone) as signals:
        try:
            if alone:
                prepare()
            with usual_environment():
                code, text = _run(sys.argv[1:] if arguments is None else list(arguments))
        except KeyboardInterrupt as stopped:
            signals.ignore()
            code = SIGNALLED + signals.number
            text = f"interrupted; {stopped}" if str(stopped) else "interrupted"
        if text:
            printing.say(text)
    if alone and code > SIGNALLED and threading.active_count() > 1:
        os._exit(code)  # the compiler cannot be stopped, and nobody wants to wait for it
    return code


def _run(words: list[str]) -> tuple[int, str]:
    """Run a command where there is a folder for it and an output; the exit code, and why it is not 0."""
    try:
        os.getcwd()
    except OSError as error:
        advice = "it was moved or deleted; change to another one (cd)"
        return WRONG, f"error: the current folder cannot be used ({error.strerror}): {advice}"
    if sys.stdout is None:
        return FAILED, "failed: standard output is closed; to print nothing, send it to /dev/null"
    from fastneuron.cli import app

    try:
        code, text = app.run(words)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has left (`| head`)
        code, text = FAILED, ""
    except OSError as error:
        code, text = FAILED, f"failed: standard output: {error.strerror}"
    else:
        return code, text
    # nothing may be written any more, not even by the exit itself
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code, text
