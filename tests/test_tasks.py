"""Tasks: data that are checked once, and their tables."""

import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from fastneuron import tasks, toml
from fastneuron.tasks import Task

numbers = st.floats(allow_nan=False, allow_infinity=False)
tables = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(numbers, min_size=n + 1, max_size=n + 1), min_size=1, max_size=5)
)
names = st.text(min_size=1).filter(lambda text: text.isprintable() and text.strip()) | st.sampled_from(
    ["inverter", "flipped_step", "nand"]
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no rows of numbers"),
        (b"1\n2\n", "needs at least two columns (inputs, then the target), has 1"),
        (b"1,2\n3\n", "line 2: 1 columns where 2 were expected"),
        (b"1,2\n3,x\n", "line 2: not numbers: '3,x'"),
        (b"a,2\n3,4\n", "line 1: not numbers: 'a,2'"),
        (b"1,nan\n", "line 1: not finite: '1,nan'"),
        (b"\xff\xfe", "cannot read"),
    ],
)
def test_a_wrong_csv_file_names_the_file_and_line(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        tasks.from_csv(path)
    assert message in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["missing.csv", ".", "a\0b"])
def test_a_csv_file_that_cannot_be_read_is_named(path):
    with pytest.raises(ValueError, match="^cannot read"):
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
        (None, "x must be numbers, got None"),
        ("01", "x must be numbers, got '01'"),
        (b"01", "x must be numbers, got b'01'"),
        ([True, False], "x must be numbers, got [True, False]"),
        ([0, True], "x must be numbers, got [0, True]"),
        ([[0.5], [np.True_]], "x must be numbers"),
        ([1j, 0], "x must be numbers"),
        ([None, 1], "x must be numbers"),
        ([0, float("nan")], "x[1] must be a finite number, got nan"),
        ([[0, 1], [2, float("inf")]], "x[1, 1] must be a finite number, got inf"),
        ([[0], [1, 2]], "x is ragged"),
        ([[[0]], [[1]]], "x must have shape (samples, inputs), each 1 or more, got (2, 1, 1)"),
        ([0, 1, 2], "x has 3 samples but y has 2; they must match"),
        ([0, 10**400], "x must be numbers"),
        ({1, 2}, "x must be numbers"),
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
        ({"nam": "xor"}, "task.nam: unknown key (did you mean 'name'?); allowed: name, x, y, csv, points"),
        (
            {"name": "invertr"},
            "task.name: unknown task 'invertr' (did you mean 'inverter'?); known: inverter",
        ),
        ({"name": ["xor"]}, "task.name: unknown task ['xor']"),
        ({"name": "xor", "points": 3}, "task: points belongs to flipped_step, not to 'xor'"),
        ({"name": "flipped_step", "points": 1}, "task: points must be a whole number from 2"),
        ({"x": [1]}, "task: x and y must be given together, without points"),
        ({"x": [1], "y": [1], "name": 3}, "task: name must be a line of text, got 3"),
        ({"x": [1], "y": ["a"]}, "task: y must be numbers, got ['a']"),
        ({"csv": 3}, "task: csv must be a path, without x, y or points"),
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
