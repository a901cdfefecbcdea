"""A component that was edited is never answered with an older result; one that was not is resumed.

What makes a map is a process of its own. What meets it later is another, or a command in this process, to
which the modules of the component are as new.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastneuron as fn
from fastneuron.cli.main import main
from fastneuron.fingerprint import PACKAGE

from .forks import Forks

SOFT = """
import fastneuron as fn
from soft_helpers import Base, outer

SHIFT = 0.0


@fn.component
class Soft(Base):
    gain: float = 1.0

    def value(self, z):
        return outer(self.gain * z) + fn.constant(z, SHIFT)
"""
HELPERS = """
import fastneuron as fn
import soft_deep
from soft_deep import inner


def outer(z):
    return inner(z)


class Base(fn.Activation):
    __slots__ = ()
    surrogate = True  # values are edited, and the slope is not

    def slope(self, z, a):
        return fn.constant(z, 1.0) / ((fn.constant(z, 1.0) + abs(z)) * (fn.constant(z, 1.0) + abs(z)))
"""
DEEP = """
import fastneuron as fn

SCALE = 1.0


def inner(z):
    return fn.constant(z, SCALE) * z / (fn.constant(z, 1.0) + abs(z))
"""
SOURCES = {"soft": SOFT, "soft_helpers": HELPERS, "soft_deep": DEEP}
EDITS = {
    "method": ("soft", "outer(self.gain * z)", "outer(self.gain + z)"),
    "constant": ("soft", "SHIFT = 0.0", "SHIFT = 0.1"),
    "default": ("soft", "gain: float = 1.0", "gain: float = 2.0"),
    "helper": ("soft_helpers", "return inner(z)", "return inner(z) + z"),
    "base class": ("soft_helpers", "return fn.constant(z, 1.0) /", "return fn.constant(z, 2.0) /"),
    "helper of a helper": ("soft_deep", "* z /", "* abs(z) /"),
    "constant of a helper": ("soft_deep", "SCALE = 1.0", "SCALE = 3.0"),
}
SET = ("--set", "model.activation=soft:Soft", "--points", "4", "--set", "stop.max_steps=20", "--quiet")
CHANGED = "the code of soft:Soft has changed since"
REFUSED = f"{CHANGED} (restore it to resume, or use another store)"


def write(folder: Path, **changes: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in (SOURCES | changes).items():
        (folder / f"{name}.py").write_text(text)
    return folder


def edited(name: str) -> dict[str, str]:
    module, before, after = EDITS[name]
    assert before in SOURCES[module]
    return {module: SOURCES[module].replace(before, after)}


def environment(*folders: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([*map(str, folders), str(PACKAGE.parent)]),
        "PYTHONDONTWRITEBYTECODE": "1",  # Python's own cache goes by the second
    }


def command(here: Path, *words: str, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A command of fastneuron in a process of its own, which finds modules in `path`."""
    whole = [sys.executable, "-m", "fastneuron", *words]
    return subprocess.run(whole, cwd=here, env=environment(*path), capture_output=True, text=True)


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def python() -> Iterator[Command]:
    """A function: code in a process of its own, which finds modules in the folders given."""
    loaded = ["dask.array", "fastneuron.cli.app", "fastneuron.engine.local", "fastneuron.plot", "warm"]
    # Python's own cache goes by the second
    with Forks("forks:python", loaded, "-W", "error", PYTHONDONTWRITEBYTECODE="1") as forks:
        yield lambda here, code, *folders: forks.call(here, code, [*map(str, folders)], {})


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A function as `command`, but in this process, which loads the modules of the component anew."""

    def call(here: Path, *words: str, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as within:
            within.chdir(here)
            within.setattr(sys, "dont_write_bytecode", True)
            within.setattr(sys, "path", [*map(str, path), *sys.path])
            importlib.invalidate_caches()
            forget()
            code = main(words)
            forget()
        done = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, done.out, done.err)

    return call


def forget() -> None:
    for name in SOURCES:
        sys.modules.pop(name, None)


def single_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command says that is refused."""
    assert done.returncode == 2 and done.stdout == "", done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, python: Command) -> Path:
    """A folder with a map, by the sources in its folder ``code``."""
    here = tmp_path_factory.mktemp("made")
    words = ["map", *SET, "--name", "own"]
    done = python(here, f"from fastneuron.cli.main import main; exit(main({words}))", write(here / "code"))
    assert done.returncode == 0, done.stderr
    return here


@pytest.mark.parametrize("name", EDITS)
def test_a_map_of_an_edited_component_is_refused(
    anew: Command, made: Path, tmp_path: Path, name: str
) -> None:
    code = write(tmp_path / "code", **edited(name))
    said = single_line(anew(made, "map", *SET, "--name", "own", path=(code,)))
    assert "own.zarr is a map of something else: " in said
    assert "(--name)" in said and "(--overwrite)" in said
    if name == "default":
        assert "model.activation.gain is 1.0 there and 2.0 here" in said
    else:
        assert REFUSED in said


def test_a_map_of_the_same_component_elsewhere_is_the_same(anew: Command, made: Path, tmp_path: Path) -> None:
    moved = {name: f"# moved\n\n{text}\nUNRELATED = 1\n" for name, text in SOURCES.items()}
    moved["soft"] = moved["soft"].replace("class Soft(Base):", 'class Soft(Base):\n    """Its docstring."""')
    before = (made / "own.zarr" / "zarr.json").read_bytes()
    done = anew(made, "map", *SET, "--name", "own", path=(write(tmp_path / "code", **moved),))
    assert done.returncode == 0, done.stderr
    assert (made / "own.zarr" / "zarr.json").read_bytes() == before
    code = json.loads(fn.open(made / "own.zarr").attrs["component_code"])
    assert list(code) == ["python", "soft:Soft"] and len(code["soft:Soft"]) == 64
    assert code["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_a_map_of_other_code_stays_readable_and_says_so(anew: Command, made: Path, tmp_path: Path) -> None:
    code = write(tmp_path / "code", **edited("constant of a helper"))
    for words in (["status", "own.zarr"], ["verify", "own.zarr"], ["verify", "own.zarr", "--repair"]):
        done = anew(made, *words, "--components", str(code / "soft.py"))
        assert done.returncode == 0, done.stderr
        assert f"the components here are not those that made it: {CHANGED}" in done.stdout
        same = anew(made, *words, "--components", str(made / "code" / "soft.py"))
        assert same.returncode == 0 and "components" not in same.stdout
    drawn = ["plot", "own.zarr", "--components", str(code / "soft.py"), "--out", str(tmp_path / "p.png")]
    assert anew(made, *drawn).returncode == 0
    assert fn.plot.spec_in(tmp_path / "p.png").splitlines()[1] == (
        f"# component_code: {fn.open(made / 'own.zarr').attrs['component_code']}"
    )
    # what computes more of it would not be of it
    said = single_line(anew(made, *drawn, "--kind", "loss_curves"))
    assert f"would not be of this result: {CHANGED}" in said


def test_damaged_tiles_are_not_mended_by_other_code(anew: Command, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "own.zarr", tmp_path / "own.zarr")
    (chunk,) = (path for path in (tmp_path / "own.zarr" / "loss" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-9] + b"\0" * 9)
    before = chunk.read_bytes()
    code = write(tmp_path / "code", **edited("method"))
    words = ["verify", "own.zarr", "--repair", "--quiet", "--components"]
    said = single_line(anew(tmp_path, *words, str(code / "soft.py")))
    assert f"{CHANGED}; damaged tiles can only be mended with what made them" in said
    assert chunk.read_bytes() == before
    assert anew(tmp_path, *words, str(made / "code" / "soft.py")).returncode == 0


def test_a_figure_is_drawn_again_after_an_edit_only(anew: Command, made: Path, tmp_path: Path) -> None:
    words = ["figure", "inverter", *SET, "--set", "picture.dpi=20", "--out", str(tmp_path / "f.png")]
    assert "wrote" in anew(made, *words, path=(made / "code",)).stdout
    assert "is up to date" in anew(made, *words, path=(made / "code",)).stdout
    code = write(tmp_path / "code", **edited("constant of a helper"))
    assert "wrote" in anew(made, *words, path=(code,)).stdout
    assert "is up to date" in anew(made, *words, path=(code,)).stdout


HALF = """
import sys
import numpy as np
import fastneuron as fn
import soft
import fastneuron.store
from fastneuron.engine import tiles

tiles.FEWEST_POINTS = tiles.MOST_POINTS = 64


def stop(done, total):
    if done and "half" in sys.argv:
        raise KeyboardInterrupt


sweep = fn.Sweep(
    task=fn.tasks.inverter(),
    model=fn.Neuron(activation=soft.Soft()),
    optimizer=fn.GradientDescent(1.0),
    axes={"bias": np.linspace(-9, 9, 16), "weight": np.linspace(-9, 9, 16)},
    stop=fn.Stop(max_steps=20),
)
try:
    result = sweep.run(store="half.zarr", threads=1, progress=stop)
except KeyboardInterrupt:
    print("interrupted", fn.store.tiles_done("half.zarr"))
except ValueError as error:
    print("refused", error)
else:
    whole = sweep.run(progress=False)
    print("same", all(np.array_equal(whole[name], result[name], equal_nan=True) for name in whole))
"""


def test_a_half_finished_map_is_resumed_by_the_same_code_only(python: Command, tmp_path: Path) -> None:
    done = python(tmp_path, HALF.replace('"half" in sys.argv', "True"), write(tmp_path / "code"))
    assert re.fullmatch(r"interrupted \([123], 4\)\n", done.stdout), done.stdout + done.stderr
    other = write(tmp_path / "other", **edited("helper of a helper"))
    assert f"something else: {REFUSED}" in python(tmp_path, HALF, other).stdout
    moved = write(tmp_path / "moved", soft=f"# moved\n{SOFT}")
    assert python(tmp_path, HALF, moved).stdout == "same True\n"


NOTEBOOK = """
import numpy as np
import fastneuron as fn

CELL = '''
K = 2.0

def helper(z):
    return K * z

@fn.component
class Cell(fn.Activation):
    surrogate = True

    def value(self, z):
        return helper(z)

    def slope(self, z, a):
        return K + z - z
'''


def sweep():
    return fn.Sweep(
        task=fn.Task([1.0], [0.0]),
        model=fn.Neuron(activation=Cell()),
        optimizer=fn.GradientDescent(0.1),
        axes={"weight": [1.0, 2.0]},
        stop=fn.Stop(max_steps=1, tolerance=0.0),
    )


# for an output of k w at input 1, a step ends at w - 0.1 k (k w)
def of(weight):
    return [float(k) for k in np.unique(np.sqrt(10 * (1 - weight / [1, 2])).round(9))]


def ahead():
    outputs = fn.forward(fn.Neuron(activation=Cell()), {"weight": [1.0, 2.0]}, x=[1.0])[:, 0]
    return [float(k) for k in np.unique(outputs / [1, 2])]


def stored():
    try:
        return of(sweep().run(store="cell.zarr", progress=False).final_weight.values)
    except ValueError as error:
        return "has changed" in str(error)


def run():
    whole = sweep()
    path = fn.descend(whole.task, whole.model, loss=whole.loss, optimizer=whole.optimizer,
                      start={"weight": [1.0, 2.0]}, steps=1).weight.values[-1]
    return of(whole.run(progress=False).final_weight.values) + of(path) + ahead()


exec(CELL, globals())
print(run(), stored())
exec(CELL, globals())  # the same cell once more
print(run(), stored())
exec(CELL.replace("K = 2.0", "K = 3.0"), globals())
print(run(), stored())
K = 0.5  # in a cell of its own
print(run(), stored())
K, before = 2.0, run()
print(before, run(), stored())
def helper(z): return K * z + z
print(ahead(), stored())
exec(CELL, globals())
print(ahead(), stored())
"""


def test_cells_of_a_notebook_that_are_run_again_are_not_answered_with_older_results(
    python: Command, tmp_path: Path
) -> None:
    done = python(tmp_path, NOTEBOOK)
    assert done.returncode == 0, done.stderr
    two, three, half = ([k] * 3 for k in (2.0, 3.0, 0.5))  # of the sweep, the descent, the forward pass
    assert done.stdout.splitlines() == [
        f"{two} [2.0]",
        f"{two} [2.0]",
        f"{three} True",
        f"{half} True",
        f"{half} {two} [2.0]",
        "[3.0] True",
        "[2.0] [2.0]",
    ]


COMPILED = """
import numba
import numbers_of_it


@numba.njit(cache=True)
def inner(z):
    return numbers_of_it.K * z


@numba.njit(cache=True)
def rise(z):
    return inner(z)
"""
USING = """
import fastneuron as fn
{load}


@fn.component
class Own(fn.Activation):
    surrogate = True

    def value(self, z):
        return {call}(z)

    def slope(self, z, a):
        return z
"""


def test_helpers_that_numba_has_on_disk_are_not_answered_with(python: Command, tmp_path: Path) -> None:
    (tmp_path / "compiled.py").write_text(COMPILED)
    for name, load, call in (
        ("by_name", "from compiled import rise", "rise"),
        ("in_module", "import compiled", "compiled.rise"),
    ):
        (tmp_path / f"{name}.py").write_text(USING.format(load=load, call=call))
    code = (
        "import by_name, in_module, compiled, numbers_of_it, fastneuron as fn\n"
        "models = [fn.Neuron(activation=module.Own()) for module in (by_name, in_module)]\n"
        "def ahead(): return [float(fn.forward(one, {'weight': 1.0}, x=[1.0])[0]) for one in models]\n"
        "print(compiled.rise(1.0), ahead())\n"
        "numbers_of_it.K += 1\n"
        "print(ahead())\n"
    )
    for k in (2.0, 3.0):
        (tmp_path / "numbers_of_it.py").write_text(f"K = {k}\n")
        done = python(tmp_path, code, tmp_path)
        assert done.returncode == 0, done.stderr
        # Numba itself answers with the old constant
        assert done.stdout.splitlines() == [f"2.0 {[k] * 2}", f"{[k + 1] * 2}"]


# what a file names is not imported


# what Python itself loads from the current folder before it runs a module by its name
LOADED_FIRST = {
    *("importlib", "warnings", "contextlib", "collections", "functools", "types", "keyword", "operator"),
    "reprlib",
}


@pytest.fixture
def stranger(made: Path, tmp_path: Path) -> Path:
    """A folder with a map, specs and a picture; the modules beside them leave a mark where they run."""
    mark = f"open({str(tmp_path / 'mark')!r}, 'a').write(__name__)\n"
    for name in {"soft", "numpy", "numba", "cyclopts", *sys.stdlib_module_names} - LOADED_FIRST:
        (tmp_path / f"{name}.py").write_text(mark)
    shutil.copytree(made / "own.zarr", tmp_path / "own.zarr")
    shutil.copy(made / "own.png", tmp_path / "own.png")
    sweep = fn.open(made / "own.zarr").attrs["sweep"]
    (tmp_path / "own.toml").write_text(sweep)
    (tmp_path / "colour.toml").write_text(sweep.replace("soft:Soft", "colorsys:X"))
    return tmp_path


# one that is a process of its own, and then one after the other in a process, each as `python -m` begins
ONE_BY_ONE = """
import json, os, runpy, sys

del sys.path[0]
told = []
for number, words in enumerate(json.loads(sys.argv[1])):
    sys.path.insert(0, os.getcwd())
    sys.argv = ["fastneuron", *words.split()]
    sys.stdout, sys.stderr = open(f"{number}.out", "w"), open(f"{number}.err", "w")
    try:
        runpy.run_module("fastneuron", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        sys.stdout.close(), sys.stderr.close()
        told.append((ended.code, open(f"{number}.out").read(), open(f"{number}.err").read()))
json.dump(told, sys.__stdout__)
"""


def test_no_command_imports_what_a_file_names(stranger: Path) -> None:
    first = command(stranger, *UNLOADED[0].split())
    (stranger / "apart").mkdir()
    program = stranger / "apart" / "one_by_one.py"
    program.write_text(ONE_BY_ONE)
    whole = [sys.executable, str(program), json.dumps(UNLOADED[1:])]
    done = subprocess.run(whole, cwd=stranger, env=environment(), capture_output=True, text=True)
    assert not (stranger / "mark").exists(), (stranger / "mark").read_text()
    assert done.returncode == 0, done.stderr
    rest = [subprocess.CompletedProcess(whole, *told) for told in json.loads(done.stdout)]
    for words, ended in zip(UNLOADED, [first, *rest], strict=True):
        if words.split()[0] in ("status", "verify", "export", "spec"):
            assert ended.returncode == 0, (words, ended.stderr)
        else:
            said = single_line(ended)
            module = "colorsys" if "colour" in words else "soft"
            assert f"module '{module}' is not loaded" in said and f"--components {module}.py" in said, words


UNLOADED = [
    "map own.toml",
    "map own.toml --dry-run",
    "map colour.toml --dry-run",
    "map own.toml --set optimizer.learning_rate=2 --set picture.title=colorsys:X",
    "plot own.zarr",
    "plot own.zarr --kind steps --set title=colorsys:X",
    "verify own.zarr",
    "verify own.zarr --repair",
    "status own.zarr",
    "export own.zarr own.csv",
    "spec own.png",
    "descend own.toml",
    "descend colour.toml --steps 3",
]


ALL_SORTS = """
import sys
import fastneuron as fn

NAMES = ["soft:Soft", "antigravity:X", "xml.dom:X", "fastneuron:explore", "os:system", "__main__:X", ":"]
for name in [*NAMES, "a:", ":X", "a b:X", chr(27) + "[31m:X", "soft:" + "X" * 999]:
    try:
        fn.Sweep.from_spec({"task": {"name": "inverter"}, "optimizer": {"name": name}, "axes": {"bias": [1]}})
    except ValueError as error:
        assert str(error).isprintable() and len(str(error)) < 500, str(error)
    else:
        raise AssertionError(name)
assert not {"soft", "antigravity", "xml.dom"} & set(sys.modules)
assert fn.open("own.zarr").outcome.shape == (4, 4)
"""


def test_python_imports_nothing_for_a_spec_or_a_picture_either(stranger: Path) -> None:
    whole = [sys.executable, "-P", "-c", ALL_SORTS]
    done = subprocess.run(whole, cwd=stranger, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (stranger / "mark").exists()


@pytest.mark.parametrize(
    "words",
    [
        "map own.toml --components code/soft.py --dry-run",
        "map own.toml --components soft --dry-run",
        "plot own.zarr --components code/soft.py --out p.png",
        "verify own.zarr --components soft",
        "export own.zarr own.csv --components code/soft.py",
        "spec own.png --components code/soft.py",
        "descend own.toml --components code/soft.py --steps 2",
        "descend --activation soft:Soft --steps 2",
        "respond --activation soft:Soft --weight 1 --bias 0",
        "respond --activation soft:Soft --weight 1 --bias 0 --components code/soft.py",
    ],
)
def test_every_command_loads_what_its_words_name(
    anew: Command, made: Path, tmp_path: Path, words: str
) -> None:
    for name in ("own.zarr", "code"):
        shutil.copytree(made / name, tmp_path / name)
    shutil.copy(made / "own.png", tmp_path / "own.png")
    (tmp_path / "own.toml").write_text(fn.open(made / "own.zarr").attrs["sweep"])
    path = () if "code/soft.py" in words else (tmp_path / "code",)
    done = anew(tmp_path, *words.split(), path=path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nothing.py", "--components nothing.py: there is no such file"),
        ("json.py", "--components json.py: there is another module json; rename the file"),
        ("two-words.py", "the name of the file must be that of a module, as soft.py"),
        ("nothing", "there is no module nothing where Python looks; give its file, --components nothing.py"),
        ("no name", "'no name' is no name of a module, and no file that ends in .py"),
        ("fails.py", "module fails cannot be loaded: ZeroDivisionError: division by zero ("),
        ("leaves.py", "module leaves cannot be loaded: SystemExit: 7 ("),
        ("broken.py", "module broken cannot be loaded: SyntaxError: "),
        ("lacks.py", "module lacks cannot be loaded: ModuleNotFoundError: No module named 'nothing_like_it'"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(run: Any, tmp_path: Path, given: str, says: str) -> None:
    sources = {
        "json": "",
        "two-words": "",
        "fails": "1 / 0",
        "leaves": "raise SystemExit(7)",
        "broken": "a b",
    }
    for name, text in (sources | {"lacks": "import nothing_like_it"}).items():
        (tmp_path / f"{name}.py").write_text(text)
    code, out, err = run("map", "--dry-run", "--components", given)
    assert (code, out) == (2, "") and says in err and len(err.splitlines()) == 1
    assert Path(given).stem == "json" or Path(given).stem not in sys.modules
    assert str(tmp_path) not in sys.path
