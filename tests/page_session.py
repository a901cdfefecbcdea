"""A page of the docs as a session: its blocks, one after the other.

Commands of fastneuron are forked, each from a process in which no block has run; all other commands are a
shell's.
"""

from __future__ import annotations

import multiprocessing
import re
import shlex
import subprocess
import sys
import types
import warnings
from multiprocessing.connection import Connection

from forks import code_of, forked

MARK = "\x1e"
SHELL = set("|&;<>$`(){}*?\n")


def command_line(words: list[str]) -> None:
    """``fastneuron WORDS``, with the settings that a new process has."""
    from fastneuron.cli.main import main

    warnings.resetwarnings()
    sys.stderr = sys.stdout
    sys.exit(main(words))


def run_commands(commands: Connection, other: Connection) -> None:
    """One command after the other, until the page has ended."""
    other.close()
    while True:
        try:
            words = commands.recv()
        except EOFError:
            return
        commands.send(code_of(forked(command_line, words)))


def run_command(code: str, commands: Connection) -> int:
    """The exit code of one command; what it prints goes where this process prints."""
    words = shlex.split(code, comments=True)
    bare = shlex.split(re.sub("'[^']*'", "''", code), comments=True)
    if words[0] != "fastneuron" or set("".join(bare)) & SHELL:
        done = subprocess.run(["bash", "-c", code], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        return done.returncode
    commands.send(words[1:])
    return int(commands.recv())


def run(page: str, blocks: list[tuple[str, int, str]]) -> int:
    """Each block in turn, and after it its exit code between two marks."""
    here, there = multiprocessing.Pipe()
    beside = forked(run_commands, there, here)
    there.close()
    session = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        for language, line, code in blocks:
            result = 0
            if language == "python":
                exec(compile("\n" * line + code, page, "exec"), vars(session))
            else:
                result = run_command(code, here)
            print(MARK, result, MARK, sep="", end="", flush=True)
    finally:
        here.close()
        beside.join()
    return 0
