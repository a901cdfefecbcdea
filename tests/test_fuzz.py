"""Odd paths, words, environments and arrays: there is a result, or one line.

In the suite, a small sample that is the same each time. By hand, as long as one likes, each round with other
random numbers, of what is found the call that repeats it:

    python tests/test_fuzz.py --hours 1

A command may end with 0 and a result; with 2, or 1 where the machine fails, and one line on standard error,
and nothing left behind but what it says that it wrote. A function may give a result, or a ValueError,
TypeError or OSError with a message of one line that the package itself raises.
"""

from __future__ import annotations

import argparse
import array
import atexit
import collections
import contextlib
import datetime
import decimal
import fractions
import functools
import io
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from PIL import Image

import fastneuron as fn
from fastneuron.cli.main import main
from fastneuron.fingerprint import PACKAGE

SECONDS = 60  # that a call may take


class Hang(BaseException):
    """A call that has not come to an end; with where it was."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Within, what takes too long is a `Hang`."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang("".join(traceback.format_stack(frame)[-12:]))

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# a folder of odd paths

MADE = {"map.zarr", "map.png", "curve.png"}  # by commands of ours, so that some paths are right
ODD_WORDS = [
    "",
    " ",
    "-",
    "--",
    ".",
    "..",
    "~",
    "~/x",
    "~nobody/x",
    "\n",
    "\x1b[31m",
    "\udcff",
    "ü",
    "٣",
    "\x9b",
]
ODD_NUMBERS = ["0", "1", "-1", "3", "1.5", "nan", "-inf", "1e999", "9" * 400, "0x10", "1_0", "²", *ODD_WORDS]


def lay_out(folder: Path) -> None:
    """Files and folders of all kinds, and no more than that."""
    with inside(folder):
        assert call(["map", "--points", "2", "--set", "stop.max_steps=2", "--name", "map"])[0] == 0
        assert call(["respond", "--weight", "1", "--bias", "1", "--out", "curve.png"])[0] == 0
    (folder / "good.toml").write_bytes(call(["spec", str(folder / "map.png")])[1].encode())
    (folder / "spec.toml").write_text(
        'task = { name = "inverter" }\noptimizer = { name = "gradient_descent", learning_rate = 1 }\n'
        "axes = { weight = [0, 1] }\nstop = { max_steps = 2 }\n"
    )
    (folder / "evil.toml").write_text('task = { name = "\\u001b]0;x\\u0007" }\n"\\u001b[2J" = 1\n')
    (folder / "latin.toml").write_bytes(b'task = { name = "\xe9" }\n')
    (folder / "deep.toml").write_text(f"x = {'[' * 3000}")
    (folder / "text").write_text("a,b\n1,2\n")
    for suffix in ("toml", "png", "svg", "gif", "pdf", "mp4", "csv", "npy", "zarr", "nc"):
        (folder / f"empty.{suffix}").write_bytes(b"")
        (folder / f"folder.{suffix}").mkdir()
        os.mkfifo(folder / f"pipe.{suffix}")
        (folder / f"loop.{suffix}").symlink_to(f"loop.{suffix}")
        (folder / f"gone.{suffix}").symlink_to("nowhere")
        (folder / f"zero.{suffix}").symlink_to("/dev/zero")
        (folder / f"full.{suffix}").symlink_to("/dev/full")
        (folder / f"memory.{suffix}").symlink_to("/proc/self/mem")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as end, inside(folder):
            end.bind(f"socket.{suffix}")
    (folder / "huge.png").write_bytes(_png(60_000, 60_000))
    (folder / "large.png").write_bytes(_png(12_000, 9_000))
    (folder / "cut.png").write_bytes((folder / "map.png").read_bytes()[:500])
    (folder / "code.svg").write_bytes(b'<?xml version="1.0" encoding="klingon"?><svg/>')
    (folder / "entities.svg").write_bytes(
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><svg>&c;</svg>'
    )
    (folder / "mark.pdf").write_bytes(b"%PDF-1.4 fastneuron-spec:////")
    (folder / "escape.png").write_bytes(_commented())
    (folder / "shape.npy").write_bytes(
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999,)}")
    )
    (folder / "code.npy").write_bytes(_npy("__import__('os').abort()"))
    (folder / "table.csv").write_text("0,1\n1,0\n")
    for name in ("a b", "new\nline", "\x1b[2J", "ü", os.fsdecode(b"\xff"), "-x", "%s", "{0}"):
        (folder / f"{name}.toml").write_bytes((folder / "spec.toml").read_bytes())


def _png(width: int, height: int) -> bytes:
    """The beginning of a picture of that size."""
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = b"IHDR" + sides + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\r" + head + zlib.crc32(head).to_bytes(4, "big")


def _commented() -> bytes:
    """A picture of a stranger whose comment would change a terminal."""
    from PIL.PngImagePlugin import PngInfo

    info, file = PngInfo(), io.BytesIO()
    info.add_text("fastneuron", "[task]\n\x1b]0;owned\x07")
    Image.new("L", (1, 1)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def _npy(header: str) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


STEMS = [
    "empty",
    "folder",
    "pipe",
    "loop",
    "gone",
    "zero",
    "full",
    "memory",
    "socket",
    "missing",
    "map",
    "good",
]
STEMS += [
    "spec",
    "evil",
    "latin",
    "deep",
    "huge",
    "large",
    "cut",
    "code",
    "entities",
    "mark",
    "escape",
    "shape",
]
STEMS += [
    "table",
    "curve",
    "a b",
    "new\nline",
    "\x1b[2J",
    "ü",
    "\udcff",
    "-x",
    "%s",
    "{0}",
    "x" * 251,
    "ü" * 120,
]


def paths(*suffixes: str) -> st.SearchStrategy[str]:
    """Paths of which some lead to a file with such an ending."""
    named = st.builds(lambda stem, suffix: stem + suffix, st.sampled_from(STEMS), st.sampled_from(suffixes))
    places = st.sampled_from(
        ["", "", "", "./", "folder.csv/", "text/", "missing/", "../", "//", "~/", "loop.csv/"]
    )
    devices = [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/proc/self/mem",
        "/proc/kmsg",
        "/proc/self",
        "/",
        "text",
    ]
    odd = st.sampled_from([*devices, *ODD_WORDS, "x" * 5000, "a/" * 2000, "file:///x", "s3://a/b", "zip://x"])
    return st.one_of(st.builds(lambda a, b: a + b, places, named), named, odd)


# words of the commands

PICTURES = (".png", ".svg", ".pdf", ".gif", ".mp4", ".txt")
numbers = st.sampled_from(ODD_NUMBERS)
names = st.one_of(st.sampled_from(["sigmoid", "adam", "nand", "huber", "l2", "x:y", "os:path"]), numbers)
inside_names = st.sampled_from(["a", "ü", "a b", "x" * 300, "a/b", "\x00", *ODD_WORDS])  # stay in the folder
KEYS = [
    "optimizer.name",
    "optimizer.learning_rate",
    "axes.weight",
    "axes.gain",
    "stop.max_period",
    "task.name",
]
KEYS += [
    "task.x",
    "task.csv",
    "model.activation",
    "model.sizes",
    "start.bias",
    "seed",
    "draws",
    "dtype",
    "loss",
]
KEYS += [
    "penalty.name",
    "batch.size",
    "record.a.name",
    "picture.kind",
    "picture.most",
    "picture.title",
    "x.y",
]
VALUES = [
    "1",
    "0",
    "-1",
    "nan",
    "[]",
    "[1]",
    "[1, 2]",
    "{}",
    "'x'",
    "{ linspace = [0, 1, 2] }",
    "[[1]]",
    "true",
]
VALUES += [
    "adam",
    "steps",
    "[1",
    "{ normal = [0, 1] }",
    "'table.csv'",
    "'/dev/zero'",
    "'pipe.csv'",
    "float32",
]
overrides = st.builds(
    lambda key, value: f"{key}={value}",
    st.sampled_from([*KEYS, *ODD_WORDS]),
    st.sampled_from([*VALUES, *ODD_WORDS]),
)


Options = dict[str, st.SearchStrategy[str] | None]


def words(
    command: str, arguments: list[tuple[str, st.SearchStrategy[str]]], options: Options, *usual: str
) -> st.SearchStrategy[list[str]]:
    """The words of a command: what is `usual`, but one or two options, and perhaps arguments, are odd."""

    @st.composite
    def drawn(draw: st.DrawFn) -> list[str]:
        line = [command]
        for good, odd in arguments:
            given = draw(
                st.sampled_from(["good", "odd", "odd", "none" if draw(st.integers(0, 4)) == 4 else "good"])
            )
            line += {"none": [], "good": [good]}.get(given) or ([draw(odd)] if given == "odd" else [])
        chosen = draw(st.lists(st.sampled_from(sorted(options)), max_size=2, unique=True))
        rest = list(usual)
        while rest:
            option = rest.pop(0)
            values = []
            while rest and not rest[0].startswith("--"):
                values.append(rest.pop(0))
            if option not in chosen or option == "--set":
                line += [option, *values]
        for option in chosen:
            value = options[option]
            line += [option] if value is None else [option, draw(value)]
        return line

    return drawn()


SHORT = ["--points", "2", "--set", "stop.max_steps=2"]
WEIGHT = ["--weight", "1", "--bias", "1"]
FLAGS: Options = {"--json": None, "--quiet": None}
stores = paths(".zarr", ".zarr", ".toml")
odd_points = st.sampled_from(["0", "-1", "x", "1e3", "9" * 30, *ODD_WORDS])
MAP: Options = FLAGS | {"--set": overrides, "--name": inside_names, "--keep": names, "--threads": numbers}
MAP |= {"--memory": numbers, "--points": odd_points, "--overwrite": None, "--dry-run": None}
MAP |= {"--out": st.sampled_from(["folder.nc", "text", "loop.csv", "new", "/dev/null", "/proc/x", "x" * 300])}
DESCEND: Options = FLAGS | {
    "--weight": numbers,
    "--bias": numbers,
    "--task": names,
    "--x": numbers,
    "--y": numbers,
}
DESCEND |= {"--activation": names, "--loss": names, "--optimizer": names, "--learning-rate": numbers}
DESCEND |= {"--momentum": numbers, "--penalty": names, "--strength": numbers, "--set": overrides}
DESCEND |= {"--out": paths(".png", ".svg", ".txt"), "--steps": st.sampled_from(["0", "-1", "1.5", "9" * 30])}
NETWORKS = ["2-1", "2-3-1", "1", "0-1", "x", "9" * 30 + "-1", "-1--1", *ODD_WORDS]
commands = st.one_of(
    words(
        "map", [("spec.toml", paths(".toml", ".csv"))], {"--set": overrides, "--name": inside_names}, *SHORT
    ),
    words("map", [], MAP, *SHORT),
    words(
        "respond",
        [],
        {"--json": None, "--weight": numbers, "--bias": numbers, "--at": numbers, "--gain": numbers}
        | {"--activation": names, "--out": paths(*PICTURES)},
        *WEIGHT,
    ),
    words(
        "respond",
        [],
        {
            "--network": st.sampled_from(NETWORKS),
            "--image": paths(*PICTURES, ".csv", ".npy"),
            "--seed": numbers,
        }
        | {"--scale": names, "--json": None, "--out": paths(*PICTURES)},
        *["--network", "2-1", "--image", "black", "--draws", "3"],
    ),
    words("descend", [("spec.toml", paths(".toml"))], DESCEND, "--steps", "2"),
    words("descend", [], DESCEND, "--steps", "2"),
    words("plot", [("map.zarr", stores)], {"--kind": names, "--out": paths(*PICTURES), "--set": overrides}),
    words("status", [("map.zarr", stores)], {"--json": None}),
    words("verify", [("map.zarr", stores)], FLAGS | {"--repair": None, "--threads": numbers}),
    words("export", [("map.zarr", stores), ("new.nc", paths(".nc", ".csv", ".txt"))], {"--quiet": None}),
    words("spec", [("map.png", paths(*PICTURES))], {"--json": None}),
    words(
        "figure",
        [("inverter", names)],
        {"--format": names, "--set": overrides},
        "--points",
        "0",
        "--out",
        "a.b",
    ),
    words("tasks", [], {"--json": None, "--nope": None}),
    st.lists(st.sampled_from(["--help", "--version", "-h", "map", *ODD_WORDS]), max_size=2).filter(
        lambda line: line[:1] != ["map"] or len(line) > 1 and line[1] in ("--help", "-h", "--version")
    ),
)


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Within, `folder` is the current one, and home."""
    with contextlib.chdir(folder):
        before = os.environ.get("HOME")
        os.environ["HOME"] = str(folder)
        try:
            yield
        finally:
            os.environ.pop("HOME")
            if before is not None:
                os.environ["HOME"] = before


def call(line: list[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of a command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), limited():
        code = main(line)
    return code, *(stream.buffer.getvalue().decode() for stream in (out, err))


def tree(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder, and in the folders in it that are no maps."""
    found: dict[str, bytes | None] = {}
    for path in sorted(folder.iterdir()):
        regular = path.is_file() and not path.is_symlink()
        found[path.name] = path.read_bytes() if regular and path.stat().st_size < 10**6 else None
        if path.is_dir() and not path.is_symlink() and path.suffix != ".zarr":
            found |= {f"{path.name}/{name}": data for name, data in tree(path).items()}
    return found


def check_end(shown: str, code: int, out: str, err: str) -> None:
    """How a command may end."""
    note(f"repeat: {shown}")
    lines = err.splitlines()
    told = f"{shown}\nexit code {code}\n{err[-3000:]}"
    assert code in (0, 1, 2), told
    assert not (code and out and not out.startswith(("tile", "array", "map.zarr"))), told
    assert code == 0 or (len(lines) == 1 and lines[0].startswith("fastneuron: ")) or out, told
    assert code or not err, told
    assert all(c.isprintable() or c in "\t\n" for c in out + err), f"{shown}\nprints {out + err!r}"


def check_command(line: list[str]) -> None:
    """A command in a folder of odd paths; if it works, once more, where what it wrote is there."""
    with tempfile.TemporaryDirectory() as name, inside(Path(name)):
        folder = Path(name)
        copy_layout(folder)
        shown = f"cd FOLDER; fastneuron {shlex.join(line)}"
        for _ in range(2):
            before = tree(folder)
            try:
                code, out, err = call(line)
            except Hang as hang:
                raise AssertionError(f"{shown}\ntakes longer than {SECONDS} s\n{hang}") from hang
            except Exception as error:
                raise AssertionError(f"{shown}\n{traceback.format_exc()[-3000:]}") from error
            check_end(shown, code, out, err)
            after = tree(folder)
            if code:
                assert set(after) == set(before), f"{shown}\nleaves {sorted(set(after) ^ set(before))}"
                changed = [path for path in before if after[path] != before[path]]
                assert not changed, f"{shown}\nhas changed {changed}"
            hidden = [path for path in set(after) - set(before) if Path(path).name.startswith(".")]
            assert not [path for path in hidden if path not in line], f"{shown}\nleaves {hidden}"
            if code:
                break


@functools.cache
def layout() -> Path:
    """The folder of odd paths, made once; a command gets a copy."""
    folder = Path(tempfile.mkdtemp(prefix="fastneuron-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lay_out(folder)
    return folder


def copy_layout(folder: Path) -> None:
    subprocess.run(["cp", "-a", f"{layout()}/.", str(folder)], check=True)


# environments of processes

NUMBERS = ["0", "-1", "1", "x", "", "9" * 400]
FOLDERS = ["", "here", "/dev/null", "/proc/x", "/nowhere", "~", "/tmp/\udcff", "x" * 300]
ENVIRONMENT = {
    "COLUMNS": NUMBERS,
    "LINES": NUMBERS,
    "TERM": ["", "dumb", "nonsense"],
    "LANG": ["C", "xx_XX"],
    "PYTHONIOENCODING": ["ascii", "latin-1"],
    "HOME": FOLDERS,
    "TMPDIR": FOLDERS,
    "NUMBA_CACHE_DIR": ["/dev/null", "/proc/x"],
    "XDG_CACHE_HOME": FOLDERS,
    "XDG_CONFIG_HOME": FOLDERS,
    "MPLCONFIGDIR": ["/dev/null", "/proc/x", "/nowhere"],
    "MPLBACKEND": ["module://matplotlib_inline.backend_inline", "x", "", "qtagg"],
    "MATPLOTLIBRC": ["text", "/dev/null", "here"],
    "PYTHONWARNINGS": ["error", "default", "always"],
    "PYTHONOPTIMIZE": ["1", "2"],
    "PYTHONUTF8": ["0", "1"],
    "NO_COLOR": ["1", ""],
    "FORCE_COLOR": ["1", ""],
    "SOURCE_DATE_EPOCH": NUMBERS,
    "NUMBA_NUM_THREADS": NUMBERS,
    "NUMBA_DISABLE_JIT": NUMBERS,
    "NUMBA_OPT": NUMBERS,
    "NUMBA_CPU_NAME": ["x", "generic", ""],
    "NUMBA_CPU_FEATURES": ["x", "+x", ""],
    "NUMBA_ENABLE_CUDASIM": NUMBERS,
    "TZ": ["x", ""],
    "PATH": ["", "/nowhere"],
}
environments = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in ENVIRONMENT.items()}
)
streams = st.sampled_from(
    ["", "<&-", "2>&-", ">&-", ">&- 2>&-", ">/dev/full", "2>/dev/full", "| head -c 1", "<&- 2>&-"]
)
places = st.sampled_from(["", "", "", "mkdir gone; cd gone; rmdir ../gone;", "echo '{' > matplotlibrc;"])
lines = st.sampled_from(
    [
        "--help",
        "map --help",
        "--version",
        "tasks",
        "info --json",
        "map --points 2 --set stop.max_steps=2",
        "respond --weight 1 --bias 1 --out a.png",
        "descend --steps 2 --out a.svg",
        "status nowhere.zarr",
        "figure",
    ]
)
MAY_BE_LEFT = {"matplotlibrc", "inverter.zarr", "inverter.png", "a.png", "a.svg"}


def check_process(line: str, place: str, stream: str, variables: dict[str, str]) -> None:
    """A command as a process in odd surroundings."""
    with tempfile.TemporaryDirectory() as name:
        # a few minutes of compiling are no finding
        usual = {"NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "")}
        environment = os.environ | ({} if "NUMBA_CACHE_DIR" in variables else usual) | variables
        code = f'{place} "{sys.executable}" -m fastneuron {line} {stream}'
        setting = " ".join(f"{key}={shlex.quote(value)}" for key, value in variables.items())
        shown = f"{setting} bash -c {shlex.quote(code)}"
        try:
            done = subprocess.run(
                ["/bin/bash", "-c", code],
                cwd=name,
                env=environment,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=2 * SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{shown}\ntakes longer than {2 * SECONDS} s") from None
        err = done.stderr.decode(errors="backslashreplace")
        err = "".join(part for part in err.splitlines(True) if "head: " not in part and "bash: " not in part)
        silent = "2>" in stream
        told = f"{shown}\nexit code {done.returncode}\n{err[-3000:]}"
        assert done.returncode in ((0, 1, 2, 127) if "|" in stream else (0, 1, 2)), told
        assert "Traceback" not in err and len(err.splitlines()) <= 1, told
        assert done.returncode == 0 or silent or "|" in stream or err.startswith("fastneuron: "), told
        assert done.returncode or not err or "|" in stream, told
        left = set(os.listdir(name)) - MAY_BE_LEFT
        assert not left, f"{shown}\nleaves {sorted(left)}"


# arrays


class Sub(np.ndarray):
    """An array of another class."""


class Fails:
    """What says that it is an array, and is none."""

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise RuntimeError("no\narray")


class Texts(Fails):
    """An array, but of texts."""

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        return np.array(["a", "b"])


def _mapped(values: list[float]) -> np.ndarray:
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, np.float64, "w+", shape=(len(values),))
    mapped[:] = values
    return mapped


def _locked(values: list[float]) -> np.ndarray:
    locked = np.array(values)
    locked.flags.writeable = False
    return locked


def _strided(values: list[float], step: int) -> np.ndarray:
    return (
        np.repeat(values, abs(step))[::step][:: 1 if step > 0 else -1]
        if step > 0
        else np.array(values[::-1])[::-1]
    )


# the numbers 0 and 1 as they are
PLAIN: dict[str, Callable[[], Any]] = {
    "list": lambda: [0.0, 1.0],
    "tuple": lambda: (0, 1),
    "float64": lambda: np.array([0.0, 1.0]),
    "float32": lambda: np.array([0, 1], np.float32),
    "float16": lambda: np.array([0, 1], np.float16),
    "longdouble": lambda: np.array([0, 1], np.longdouble),
    "big-endian": lambda: np.array([0, 1], ">f8"),
    "int8": lambda: np.array([0, 1], np.int8),
    "uint64": lambda: np.array([0, 1], np.uint64),
    "read-only": lambda: _locked([0.0, 1.0]),
    "memmap": lambda: _mapped([0.0, 1.0]),
    "subclass": lambda: np.array([0.0, 1.0]).view(Sub),
    "every other one": lambda: _strided([0.0, 1.0], 2),
    "backward": lambda: _strided([0.0, 1.0], -1),
    "NumPy numbers": lambda: [np.float64(0), np.int8(1)],
}
# the same to whom takes them
LIKE: dict[str, Callable[[], Any]] = {
    "masked, nothing masked": lambda: np.ma.masked_array([0.0, 1.0], mask=[False, False]),
    "objects": lambda: np.array([0, 1.0], object),
    "range": lambda: range(2),
    "array": lambda: array.array("d", [0.0, 1.0]),
    "memoryview": lambda: memoryview(array.array("d", [0.0, 1.0])),
    "deque": lambda: collections.deque([0.0, 1.0]),
    "DataArray": lambda: xr.DataArray([0.0, 1.0], dims="a", coords={"a": [5, 6]}),
    "Series": lambda: pd.Series([0.0, 1.0], index=[7, 3]),
    "Index": lambda: pd.Index([0.0, 1.0]),
}
# what has a number missing, or is none
WRONG: dict[str, Callable[[], Any]] = {
    "masked": lambda: np.ma.masked_array([0.0, 1.0], mask=[False, True]),
    "masked -999": lambda: np.ma.masked_equal([0.0, -999.0], -999.0),
    "all masked": lambda: np.ma.masked_all(2),
    "masked in a list": lambda: [0.0, np.ma.masked],
    "masked Series": lambda: pd.Series([0, None], dtype="Int64"),
    "NaN": lambda: np.array([0.0, np.nan]),
    "NaN in a list": lambda: [0.0, float("nan")],
    "infinite": lambda: np.array([0.0, np.inf]),
    "float32 infinite": lambda: np.array([0.0, -np.inf], np.float32),
    "None": lambda: [0.0, None],
    "NaN in a DataArray": lambda: xr.DataArray([0.0, np.nan]),
    "NaN in a Series": lambda: pd.Series([0.0, np.nan]),
    "NaN among objects": lambda: np.array([0.0, np.nan], object),
    "beyond float64": lambda: np.array([0, 1], np.longdouble) * np.longdouble("1e400"),
    "whole number without end": lambda: [0, 10**400],
    "complex": lambda: np.array([0.0, 1.0 + 1.0j]),
    "texts": lambda: np.array(["0", "x"]),
    "text": lambda: "01",
    "bytes": lambda: b"01",
    "structured": lambda: np.zeros(2, [("a", "f8"), ("b", "i4")]),
    "records": lambda: np.rec.array([(0.0,), (1.0,)], names="a"),
    "datetime64": lambda: np.array(["2000-01-01", "2000-01-02"], "datetime64[D]"),
    "timedelta64": lambda: np.array([0, 1], "timedelta64[s]"),
    "dates": lambda: [datetime.date(2000, 1, 1)] * 2,
    "Timestamps": lambda: pd.Series(pd.to_datetime(["2000-01-01", "2000-01-02"])),
    "categories": lambda: pd.Series(["a", "b"], dtype="category"),
    "void": lambda: np.zeros(2, "V8"),
    "ragged": lambda: [[0.0], [1.0, 2.0]],
    "ragged objects": lambda: np.array([[0.0], [1.0, 2.0]], object),
    "dict": lambda: {"a": 0.0, "b": 1.0},
    "set": lambda: {0.0, 1.0},
    "object": object,
    "no array": Fails,
    "array of texts": Texts,
    "class": lambda: float,
    "function": lambda: len,
}
# either will do, if with one line
OTHER: dict[str, Callable[[], Any]] = {
    "bool": lambda: np.array([False, True]),
    "bools": lambda: [False, True],
    "decimals": lambda: [decimal.Decimal(0), decimal.Decimal(1)],
    "fractions": lambda: [fractions.Fraction(0), fractions.Fraction(1)],
    "texts of numbers": lambda: np.array(["0", "1"]),
    "0-d": lambda: np.array(1.0),
    "number": lambda: 1.0,
    "whole number": lambda: 10**400,
    "None": lambda: None,
    "nothing": lambda: [],
    "empty": lambda: np.empty((0, 1)),
    "empty rows": lambda: [[], []],
    "matrix": lambda: np.array([[0.0], [1.0]]),
    "four dimensions": lambda: np.zeros((2, 1, 1, 1)),
    "wide": lambda: np.zeros((2, 3)),
    "generator": lambda: (x for x in (0.0, 1.0)),
    "DataFrame": lambda: pd.DataFrame({"a": [0.0, 1.0]}),
    "Dataset": lambda: xr.Dataset({"a": ("x", [0.0, 1.0])}),
    "0-d DataArray": lambda: xr.DataArray(1.0),
    "2-d DataArray": lambda: xr.DataArray([[0.0], [1.0]], dims=("a", "b")),
    "tiny": lambda: np.array([0.0, 5e-324]),
    "large": lambda: np.array([0.0, 1.7e308]),
    "-1": lambda: [-1, -1],
    "nested": lambda: [[[[[[0.0]]]]], 1.0],
    "self": lambda: _self_containing(),
}
ARRAYS = {
    f"{group}: {name}": make
    for group, kinds in (("plain", PLAIN), ("like", LIKE), ("wrong", WRONG), ("other", OTHER))
    for name, make in kinds.items()
}


def _self_containing() -> list[Any]:
    itself: list[Any] = [0.0]
    itself.append(itself)
    return itself


NETWORK = fn.Network((1, 2, 1))
DESCENT: dict[str, Any] = {"loss": fn.SquaredError(), "optimizer": fn.GradientDescent(1.0)}


def _swept(**options: Any) -> fn.Sweep:
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(1.0), "stop": fn.Stop(max_steps=2)}
    return fn.Sweep(**(given | options))


def _numbers(found: xr.Dataset) -> list[Any]:
    return [found[name].values.tolist() for name in sorted(found.data_vars)]


def _network_start(given: Any) -> list[float]:
    swept = _swept(
        model=NETWORK, axes={"layer0.bias[0]": [0.0]}, start={"layer1.bias": 0.0, "layer0.bias": given}
    )
    return np.ravel(swept.start["layer0.bias"]).tolist()


# the places that take arrays; each gives plain values, to be compared
PLACES: dict[str, Callable[[Any], Any]] = {
    "fn.Task(ARRAY, [0, 1]).x.tolist()": lambda a: fn.Task(a, [0, 1]).x.tolist(),
    "fn.Task([0, 1], ARRAY).y.tolist()": lambda a: fn.Task([0, 1], a).y.tolist(),
    "fn.Sweep(..., axes={'weight': ARRAY})": lambda a: (
        _swept(axes={"weight": a}).axes["weight"].values().tolist()
    ),
    "fn.Sweep(..., axes={'strength': ARRAY})": lambda a: (
        _swept(penalty=fn.L2(1.0), axes={"strength": a}).axes["strength"].values().tolist()
    ),
    "fn.Sweep(Network, ..., start={'layer0.bias': ARRAY})": _network_start,
    "fn.descend(..., start={'weight': ARRAY}, steps=1)": lambda a: _numbers(
        fn.descend(fn.tasks.inverter(), fn.Neuron(), **DESCENT, start={"weight": a}, steps=1)
    ),
    "fn.forward(fn.Neuron(), {'weight': ARRAY}, [0])": lambda a: np.asarray(
        fn.forward(fn.Neuron(), {"weight": a}, [0])
    ).tolist(),
    "fn.forward(fn.Neuron(), {'weight': 1.0}, ARRAY)": lambda a: np.asarray(
        fn.forward(fn.Neuron(), {"weight": 1.0}, a)
    ).tolist(),
    "fn.activity(Network, [[0]], edges=ARRAY, draws=2)": lambda a: _numbers(
        fn.activity(NETWORK, [[0.0]], edges=a, draws=2, progress=False)
    ),
    "fn.measures.fractions(ARRAY)": lambda a: list(fn.measures.fractions(a).values()),
    "fn.measures.intervals(ARRAY)": lambda a: list(fn.measures.intervals(a).values()),
}
NOT_FLOAT = {"float16", "float32"}  # whose dtype is that of the result, so that its numbers differ


def check_array(place: str, kind: str) -> None:
    """A call with an array of a kind."""
    shown = f"{place}  with ARRAY = {kind}"
    note(f"repeat: {shown}")
    group, name = kind.split(": ", 1)
    try:
        with limited():
            result = PLACES[place](ARRAYS[kind]())
    except Hang as hang:
        raise AssertionError(f"{shown}\ntakes longer than {SECONDS} s\n{hang}") from hang
    except (ValueError, TypeError, OSError, MemoryError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        raised = Path(frames[-1].filename)
        told = f"{shown}\n{type(error).__name__} in {raised}: {error}"
        assert raised.is_relative_to(PACKAGE), told
        assert "\n" not in str(error) and str(error).strip(), told
        assert group != "plain", told
        return
    except Exception as error:
        raise AssertionError(f"{shown}\n{traceback.format_exc()[-2000:]}") from error
    assert group != "wrong", f"{shown}\ngives {str(result)[:300]}"
    if group in ("plain", "like") and name not in NOT_FLOAT:
        expected = PLACES[place](PLAIN["list"]())
        assert result == expected, f"{shown}\ngives {str(result)[:300]}, of a list {str(expected)[:300]}"


# tests

SUITE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PROPERTIES: dict[str, tuple[Callable[..., None], list[st.SearchStrategy[Any]]]] = {
    "commands": (check_command, [commands]),
    "processes": (check_process, [lines, places, streams, environments]),
    "arrays": (check_array, [st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(ARRAYS))]),
}
IN_SUITE = {"commands": 40, "processes": 4, "arrays": 300}
IN_ROUND = {"commands": 50, "processes": 5, "arrays": 500}


@pytest.mark.parametrize("name", PROPERTIES)
def test_there_is_a_result_or_one_line(name: str) -> None:
    check, strategies = PROPERTIES[name]
    settings(SUITE, max_examples=IN_SUITE[name])(given(*strategies)(check))()


# by hand


def fuzz(names: list[str], hours: float, number: int) -> int:
    """Rounds of examples until the time is over; prints each finding once and returns how many there are."""
    until = time.monotonic() + 3600 * hours
    findings: set[str] = set()
    rounds = collections.Counter[str]()
    while True:
        for name in names:
            check, strategies = PROPERTIES[name]
            own = settings(SUITE, derandomize=False, max_examples=IN_ROUND[name])
            try:
                seed(number)(own(given(*strategies)(check)))()
            except AssertionError as error:
                text = str(error)
                key = text.partition("\n")[2][-300:] or text
                if key not in findings:
                    findings.add(key)
                    print(f"\n--- {name}, --seed {number}\n{text}", flush=True)
                if isinstance(error.__cause__, Hang):
                    print("\nended: what was cut off may hold locks that the next call would wait for")
                    return len(findings)
            rounds[name] += 1
            number += 1
            if time.monotonic() > until:
                told = ", ".join(f"{rounds[name]} rounds of {IN_ROUND[name]} {name}" for name in rounds)
                print(f"\n{told}: {len(findings)} findings", flush=True)
                return len(findings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=0.05, help="how long; the round under way is ended")
    parser.add_argument("--seed", type=int, default=None, help="of the first round; the next ones count up")
    parser.add_argument("--only", choices=PROPERTIES, help="fuzz these alone")
    given_ = parser.parse_args()
    first = random.randrange(2**31) if given_.seed is None else given_.seed
    sys.exit(min(1, fuzz([given_.only] if given_.only else list(PROPERTIES), given_.hours, first)))
