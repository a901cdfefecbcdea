"""Tasks: data that are checked once, and their tables."""

import os
import pickle
import statistics
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from fastneuron import tasks, toml
from fastneuron.tasks import Task

from . import oracle

numbers = st.floats(allow_nan=False, allow_infinity=False)
tables = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(numbers, min_size=n + 1, max_size=n + 1), min_size=1, max_size=5)
)
OWNED_KEYS = "points, inputs, samples, seed, outputs or part"
names = st.text(min_size=1).filter(lambda text: text.isprintable() and text.strip()) | st.sampled_from(
    ["inverter", "flipped_step", "nand", "random_regression", "digits"]
)


def test_one_dimensional_inputs_are_one_input_a_sample():
    task = Task([0, 0.5, 1], [1, 0, 0])
    assert (task.samples, task.inputs, task.outputs) == (3, 1, 1)
    assert task.x.shape == (3, 1) and task.y.shape == (3, 1)
    assert task == Task([[0], [0.5], [1]], [[1], [0], [0]])


def test_a_table_of_targets_is_several_outputs():
    task = Task([0, 0.5], [[1, 0, 2], [3, 4, 5]])
    assert (task.samples, task.inputs, task.outputs) == (2, 1, 3)
    assert task.y.tolist() == [[1, 0, 2], [3, 4, 5]]
    assert repr(task) == "Task('task', 2 samples, 1 inputs, 3 outputs)"
    assert repr(Task([0], [1])) == "Task('task', 1 samples, 1 inputs)"
    assert task != Task([0, 0.5], [1, 0]) and Task([0], [[1, 0]]) != Task([0], [1])
    with pytest.raises(ValueError, match="read-only"):
        task.y[0, 2] = 1


def test_one_output_is_written_flat_and_several_as_rows():
    assert tasks.to_spec(Task([0, 1], [[2], [3]]))["y"] == [2, 3]
    assert tasks.to_spec(Task([0, 1], [[2, 3], [4, 5]]))["y"] == [[2, 3], [4, 5]]


def test_a_task_keeps_its_own_copy_which_cannot_be_changed():
    x = np.array([0.0, 1.0])
    task = Task(x, [1, 0])
    x[0] = 5
    assert task.x[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        task.x[0, 0] = 1
    with pytest.raises(AttributeError, match="a Task cannot be changed; make a new one to set name"):
        task.name = "other"


def test_equal_tasks_have_one_hash_and_zero_has_no_sign():
    assert Task([0.0], [0.0]) == Task([-0.0], [-0.0])
    assert hash(Task([0.0], [0.0])) == hash(Task([-0.0], [-0.0]))
    assert Task([0], [1]) != Task([0], [1], name="other") and Task([0], [1]) != Task([0], [0])
    assert Task([0], [1]) != "task"


def test_flipped_step_is_one_left_of_a_half():
    task = tasks.flipped_step(5)
    assert task.x[:, 0].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert task.y[:, 0].tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("and", lambda p, q: p and q),
        ("nand", lambda p, q: not (p and q)),
        ("or", lambda p, q: p or q),
        ("nor", lambda p, q: not (p or q)),
        ("xor", lambda p, q: p != q),
        ("xnor", lambda p, q: p == q),
        ("x", lambda p, q: p),
        ("y", lambda p, q: q),
        ("not_x", lambda p, q: not p),
        ("not_y", lambda p, q: not q),
        ("x_implies_y", lambda p, q: not p or q),
        ("y_implies_x", lambda p, q: not q or p),
        ("x_and_not_y", lambda p, q: p and not q),
        ("y_and_not_x", lambda p, q: q and not p),
        ("true", lambda p, q: True),
        ("false", lambda p, q: False),
    ],
)
def test_a_gate_computes_what_its_name_says(name, rule):
    task = tasks.gate(name)
    assert [bool(y) for y in task.y[:, 0]] == [bool(rule(bool(p), bool(q))) for p, q in task.x]
    assert task.name == name


@pytest.mark.parametrize("name", tasks.GATES)
def test_the_middle_of_every_gate_is_a_half(name):
    assert tasks.gate(name).middle == 0.5


@pytest.mark.parametrize(
    ("targets", "middle"),
    [([1, 4], 2.5), ([-1, 1, 0.5], 0.0), ([1e308, 1.5e308], 1.25e308), ([-1.5e308, 1.5e308], 0.0)]
    + [([0.5, 0.5], 0.0), ([0.3], 0.8), ([-1, -1], -0.5), ([7], 6.5)],
)
def test_the_middle_is_between_the_targets_or_a_half_from_the_only_one(targets, middle):
    assert Task([0] * len(targets), targets).middle == pytest.approx(middle, rel=1e-15)


@pytest.mark.parametrize("name", tasks.GATES)
def test_every_gate_is_a_function_by_its_name(name):
    made = getattr(tasks, f"{name}_" if name in ("and", "or") else name)()
    assert made == tasks.gate(name) and made.name == name


def test_a_task_that_there_is_not_is_no_function():
    with pytest.raises(AttributeError, match=r"has no attribute 'xorr' \(did you mean 'xor'\?\)"):
        _ = tasks.xorr


@pytest.mark.parametrize(
    ("given", "name"),
    [("XOR", "xor"), ("Not_X", "not_x"), ("notx", "not_x"), ("TRUE", "true"), ("XAndNotY", "x_and_not_y")]
    + [("Inverter", "inverter"), ("FlippedStep", "flipped_step"), ("Random_Regression", "random_regression")],
)
def test_capitals_and_underscores_of_a_name_do_not_matter(given, name):
    keys = {"inputs": 2, "samples": 3} if name == "random_regression" else {}
    made = tasks.from_spec({"name": given, **keys})
    assert made == tasks.from_spec({"name": name, **keys}) and made.name == name
    assert name not in tasks.GATES or tasks.gate(given) == made


def test_there_are_sixteen_gates_each_its_own():
    assert len(set(tasks.GATES.values())) == 16


@pytest.mark.parametrize("name", tasks.NAMED)
def test_a_named_task_is_written_by_its_name(name):
    task = tasks.NAMED[name]()
    assert tasks.to_spec(task)["name"] == name and "x" not in tasks.to_spec(task)
    assert tasks.from_spec(tasks.to_spec(task)) == task


@given(tables, names)
def test_a_task_comes_back_from_its_table_and_from_pickle(rows, name):
    task = Task([row[:-1] for row in rows], [row[-1] for row in rows], name)
    assert tasks.from_spec(tasks.to_spec(task)) == task
    assert pickle.loads(pickle.dumps(task)) == task


@given(tables, names, st.integers(1, 3))
def test_a_task_of_several_outputs_comes_back_from_its_toml(rows, name, outputs):
    task = Task(rows, [[row[-1] + k for k in range(outputs)] for row in rows], name)
    assert tasks.from_spec(toml.loads(toml.dumps({"task": tasks.to_spec(task)}))["task"]) == task


def normal_number(seed, sample, column):
    """The number of a random regression by way of the oracle's generator and Python's own quantile."""
    words = oracle.philox((sample % 2**32, sample >> 32, 2**31 + column, 0), (seed % 2**32, seed >> 32))
    return statistics.NormalDist().inv_cdf(((words[0] << 20 | words[1] >> 12) + 0.5) / 2**52)


@pytest.mark.parametrize("seed", [0, 5, 2**63 - 1])
def test_random_regression_has_a_standard_normal_number_for_each_seed_sample_and_column(seed):
    task = tasks.random_regression(3, 40, seed, 2)
    assert (task.name, task.inputs, task.samples, task.outputs) == ("random_regression", 3, 40, 2)
    wanted = [[normal_number(seed, sample, column) for column in range(5)] for sample in range(40)]
    np.testing.assert_allclose(np.hstack([task.x, task.y]), wanted, rtol=1e-12, atol=1e-14)


def test_more_samples_or_outputs_leave_a_random_regression_as_it_was():
    few, many = tasks.random_regression(3, 7), tasks.random_regression(3, 50, outputs=4)
    assert np.array_equal(many.x[:7], few.x) and np.array_equal(many.y[:7, :1], few.y)
    assert not np.isin(tasks.random_regression(3, 7, seed=1).x, many.x).any()


def test_random_regression_is_written_by_its_keys():
    keys = {"inputs": 3, "samples": 5, "seed": 9, "outputs": 2}
    task = tasks.random_regression(**keys)
    for same in (task, pickle.loads(pickle.dumps(task)), tasks.from_spec({"name": task.name, **keys})):
        assert tasks.to_spec(same) == {"name": "random_regression", **keys}
    spec = {"name": "random_regression", "inputs": 16, "samples": 272}
    assert tasks.to_spec(tasks.from_spec(spec)) == spec | {"seed": 0, "outputs": 1}
    assert tasks.to_spec(tasks.random_regression(np.int64(3), 5))["inputs"] == 3


def test_the_table_of_a_random_regression_cannot_be_changed_from_outside():
    task = tasks.random_regression(3, 5)
    tasks.to_spec(task)["seed"] = 1
    assert tasks.to_spec(task)["seed"] == 0


def test_a_random_regression_of_other_numbers_is_written_in_full(monkeypatch):
    task = tasks.random_regression(2, 3)
    copied = Task(task.x, task.y, task.name)  # equal, but nobody knows the seed
    assert copied == task and tasks.from_spec(tasks.to_spec(copied)) == task
    assert set(tasks.to_spec(copied)) == {"name", "x", "y"}
    # as made on a machine whose quantile differs in the last bits
    monkeypatch.setattr(tasks, "uniform_numbers", lambda seed, points, use: np.full(len(points), 0.25))
    assert set(tasks.to_spec(task)) == {"name", "x", "y"}
    assert tasks.from_spec(tasks.to_spec(task)) == task


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"inputs": 0}, "inputs must be a whole number from 1 to 1048576, got 0"),
        ({"inputs": 2**20 + 1}, "inputs must be a whole number from 1 to 1048576, got 1048577"),
        ({"samples": 2.0}, "samples must be a whole number from 1 to 16777216, got 2.0"),
        ({"samples": True}, "samples must be a whole number from 1 to 16777216, got True"),
        ({"seed": -1}, "seed must be a whole number from 0 to 2**63 - 1, got -1"),
        ({"seed": 2**63}, "seed must be a whole number from 0 to 2**63 - 1, got 9223372036854775808"),
        ({"outputs": None}, "outputs must be a whole number from 1 to 1048576, got None"),
        ({"outputs": "2"}, "outputs must be a whole number from 1 to 1048576, got '2'"),
        (
            {"inputs": 2**20, "samples": 128},
            "samples * (inputs + outputs) must be at most 134217728, got 134217856",
        ),
    ],
)
def test_a_wrong_random_regression_names_the_value_and_what_is_allowed(given, message):
    with pytest.raises(ValueError) as caught:
        tasks.random_regression(**{"inputs": 2, "samples": 3} | given)
    assert str(caught.value) == message


def test_digits_are_those_of_scikit_learn_split_at_every_fifth():
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    every, train, test = (tasks.digits(part) for part in ("all", "train", "test"))
    assert (every.samples, train.samples, test.samples) == (1797, 1438, 359)
    assert (every.inputs, every.outputs, every.name) == (64, 10, "digits")
    assert np.array_equal(every.x * 16, pixels) and every.x.max() == 1
    assert np.array_equal(every.y.argmax(axis=1), digit)
    assert np.isin(every.y, [0, 1]).all() and (every.y.sum(axis=1) == 1).all()
    numbers = list(range(4, 1797, 5))
    assert np.array_equal(test.x, every.x[numbers]) and np.array_equal(test.y, every.y[numbers])
    assert np.array_equal(train.x, np.delete(every.x, numbers, axis=0))
    assert np.array_equal(train.y, np.delete(every.y, numbers, axis=0))
    assert tasks.digits() == train


@pytest.mark.parametrize("part", ["train", "test", "all"])
def test_digits_are_written_by_their_part(part):
    task = tasks.digits(part)
    assert tasks.to_spec(task) == {"name": "digits", "part": part}
    assert tasks.from_spec({"name": "digits", "part": part}) == task
    other = Task(task.x, task.y[:, ::-1], "digits")
    assert set(tasks.to_spec(other)) == {"name", "x", "y"} and tasks.from_spec(tasks.to_spec(other)) == other


@pytest.mark.parametrize("part", ["", "tests", None, 1, ["train"]])
def test_an_unknown_part_of_the_digits_is_named(part):
    with pytest.raises(ValueError) as caught:
        tasks.digits(part)
    assert str(caught.value) == f"part must be one of train, test, all, got {part!r}"


def test_without_scikit_learn_digits_say_how_to_get_it(monkeypatch):
    task = tasks.digits("test")
    tasks._all_digits.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ValueError) as caught:
        tasks.from_spec({"name": "digits"})
    assert str(caught.value) == "task: digits needs scikit-learn: pip install 'fastneuron[digits]'"
    assert set(tasks.to_spec(task)) == {"name", "x", "y"} and tasks.from_spec(tasks.to_spec(task)) == task


def test_only_digits_load_scikit_learn():
    code = (
        "import sys; from fastneuron import tasks; from fastneuron.cli.main import main\n"
        "known = [*(make() for make in tasks.NAMED.values()), tasks.random_regression(2, 3)]\n"
        "known.append(tasks.Task([0] * 359, [0] * 359, 'digits'))\n"
        "for task in known: tasks.from_spec(tasks.to_spec(task))\n"
        "main(['tasks']); print('sklearn' in sys.modules)\n"
        "tasks.digits(); print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\nFalse\nTrue\n")


@given(tables)
def test_a_csv_file_holds_inputs_and_then_the_target(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    text = "".join(",".join(map(repr, row)) + "\n\n" for row in rows)
    wanted = Task([row[:-1] for row in rows], [row[-1] for row in rows], name="table")
    for header in ("", ",".join("ab,cd"[: len(rows[0])]) + "\n"):
        path.write_text(header + text)
        assert tasks.from_csv(path) == wanted


def test_a_csv_file_may_be_named_anew(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("﻿0,1\n1,0\n", encoding="utf-8")
    assert tasks.from_spec({"csv": str(path), "name": "mine"}) == Task([0, 1], [1, 0], name="mine")


TWO_ROWS = Task([[0, 1], [2, 3]], [4.5, -5e-1], "table")


@pytest.mark.parametrize(
    "text",
    [
        "0,1,4.5\n2,3,-5e-1\n",
        "0;1;4.5\n2;3;-.5",
        "0\t1\t4.5\r\n2\t3\t-0.5\r\n",
        "0, 1 ,4.5\r2,3.,-.5E0\r",
        "\n\n  \nx,y,z\n\n0,1,4.5\n,,\n2,3,-.5\n",
        "# of 2 samples\nx;y;z\n  # the first\n0;1;4.5\n2;3;-.5\n",
        '"x","y; in mm",z\n"0","1","4.5"\n2,3,"-.5"\n',
        ",y,z\n+0,1,4.5\n2,3,-5e-01",
        "x,y,NaN of z\n0,1,4.5\n2,3,-.5\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_csv_file_is_read_however_it_is_parted_and_encoded(tmp_path, text, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    assert tasks.from_csv(path) == TWO_ROWS


def test_a_first_row_of_numbers_is_data_unless_it_is_said_to_be_a_header(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("0,1\n5,6\n")
    assert tasks.from_csv(path).x[:, 0].tolist() == [0, 5]
    assert tasks.from_csv(path, header=False) == tasks.from_csv(path)
    assert tasks.from_csv(path, header=True) == tasks.from_spec({"csv": str(path), "header": True})
    assert tasks.from_csv(path, header=True) == Task([5], [6], "table")
    path.write_text("2nd,1\n5,6\n")
    assert tasks.from_csv(path, header=True) == Task([5], [6], "table")


def test_the_last_columns_of_a_csv_file_may_be_several_targets(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n1,2,3\n4,5,6\n")
    wanted = Task([1, 4], [[2, 3], [5, 6]], "table")
    assert tasks.from_csv(path, targets=2) == tasks.from_spec({"csv": str(path), "targets": 2}) == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no rows of numbers"),
        (b"a,b\n", "no rows of numbers"),
        (
            b"1\n2\n",
            "needs 2 columns or more (inputs, then the target), parted by commas, semicolons or tabs, has 1",
        ),
        (b"1,2\n3\n", "line 2: 1 columns where 2 were expected"),
        (b"\n#\n1,2\n\n3,4,5\n", "line 5: 3 columns where 2 were expected"),
        (b"1,2\n3,x\n", "line 2: not a number: 'x' (columns are parted by commas"),
        (b"a,2\n3,4\n", "line 1: not a number: 'a'"),
        (b"a,2\n3,4\n", "if this row is a header, set header to true"),
        (b"1_000,2_000\n3,4\n", "line 1: not a number: '1_000'"),
        (b"n/a,NA\n3,4\n", "line 1: not a number: 'n/a'"),
        (b"2%,3%\n3,4\n", "line 1: not a number: '2%'"),
        (b"1,\n", "line 1: not a number: ''"),
        (b"1,0x10\n", "line 1: not a number: '0x10'"),
        ("1,\N{FULLWIDTH DIGIT ONE}\n".encode(), "line 1: not a number"),
        (b"0,5;1\n", "line 1: a decimal comma: '0,5'; write '0.5'"),
        (b"x\ty\n1\t0,5\n", "line 2: a decimal comma: '0,5'; write '0.5'"),
        (
            b"0 1\n1 0\n",
            "line 1: not a number: '0 1' (columns are parted by commas; possible are tabs, semicolons",
        ),
        (b"1,nan\n", "line 1: not finite: 'nan'"),
        (b"nan,nan\n1,2\n", "line 1: not finite: 'nan'"),
        (b"x,y\n1,-Infinity\n", "line 2: not finite: '-Infinity'"),
        (b"1,1e400\n", "line 1: not finite: '1e400'"),
        (b'1,"2\n', "line 1: unexpected end of data"),
        (b"x" * 200_000 + b",1\n", "line 1: field larger than field limit"),
        (b"1," * (2**20 + 1), "line 1: more than 1048576 columns"),
        (b"\xff\xfe", "no rows of numbers"),
        (b"\xff\xfe1", "cannot read"),
        ("1,2".encode("utf-16-le"), "cannot read"),
        (b"\x89PNG\r\n\x1a\n", "it is no text in UTF-8, or in UTF-16 with its mark"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_csv_file_names_the_file_and_line(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        tasks.from_csv(path)
    assert message in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"targets": 2}, "needs 3 columns or more (inputs, then 2 targets)"),
        ({"targets": 0}, "targets must be a whole number from 1 to 1048576, got 0"),
        ({"targets": True}, "targets must be a whole number from 1 to 1048576, got True"),
        ({"header": "yes"}, "header must be true or false, got 'yes'"),
        ({"header": False}, "line 1: not a number: 'x'"),
    ],
)
def test_a_wrong_key_of_a_csv_file_is_named(tmp_path, keys, message):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(ValueError) as caught:
        tasks.from_csv(path, **keys)
    assert message in str(caught.value)


@pytest.mark.parametrize("path", ["missing.csv", ".", "a\0b", "x" * 300, "loop.csv"])
def test_a_csv_file_that_cannot_be_read_is_named(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    with pytest.raises(ValueError, match="^cannot read|^path must be a path"):
        tasks.from_csv(path)


def test_what_has_no_end_or_too_much_is_no_csv_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2**40)
    for path, message in {
        Path("/dev/zero"): "/dev/zero is a device; give a regular file",
        tmp_path / "pipe.csv": "pipe.csv is a pipe; give a regular file",
        tmp_path / "huge.csv": "huge.csv is too large: more than 128 MiB",
    }.items():
        with pytest.raises(ValueError, match=message):
            tasks.from_csv(path)


class Hostile:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([], "x must have shape (samples, inputs), each 1 or more, got (0, 1)"),
        ([[]], "x must have shape (samples, inputs), each 1 or more, got (1, 0)"),
        (3, "x must be a list of numbers, got 3"),
        (None, "x must be a list of numbers, got None"),
        ("01", "x must be a list of numbers, got '01'"),
        (b"01", "x must be a list of numbers, got b'01'"),
        ([True, False], "x[0] must be a finite number, got True"),
        ([0, True], "x[1] must be a finite number, got True"),
        ([[0.5], [np.True_]], "x[1, 0] must be a finite number, got True"),
        ([1j, 0], "x[0] must be a finite number, got 1j"),
        ([None, 1], "x[0] must be a finite number, got None"),
        ([0, float("nan")], "x[1] must be a finite number, got nan"),
        ([[0, 1], [2, float("inf")]], "x[1, 1] must be a finite number, got inf"),
        ([[0], [1, 2]], "x is ragged"),
        ([[[0]], [[1]]], "x must have shape (samples, inputs), each 1 or more, got (2, 1, 1)"),
        ([0, 1, 2], "x has 3 samples but y has 2; they must match"),
        ([0, 10**400], "x[1] must be a finite number, got 1000"),
        ({1, 2}, "x must be a list of numbers, got {1, 2}"),
        (Hostile(), "x cannot be read as an array: no array"),
    ],
    ids=lambda value: repr(value).split(" at 0x")[0][:30],
)
def test_wrong_inputs_name_the_value_and_what_is_allowed(x, message):
    with pytest.raises(ValueError) as caught:
        Task(x, [1, 0])
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("y", "shape"), [([[], []], "(2, 0)"), ([[[1]], [[0]]], "(2, 1, 1)")])
def test_targets_are_one_column_or_several(y, shape):
    with pytest.raises(ValueError) as caught:
        Task([0, 1], y)
    message = f"y must have shape (samples,) or (samples, outputs), each 1 or more, got {shape}"
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["", " ", "a\nb", None, 3, "\ud800"])
def test_a_name_is_a_line_of_text(name):
    with pytest.raises(ValueError, match="^name must be a line of text, got"):
        Task([0], [1], name=name)


@pytest.mark.parametrize("points", [1, 2.0, True, None, 10**12])
def test_points_of_a_flipped_step_are_few_enough_to_hold(points):
    with pytest.raises(ValueError, match="^points must be a whole number from 2 to 16777216, got"):
        tasks.flipped_step(points)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "task: missing key 'name', or x and y, or csv; names: inverter, flipped_step"),
        (
            {"nam": "xor"},
            "task.nam: unknown key (did you mean 'name'?); allowed: name, x, y, csv, header, targets",
        ),
        (
            {"name": "random_regression", "sample": 3},
            "task.sample: unknown key (did you mean 'samples'?); "
            "allowed: name, x, y, csv, header, targets, points, inputs, samples, seed, outputs, part",
        ),
        ({"name": "digit"}, "task.name: unknown task 'digit' (did you mean 'digits'?); known: inverter"),
        ({"seed": 3}, "task: missing key 'name', or x and y, or csv; names: inverter, flipped_step"),
        ({"name": "digits", "seed": 3}, "task: seed belongs to random_regression, not to 'digits'"),
        (
            {"name": "random_regression", "inputs": 3, "samples": 4, "part": "all"},
            "task: part belongs to digits, not to 'random_regression'",
        ),
        (
            {"name": "random_regression", "inputs": 3, "seed": 4},
            "task: missing key 'samples'; random_regression has the keys inputs, samples, seed, outputs",
        ),
        (
            {"name": "random_regression", "inputs": 3, "samples": "4"},
            "task: samples must be a whole number from 1 to 16777216, got '4'",
        ),
        ({"name": "digits", "part": "half"}, "task: part must be one of train, test, all, got 'half'"),
        (
            {"name": "invertr"},
            "task.name: unknown task 'invertr' (did you mean 'inverter'?); known: inverter",
        ),
        ({"name": "XR"}, "task.name: unknown task 'XR' (did you mean 'xor'?)"),
        ({"name": "xor", "header": True}, "task: header belongs to csv, which is not given"),
        ({"x": [1], "y": [1], "targets": 1}, "task: targets belongs to csv, which is not given"),
        ({"name": ["xor"]}, "task.name: unknown task ['xor']"),
        ({"name": "xor", "points": 3}, "task: points belongs to flipped_step, not to 'xor'"),
        ({"name": "flipped_step", "points": 1}, "task: points must be a whole number from 2"),
        ({"x": [1]}, f"task: x and y must be given together, without {OWNED_KEYS}"),
        ({"x": [1], "y": [1], "seed": 1}, f"task: x and y must be given together, without {OWNED_KEYS}"),
        ({"x": [1], "y": [1], "name": 3}, "task: name must be a line of text, got 3"),
        ({"x": [1], "y": ["a"]}, "task: y[0] must be a finite number, got 'a'"),
        ({"csv": 3}, f"task: csv must be a path, without x, y, {OWNED_KEYS}"),
        ({"csv": "a.csv", "part": "all"}, f"task: csv must be a path, without x, y, {OWNED_KEYS}"),
        ({"csv": "no such file.csv"}, "task: cannot read no such file.csv: No such file or directory"),
    ],
)
def test_a_wrong_table_names_the_key_the_value_and_what_is_allowed(spec, message):
    with pytest.raises(ValueError) as caught:
        tasks.from_spec(spec)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_gate_is_named():
    with pytest.raises(ValueError, match=r"^unknown gate 'nan' \(did you mean 'nand'\?\); known: false, nor"):
        tasks.gate("nan")
