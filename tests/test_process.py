"""A command as a process in odd surroundings: it works, or ends with one line."""

from __future__ import annotations

import ast
import json
import os
import pty
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fastneuron.cli import printing
from fastneuron.fingerprint import PACKAGE
from fastneuron.kernels.cache import cache_folder

from .conftest import Run

DRAW = "respond --weight 1 --bias 1 --out a.png"


def shell(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, in which F is the command."""
    code = f'F() {{ "{sys.executable}" -m fastneuron "$@"; }}; {line}'
    environment = os.environ | variables
    return subprocess.run(
        ["bash", "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def check_one_line(done: subprocess.CompletedProcess[str], code: int, says: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("fastneuron: ") and done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# streams


def test_closed_output_is_refused_before_the_work(tmp_path: Path) -> None:
    check_one_line(shell("F map --points 2 >&-", tmp_path), 1, "standard output is closed")
    assert files(tmp_path) == []


def test_full_output_fails_with_one_line(tmp_path: Path) -> None:
    check_one_line(shell("F info --json >/dev/full", tmp_path), 1, "standard output: No space left on device")


def test_an_error_does_not_go_to_the_output_where_standard_error_is_closed(tmp_path: Path) -> None:
    for redirected in ("2>&-", "2>/dev/full"):
        done = shell(f"F map nowhere.toml {redirected}", tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_files_do_not_take_the_places_of_closed_streams(tmp_path: Path) -> None:
    done = shell(f"F {DRAW} <&- 2>&-", tmp_path)
    assert done.returncode == 0 and "threshold" in done.stdout
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    for words in ("--help", "map --help"):  # `test_cli` leaves one that computes
        done = shell(f"F {words} | head -1", tmp_path)
        assert len(done.stdout.splitlines()) == 1 and done.stderr == ""


def test_output_that_lacks_characters_escapes_them(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("map", "--points", "2", "--set", "stop.max_steps=2", "--name", "ü")
    assert code == 0 and "wrote ü.zarr" in out
    done = shell("F export ü.zarr ü.csv", tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "wrote \\xfc.csv" in done.stdout


# environment


@pytest.mark.parametrize("columns", ["0", "-5", "1", "2", "99999999", "1" * 400, "x", "", "\u00b2"])
def test_help_is_set_in_a_width_that_can_be_read(tmp_path: Path, columns: str) -> None:
    done = shell("F map --help", tmp_path, COLUMNS=columns, LINES=columns)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "--points" in done.stdout and 40 <= max(map(len, lines)) <= 1000


@pytest.mark.parametrize("size", [(0, 0), (1, 1)])
def test_help_on_a_terminal_without_a_width(tmp_path: Path, size: tuple[int, int]) -> None:
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "fastneuron", "map", "--help"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as child:
        os.close(theirs)
        text = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                got = os.read(ours, 4096)
            except OSError:  # how Linux tells the end
                break
            if not got:
                break
            text += got
        assert child.wait(timeout=60) == 0
    os.close(ours)
    assert b"--points" in text


@pytest.mark.parametrize(
    "variables",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONOPTIMIZE": "2", "LC_ALL": "C"}
        | {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        | {"HOME": "", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "here", "MPLCONFIGDIR": "/dev/null"},
        {"MPLBACKEND": "nonsense", "MATPLOTLIBRC": "matplotlibrc", "HOME": "here", "TMPDIR": "/nowhere"}
        | {"TERM": "nonsense", "NO_COLOR": "1", "FORCE_COLOR": "1"},
        {"PYTHONWARNINGS": "error", "SOURCE_DATE_EPOCH": "never", "MPLCONFIGDIR": "/proc/nowhere"},
    ],
    ids=lambda variables: "-".join(variables),
)
def test_what_other_programs_left_does_not_matter(tmp_path: Path, variables: dict[str, str]) -> None:
    """Variables are set together of which none hides what another does."""
    (tmp_path / "matplotlibrc").write_bytes(b"backend: nonsense\nlines.width: \xff\n")
    done = shell(f"F {DRAW}", tmp_path, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path) == ["a.png", "matplotlibrc"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("NUMBA_DISABLE_JIT", "1", "must be 0"),
        ("NUMBA_NUM_THREADS", "0", "must be a whole number of 1 or more, got '0'"),
        ("NUMBA_NUM_THREADS", "-2", "must be a whole number of 1 or more, got '-2'"),
        ("NUMBA_NUM_THREADS", "many", "must be a whole number of 1 or more, got 'many'"),
        ("NUMBA_OPT", "x", "0, 1, 2, 3, and 'max'"),
        ("NUMBA_CPU_NAME", "abacus", "'abacus' is not a recognized processor"),
        ("NUMBA_CPU_FEATURES", "avx2", "features with + or - before each"),
        ("NUMBA_CPU_FEATURES", "+beads", "'+beads' is not a recognized feature"),
        ("NUMBA_DEBUGINFO", "no", "cannot be read by Numba"),
    ],
)
def test_a_variable_with_which_numba_cannot_work_is_named(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    done = shell("F respond --weight 1 --bias 1", tmp_path, **{name: value})
    check_one_line(done, 2, f"environment variable {name} ")
    assert says in done.stderr and f"unset {name}" in done.stderr


@pytest.mark.parametrize("text", ["{{{", "num_threads: 0", "- 3", "disable_jit: 1"])
def test_a_wrong_file_of_numbas_settings_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / ".numba_config.yaml").write_text(text)
    check_one_line(shell("F respond --weight 1 --bias 1", tmp_path), 2, ".numba_config.yaml in the current")


def test_any_number_of_numbas_threads_will_do(tmp_path: Path) -> None:
    done = shell("F respond --weight 1 --bias 1", tmp_path, NUMBA_NUM_THREADS="9" * 30)
    assert (done.returncode, done.stderr) == (0, "")


def test_info_says_whether_kernels_can_be_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for place, writable in (("new/er", True), ("file", False), ("file/below", False), ("/proc/new", False)):
        monkeypatch.setenv("NUMBA_CACHE_DIR", place)
        assert json.loads(run("info", "--json")[1])["cache_writable"] is writable, place
    assert files(tmp_path) == ["file"]


def test_kernels_are_kept_in_no_relative_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in (
        {"XDG_CACHE_HOME": ""},
        {"XDG_CACHE_HOME": "here"},
        {"HOME": "", "XDG_CACHE_HOME": "a"},
    ):
        with monkeypatch.context() as within:
            for name, value in (variables | {"NUMBA_CACHE_DIR": ""}).items():
                within.setenv(name, value)
            folder = cache_folder()
        assert folder is not None and folder.is_absolute(), variables


@pytest.mark.parametrize("words", ["--help", "map", "info", "status a.zarr"])
def test_a_folder_that_is_gone_is_told_of(tmp_path: Path, words: str) -> None:
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; F {words}", tmp_path)
    check_one_line(done, 2, "the current folder cannot be used")


# signals


@pytest.mark.parametrize(
    ("seconds", "number"),
    [(0.1, signal.SIGINT), (0.1, signal.SIGTERM), (0.25, signal.SIGTERM), (0.5, signal.SIGINT)]
    + [(1.0, signal.SIGTERM)],
)
def test_an_interrupt_while_modules_are_loaded_is_one_line(
    tmp_path: Path, number: signal.Signals, seconds: float
) -> None:
    """The first tenth of a second is that of Python itself, before it has read a line of ours."""
    command = [sys.executable, "-m", "fastneuron", "map", "--set", "stop.max_steps=1000000"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:
        _wait_for_handler(child.pid, number)
        time.sleep(seconds - 0.1)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (128 + number, "")
    assert err.startswith("fastneuron: interrupted") and err.count("\n") == 1


def _wait_for_handler(process: int, number: int) -> None:
    """Until the process handles the signals as it wants to: SIGTERM is handled by nobody before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.002)
    raise AssertionError("the process never began")


# what is printed


def test_no_command_prints_but_through_what_makes_text_visible() -> None:
    for path in (PACKAGE / "cli").glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        named = [node.func.id for node in calls if isinstance(node.func, ast.Name)]
        assert path.name == "printing.py" or "print" not in named, path


def test_visible_text_is_the_same_document() -> None:
    text = "a\tb\n\x1b[31m\x7f\x9b\u202e\U000e0001\udcff é"
    assert printing.visible(text) == ("a\tb\n\\u001b[31m\\u007f\\u009b\\u202e\\U000e0001\\udcff é")
    assert json.loads(printing.visible(printing.document({"a": "\x1b\x7f"}))) == {"a": "\x1b\x7f"}


def test_escapes_of_a_terminal_are_not_printed(run: Run, tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x9b31m"
    (tmp_path / "spec.toml").write_text(
        f'task = {{ name = "a{evil[:-5]}b" }}\n'.replace("\x1b", "\\u001b").replace("\x07", "\\u0007")
    )
    for words in (
        ["map", "spec.toml"],
        ["map", f"{evil}.toml"],
        ["map", "--set", f"task.{evil}=1"],
        ["map", "--name", evil],
        ["plot", evil],
        ["status", evil],
        ["export", evil, f"{evil}.nc"],
        ["descend", "--task", evil],
        ["respond", "--network", "2-1", "--image", evil],
        ["figure", evil],
        [evil],
    ):
        code, out, err = run(*words)
        assert code == 2 and err.count("\n") == 1, words
        assert not set(out + err) & set("\x1b\x07\x9b"), words


def test_a_map_of_a_name_with_escapes_shows_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "\x1b[2J.toml").write_text(
        'task = { name = "inverter" }\noptimizer = { name = "gradient_descent", learning_rate = 1 }\n'
        "axes = { bias = [0, 1], weight = [0, 1] }\nstop = { max_steps = 2 }\n"
    )
    code, out, err = run("map", "\x1b[2J.toml")
    assert (code, err) == (0, "") and "wrote \\u001b[2J.zarr" in out and "\x1b" not in out


# files that are none


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with a pipe, a loop and links to devices for every ending."""
    for suffix in ("toml", "png", "csv", "npy", "nc", "zarr"):
        os.mkfifo(tmp_path / f"pipe.{suffix}")
        (tmp_path / f"loop.{suffix}").symlink_to(f"loop.{suffix}")
        (tmp_path / f"zero.{suffix}").symlink_to("/dev/zero")
        (tmp_path / f"full.{suffix}").symlink_to("/dev/full")
    return tmp_path


@pytest.mark.parametrize("stem", ["pipe", "loop", "zero"])
@pytest.mark.parametrize(
    "words", ["map .toml", "descend .toml", "spec .png", "status .zarr", "respond --network 2-1 --image .png"]
)
def test_what_is_no_file_is_not_read(run: Run, odd: Path, stem: str, words: str) -> None:
    code, out, err = run(*words.replace(".", f"{stem}.").split())
    assert (code, out, err.count("\n")) == (2, "", 1) and f"{stem}." in err


@pytest.mark.parametrize("suffix", ["csv", "npy"])
def test_numbers_are_read_from_files_alone(run: Run, odd: Path, suffix: str) -> None:
    code, _, err = run("respond", "--network", "2-1", "--image", f"pipe.{suffix}")
    assert code == 2 and f"pipe.{suffix} is a pipe, not a file" in err


@pytest.mark.parametrize("stem", ["pipe", "loop", "full"])
def test_what_is_no_file_is_not_replaced(run: Run, odd: Path, stem: str) -> None:
    before = sorted(odd.iterdir())
    code, _, err = run("respond", "--weight", "1", "--bias", "1", "--out", f"{stem}.png")
    assert (code, err.count("\n")) == (2, 1) and f"{stem}.png" in err
    assert sorted(odd.iterdir()) == before and not (odd / f"{stem}.png").is_file()


def test_a_spec_is_read_from_a_pipe_of_the_shell(run: Run, tmp_path: Path) -> None:
    text = (
        'task = { name = "inverter" }\noptimizer = { name = "gradient_descent", learning_rate = 1 }\n'
        "axes = { bias = [0, 1], weight = [0, 1] }\nstop = { max_steps = 2 }"
    )
    reads, writes = os.pipe()  # what a shell makes of <( )
    with open(writes, "w") as file:
        file.write(text)
    code, _, err = run("map", f"/dev/fd/{reads}", "--name", "piped")
    os.close(reads)
    assert (code, err) == (0, "") and files(tmp_path) == ["piped.png", "piped.zarr"]
    done = shell(f"echo '{text}' | F descend /dev/stdin --steps 1", tmp_path)
    assert done.returncode == 0, done.stderr


def _png_of(width: int, height: int) -> bytes:
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\r" + head + zlib.crc32(head).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("huge.png", _png_of(60_000, 60_000)),
        ("large.png", _png_of(12_000, 9_000)),
        ("endless.png", _png_of(2**31, 2**31)),
        ("code.svg", b'<?xml version="1.0" encoding="klingon"?><svg/>'),
        ("null.svg", b'<?xml version="1.0" encoding="\x00"?><svg/>'),
        ("mark.pdf", b"%PDF-1.4 fastneuron-spec:////"),
        ("head.gif", b"GIF89a"),
        ("nothing.png", b""),
    ],
)
def test_a_picture_of_a_stranger_ends_with_one_line(run: Run, tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    for words in (["spec", name], ["respond", "--network", "2-1", "--image", name]):
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (2, "", 1) and name in err


def test_what_a_picture_of_a_stranger_says_is_visible(run: Run, tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("fastneuron", '[task]\nname = "\x1b]0;owned\x07"')
    Image.new("L", (1, 1)).save(tmp_path / "a.png", pnginfo=info)
    assert run("spec", "a.png") == (0, '[task]\nname = "\\u001b]0;owned\\u0007"', "")
