"""What the README and the docs show is what happens: their Python and their commands run, page by page.

A page is one session in an empty folder: its ``python`` blocks in order in one namespace, its ``console``
lines in between. Output that is shown is compared: a ``text`` block right below a ``python`` block is all
that it prints, the lines below a command are among what it prints, in this order. Only times, sizes on disk
and counts of threads may differ. What cannot run here is in `ELSEWHERE`, what takes long in `SMALLER`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import fastneuron

from .forks import Forks

ROOT = Path(__file__).parent.parent
MARK = "\x1e"  # on either side of the exit code of a block
LOADED = [
    "cyclopts",
    "dask.array",
    "fastneuron.cli.app",
    "fastneuron.engine.local",
    "fastneuron.plot",
    "matplotlib.pyplot",
    "xarray",
    "zarr",
    "warm",
]

# a part of a block or command that cannot run here, and why
ELSEWHERE = {
    'Client("tcp://host:8786")': "a scheduler on another machine",
    "--cluster tcp://host:8786": "a scheduler on another machine",
    "dask scheduler": "runs until it is stopped",
    "dask worker": "runs until it is stopped",
    "SLURMCluster(": "a SLURM cluster",
    "KubeCluster(": "a Kubernetes cluster",
    "@activations.add": "a part of a file of the package",
    ".venv": ".ci/run runs it",
}
# page -> the part of a block or command that is made smaller, and by what; its output cannot be compared then
SMALLER = {
    "README.md": {
        "--name cross_entropy": "--name cross_entropy --points 64",
        "--points 512": "--points 64",
        "--points 10000": "--points 100",
        "--name sgd": "--name sgd --points 64",
        "draws=100000": "draws=1000",
        "trainability --points 128": "trainability --points 4",
        "--out run.gif": "--steps 20 --out run.gif",
        "--image black": "--image black --draws 1000",
        "--image white": "--image white --draws 1000",
        "1024)": "64)",
    },
    "docs/activity.md": {"draws=100_000": "draws=1000"},
    "docs/cluster.md": {"--workers 4": "--workers 1 --points 64"},
    "docs/howto/docs-figures.md": {"frames=40": "frames=5", "--steps 500": "--steps 20"},
    "docs/networks.md": {"draws=100_000": "draws=1000", "draws=64": "draws=2", "steps=1440": "steps=144"},
}
# files that a page takes for granted
GIVEN = {"my_sweep.toml": Path(fastneuron.__file__).parent / "specs" / "inverter.toml"}


@dataclass
class Block:
    """A fenced block, or one command of a console block, with the output that the page shows for it."""

    language: str
    line: int  # of the fence or the command, counted from 1
    code: str
    shown: str | None = None


def blocks(text: str) -> list[Block]:
    """All that can run on a page, in order."""
    found: list[Block] = []
    fence = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    end = 0
    for match in fence.finditer(text):
        language, code = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        below = not text[end : match.start()].strip()
        end = match.end()
        if language == "python":
            found.append(Block(language, line, code))
        elif language == "console":
            found += commands(code, line)
        elif language == "text" and below and found and found[-1].language == "python":
            found[-1].shown = code
    return found


def commands(code: str, line: int) -> list[Block]:
    """The commands of a console block: each begins with a dollar, its output follows."""
    found = []
    for match in re.finditer(r"^\$ (.*(?:(?<=\\)\n.*)*)\n((?:(?!\$ ).*\n)*)", code, re.MULTILINE):
        found.append(
            Block("console", line + 1 + code.count("\n", 0, match.start()), match[1], match[2] or None)
        )
    return found


def pages() -> dict[str, list[Block]]:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = {path.relative_to(ROOT).as_posix(): blocks(path.read_text()) for path in files}
    return {name: its for name, its in found.items() if its and not name.startswith("docs/_build/")}


PAGES = pages()


def prepared(page: str) -> list[Block]:
    """The blocks of a page that run here, smaller where they must be."""
    ready = []
    for block in PAGES[page]:
        if any(part in block.code for part in ELSEWHERE):
            continue
        code, shown = block.code, block.shown
        for part, smaller in SMALLER.get(page, {}).items():
            if part in code:
                code, shown = code.replace(part, smaller), None
        ready.append(Block(block.language, block.line, code, shown))
    return ready


@pytest.fixture(scope="module")
def sessions() -> Iterator[Forks]:
    """Where pages run."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with Forks(
        "page_session:run", LOADED, "-W", "error", PATH=path, MPLBACKEND="Agg", COLUMNS="200"
    ) as forks:
        yield forks


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_shows(page: str, tmp_path: Path, sessions: Forks) -> None:
    for name, source in GIVEN.items():
        (tmp_path / name).write_text(source.read_text())
    ready = prepared(page)
    given = [(block.language, block.line, block.code) for block in ready]
    done = sessions.call(tmp_path, str(ROOT / page), given)
    printed = re.split(f"{MARK}(\\d+){MARK}", done.stdout)
    assert done.returncode == 0, f"{page}: {done.stderr}"
    for block, output, code in zip(ready, printed[::2], printed[1::2], strict=False):
        where = f"{page}, line {block.line}: {block.code}"
        refused = "fastneuron: error:" in (block.shown or "")
        assert (code != "0") == refused, f"{where}\nended with {code}: {output}"
        if block.shown is not None and block.language == "python":
            assert steady(output) == steady(block.shown), where
        elif block.shown is not None:
            missing = first_missing(steady(output), steady(block.shown))
            assert missing is None, f"{where}\nshows: {missing}\nbut there was: {output}"


def first_missing(output: str, shown: str) -> str | None:
    """The first of the lines shown that was not printed, in this order; lines may be broken elsewhere."""
    rest = " ".join(output.split())
    for line in filter(None, (" ".join(line.split()) for line in shown.splitlines())):
        _, found, rest = rest.partition(line)
        if not found:
            return line
    return None


def steady(text: str) -> str:
    """Text without what differs from machine to machine: times, sizes, speeds, threads."""
    unit = r"(?: million)? (?:ms|s|min|h|B|KiB|MiB|GiB|threads?|steps per second)\b"
    return re.sub(rf"\b\d[\d.,]*({unit})", r"N\1", "\n".join(line.rstrip() for line in text.splitlines()))


def test_every_exception_is_of_a_block_that_there_is() -> None:
    everything = [block.code for its in PAGES.values() for block in its]
    assert [part for part in ELSEWHERE if not any(part in code for code in everything)] == []
    for page, parts in SMALLER.items():
        assert [part for part in parts if not any(part in block.code for block in PAGES[page])] == [], page


def test_blocks_are_found_with_their_outputs() -> None:
    fences = [
        "# A\n```python\na\n```\n\n```text\n1\n```\n",
        "words\n```text\n2\n```\n",
        "```console\n$ b \\\n  c\n3\n\n4\n$ d\n```\n",
    ]
    page = "".join(fences)
    assert [(block.language, block.line, block.code, block.shown) for block in blocks(page)] == [
        ("python", 2, "a\n", "1\n"),
        ("console", 14, "b \\\n  c", "3\n\n4\n"),
        ("console", 19, "d", None),
    ]


def test_output_that_differs_is_noticed() -> None:
    assert first_missing("wrote a.png\n12 starts in 3 s\n", "12 starts\n") is None
    assert first_missing("one\ntwo\n", "two\n\none\n") == "one"
    assert steady("12 starts in 1.5 s on 2 threads, 7.0 MiB") == steady(
        "12 starts in 20 s on 1 threads, 8 MiB"
    )
    assert steady("reached 12.44%, 131 starts") != steady("reached 12.45%, 131 starts")
