"""Trainings: what one start undergoes, as a value of its own."""

import copy
import pickle

import numpy as np
import pytest

import fastneuron as fn


def minimal(**changes):
    given = {"task": fn.tasks.inverter(), "model": fn.Neuron(), "loss": fn.SquaredError()}
    return fn.Training(**given | {"optimizer": fn.GradientDescent(30.0)} | changes)


def test_a_training_of_its_four_parts_has_the_usual_others():
    training = fn.Training(fn.tasks.inverter(), fn.Neuron(), fn.SquaredError(), fn.GradientDescent(30.0))
    assert (training.penalty, training.batch, training.stop) == (None, fn.FullBatch(), fn.Stop())
    assert training.dtype == "float64"
    assert set(training.components) == {"activation", "loss", "optimizer", "batch", "stop"}


def test_a_sweep_has_the_training_of_its_arguments():
    training = minimal(penalty=fn.L2(0.1), batch=fn.MiniBatch(1), stop=fn.Stop(5), dtype=np.float32)
    sweep = fn.Sweep(
        **{name: getattr(training, name) for name in ("task", "model", "loss", "optimizer", "penalty")},
        **{name: getattr(training, name) for name in ("batch", "stop", "dtype")},
        axes={"weight": [0.0]},
    )
    assert sweep.training == training and sweep.training.dtype == "float32"


def test_trainings_are_values():
    training = minimal(penalty=fn.L1(0.5))
    assert training == minimal(penalty=fn.L1(0.5)) != minimal()
    assert len({training, minimal(penalty=fn.L1(0.5)), minimal()}) == 2
    assert pickle.loads(pickle.dumps(training)) == training == copy.deepcopy(training)
    with pytest.raises(AttributeError):
        training.loss = fn.Huber()


def test_replace_changes_what_it_names():
    assert minimal().replace(loss=fn.CrossEntropy(), dtype="float32") == minimal(
        loss=fn.CrossEntropy(), dtype="float32"
    )
    with pytest.raises(ValueError, match=r"^optimiser: unknown field \(did you mean 'optimizer'\?\);"):
        minimal().replace(optimiser=fn.Adam(0.1))
    with pytest.raises(ValueError, match="^task.y"):
        minimal(task=fn.Task([0, 1], [2, 0])).replace(loss=fn.CrossEntropy())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": None}, "task must be a task such as tasks.inverter(), got None"),
        ({"model": "neuron"}, "model must be a model such as Neuron() or Network((2, 2, 1)), got 'neuron'"),
        ({"model": fn.Neuron(2)}, "model.inputs must be 1 as in the task, got 2"),
        ({"loss": fn.Sigmoid()}, "loss must be a loss such as SquaredError()"),
        ({"stop": 5}, "stop must be a rule such as Stop(max_steps=2000), got 5"),
        ({"dtype": "float16"}, "dtype must be 'float64' or 'float32', got 'float16'"),
        ({"batch": fn.MiniBatch(3)}, "batch.size must be at most 2, the samples of the task, got 3"),
        ({"optimizer": fn.GradientDescent(1e300), "dtype": "float32"}, "optimizer.learning_rate must be"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_one_line_that_names_it(changes, message):
    with pytest.raises(ValueError) as caught:
        minimal(**changes)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_random_starts_of_a_descent_are_numbers_of_its_dtype():
    with pytest.raises(ValueError, match=r"^start.weight must be a finite number in float32, got 1e\+300$"):
        fn.descend(
            fn.tasks.inverter(),
            fn.Neuron(),
            loss=fn.SquaredError(),
            optimizer=fn.GradientDescent(1.0),
            start={"weight": fn.normal(1e300, 1)},
            steps=1,
            dtype="float32",
        )
