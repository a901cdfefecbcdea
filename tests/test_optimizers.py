"""The optimizers against torch.optim's own runs (tests/golden/make_torch_optimizers.py made them)."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.optimizers import optimizers

GOLDEN = json.loads((Path(__file__).parent / "golden" / "torch_optimizers.json").read_text())
INVERTER = {"task": fn.tasks.inverter(), "model": fn.Neuron(), "loss": fn.SquaredError()}


def test_every_optimizer_that_torch_has_is_held_to_it():
    held = {run["optimizer"] for run in GOLDEN["runs"]}
    assert {cls.__name__ for cls in optimizers.classes.values()} - held == {"SignDescent"}


@pytest.mark.parametrize("run", GOLDEN["runs"], ids=lambda run: f"{run['optimizer']}-{run['fields']}")
def test_a_thousand_steps_are_torchs(run):
    optimizer = getattr(fn, run["optimizer"])(**run["fields"])
    path = fn.descend(**INVERTER, optimizer=optimizer, start={"weight": 0.6, "bias": 0.9}, steps=1000)
    ours = np.stack([path.weight.values, path.bias.values], axis=1)[::10]
    theirs = np.array(run["path"])
    assert np.abs(theirs[-1] - theirs[0]).max() > 0.5
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "run",
    [run for run in GOLDEN["runs"] if run["optimizer"] in ("AdaGrad", "AdamW")],
    ids=lambda run: run["optimizer"],
)
def test_float32_runs_end_near_torchs(run):
    optimizer = getattr(fn, run["optimizer"])(**run["fields"])
    start = {"weight": 0.6, "bias": 0.9}
    path = fn.descend(**INVERTER, optimizer=optimizer, start=start, steps=1000, dtype="float32")
    assert path.weight.dtype == np.float32
    ours = [path.weight.values[-1], path.bias.values[-1]]
    np.testing.assert_allclose(ours, run["path"][-1], rtol=1e-3)


def test_sign_descent_moves_every_parameter_by_the_learning_rate_or_not_at_all():
    path = fn.descend(
        **INVERTER, optimizer=fn.SignDescent(0.125), start={"weight": 0.5, "bias": 1.0}, steps=40
    )
    for name in ("weight", "bias"):
        moves = np.abs(np.diff(path[name].values))
        assert set(moves) <= {0.0, 0.125}
    assert path.error.values[-1] < path.error.values[0]


def test_sign_descent_does_not_hide_a_gradient_that_is_not_finite():
    """Cross-entropy of a ReLU above 1 has no value: the start has diverged, however small the step."""
    sweep = fn.Sweep(
        task=fn.Task([1.0], [0.0]),
        model=fn.Neuron(activation=fn.ReLU()),
        loss=fn.CrossEntropy(),
        optimizer=fn.SignDescent(0.01),
        axes={"bias": [0.5, 2.0]},
        stop=fn.Stop(max_steps=5, tolerance=0.0),
    )
    result = sweep.run(progress=False)
    assert result.outcome.values.tolist() == [fn.Outcome.UNFINISHED, fn.Outcome.DIVERGED]
    assert result.steps.values.tolist() == [5, 0]


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("dtype, large", [(np.float64, 1e200), (np.float32, 1e30)])
@pytest.mark.parametrize("cls", [fn.RMSProp, fn.Adam, fn.AdamW, fn.AdaGrad])
def test_a_step_is_0_where_the_square_of_a_gradient_overflows(cls, dtype, large, decay):
    """The mean square is infinite by the formula, and stays so, but for a decay of 0."""
    fields = {"RMSProp": {"decay": decay}, "AdaGrad": {}}.get(cls.__name__, {"beta2": decay})
    fields |= {"weight_decay": 0.0} if cls is fn.AdamW else {}
    optimizer = cls(learning_rate=0.5, **fields)
    parameter, memory = dtype(3), (dtype(0),) * optimizer.slots
    with np.errstate(over="ignore"):
        for gradient in (large, -large, large):
            parameter, *memory = optimizer.step(parameter, dtype(gradient), tuple(memory))
            assert parameter == 3
        parameter, *memory = optimizer.step(parameter, dtype(0.5), tuple(memory))
    assert (parameter == 3) == (decay > 0 or cls is fn.AdaGrad) and np.isfinite(parameter)


@pytest.mark.parametrize(
    "optimizer, dtype, large",
    [
        (fn.RMSProp(0.5), "float64", 1e200),
        (fn.RMSProp(0.5, 0.0), "float64", 1e200),
        (fn.AdaGrad(0.5), "float64", 1e200),
        (fn.Adam(0.5), "float64", 1e200),
        (fn.AdaGrad(0.5), "float32", 1e30),
        (fn.AdamW(0.5), "float32", 1e30),
    ],
    ids=str,
)
def test_a_start_whose_squared_gradient_overflows_stays_where_it_is(optimizer, dtype, large):
    """Compiled, for each optimizer and for each dtype; for every pair the test above shows it, in NumPy."""
    parts = INVERTER | {"task": fn.Task([large, large], [0.0, 0.0])}
    path = fn.descend(**parts, optimizer=optimizer, start={"weight": 0.0}, steps=4, dtype=dtype)
    assert path.weight.values.tolist() == [0.0] * 5
    assert (np.diff(path.bias.values) < 0).all()
