"""Signals of a command: Ctrl-C and SIGTERM become a KeyboardInterrupt where that can do no harm."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

AGAIN = 0.01  # seconds until an interrupt that came at a bad moment is tried again
_IMPORTING = "<frozen importlib._bootstrap>"


class Signals:
    """Within, an interrupt is a KeyboardInterrupt in the main thread, but never in the midst of an import.

    There the exception might be swallowed, or leave half a module behind: it is put off until the import is over.

    Attributes
    ----------
    number : int
        The signal that came, or SIGINT where none has.

    With `last` nothing comes after it but the end of the process, which is not interrupted.
    """

    def __init__(self, last: bool) -> None:
        self.number: int = signal.SIGINT
        self._last = last
        self._before: dict[int, object] = {}
        self._outer: FrameType | None = None

    def __enter__(self) -> Signals:
        if threading.current_thread() is not threading.main_thread():
            return self  # only the main thread is told of signals
        self._outer = sys._getframe(1)
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                self._handle(number, self._come)
        return self

    def __exit__(self, *ignored: object) -> None:
        if self._last:
            self.ignore()
            return
        if signal.SIGALRM in self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def ignore(self) -> None:
        """From now on nothing interrupts: the end has begun."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, handler: object) -> None:
        self._before.setdefault(number, signal.getsignal(number))
        signal.signal(number, handler)  # type: ignore[arg-type]

    def _come(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._interrupt(number, frame)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        while frame is not None and frame is not self._outer:
            if frame.f_code.co_filename == _IMPORTING:
                self._handle(signal.SIGALRM, self._interrupt)
                signal.setitimer(signal.ITIMER_REAL, AGAIN)
                return
            frame = frame.f_back
        raise KeyboardInterrupt
