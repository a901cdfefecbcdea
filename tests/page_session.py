"""One page of the docs as a session: run as a script with the page's name and its blocks as JSON.

Commands of fastneuron come from a process that has its modules loaded and is forked for each of them, as
importing them takes longer than what most of them do; all other commands are a shell's.
"""

from __future__ import annotations

import json
import multiprocessing
import shlex
import subprocess
import sys

MARK = "\x1e"
LOADED = ["fastneuron.cli.main", "fastneuron.engine.local", "fastneuron.plot", "matplotlib.pyplot", "xarray"]
SHELL = set("|&;<>$`(){}*?\n")


def command_line(words: list[str]) -> None:
    """``fastneuron WORDS`` in a process of its own, with the settings that a new process has."""
    import warnings

    from fastneuron.cli.main import main

    warnings.resetwarnings()
    sys.stderr = sys.stdout
    sys.exit(main(words))


def run_command(context: multiprocessing.context.ForkServerContext, code: str) -> int:
    """The exit code of one command; what it prints goes where this process prints."""
    quoted = shlex.split(code, comments=True)
    if quoted[0] != "fastneuron" or set("".join(quoted)) & SHELL:
        done = subprocess.run(["bash", "-c", code], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        return done.returncode
    process = context.Process(target=command_line, args=(quoted[1:],))
    process.start()
    process.join()
    return int(process.exitcode or 0)


def run(page: str, blocks: list[tuple[str, int, str]]) -> None:
    """Each block in turn, and after it its exit code between two marks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    for language, line, code in blocks:
        result = 0
        if language == "python":
            exec(compile("\n" * line + code, page, "exec"), globals())
        else:
            result = run_command(context, code)
        print(MARK, result, MARK, sep="", end="", flush=True)


if __name__ == "__main__":
    run(*json.loads(sys.argv[1]))
