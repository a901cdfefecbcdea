"""``fastneuron descend``: one training run, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fastneuron.cli import files, pictures, printing
from fastneuron.cli import spec as specs
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File, Numbers, Overrides, Whole, check_whole

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep

ROWS = 12
SHOWN_OUTPUTS = 4
STEPS = 300
# the options that set what an error begins with
_OPTIONS = {
    "task.name": "--task",
    "task: x": "--x",
    "task: y": "--y",
    "model.activation": "--activation",
    "loss": "--loss",
    "loss.name": "--loss",
    "optimizer": "--optimizer",
    "optimizer.name": "--optimizer",
    "optimizer.learning_rate": "--learning-rate",
    "optimizer.momentum": "--momentum",
    "penalty": "--penalty",
    "penalty.name": "--penalty",
    "penalty.strength": "--strength",
}


def descend(
    spec_file: Annotated[File | None, Parameter(name="SPEC.toml")] = None,
    /,
    *,
    weight: Numbers | None = None,
    bias: float | None = None,
    task: str | None = None,
    x: Numbers | None = None,
    y: Numbers | None = None,
    activation: str | None = None,
    loss: str | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    momentum: float | None = None,
    penalty: str | None = None,
    strength: float | None = None,
    steps: Whole | None = None,
    overrides: Overrides = (),
    components: Components = (),
    out: File | None = None,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """Train one neuron from one start and show its steps.

    Without options or a spec: the inverter, a sigmoid, squared error and gradient descent with learning rate 30, as in 'fastneuron map', for 300 steps. The table shows about a dozen steps, ever further apart; the picture shows the response curves from the first to the last, and a .gif or .mp4 shows them moving.

    For example, the first case in chapter 3 of Nielsen's Neural Networks and Deep Learning:

    fastneuron descend --x 1 --y 0 --weight 0.6 --bias 0.9 --learning-rate 0.15 --steps 300 --out run.png

    Parameters
    ----------
    spec_file
        Take task, model, loss, penalty, optimizer, batch and start from this spec; its axes are passed over.
    weight
        Starting weight, or one for each input.
    bias
        Starting bias.
    task
        Task to learn; 'fastneuron tasks' lists them.
    x
        Inputs of a task of your own, one a sample; with --y.
    y
        Targets for them.
    activation
        The neuron's activation.
    loss
        What is minimised.
    optimizer
        How a step is made; another one than the spec's needs its own --learning-rate.
    learning_rate
        Size of a step.
    momentum
        Share of the last step that is kept, for --optimizer momentum.
    penalty
        Penalty on the parameters, l1 or l2; with --strength.
    strength
        Strength of the penalty.
    steps
        Number of steps; without it 300, or the spec's stop.max_steps.
    overrides
        Change any other entry of the spec, as in 'fastneuron map'. May be repeated.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    out
        Draw the progress to this file (.png, .svg or .pdf), or animate it (.gif; .mp4 where ffmpeg is).
    json
        Print one JSON document, with every step, instead of the table.
    quiet
        No progress bar.
    """
    load_components(components, overrides, activation, loss, optimizer, penalty)
    table = specs.read(spec_file, overrides)
    _choose_task(table, task, x, y)
    _set(table, "model", {"activation": activation})
    own = {path for path in specs.paths(overrides) if path[1:] != ("name",)}
    _choose(table, "loss", loss, own, {})
    _choose(table, "optimizer", optimizer, own, {"learning_rate": learning_rate, "momentum": momentum})
    _choose(table, "penalty", penalty, own, {"strength": strength})
    typed = {
        option
        for option, value in {
            "--task": task,
            "--x": x,
            "--y": y,
            "--activation": activation,
            "--loss": loss,
            "--optimizer": optimizer,
            "--learning-rate": learning_rate,
            "--momentum": momentum,
            "--penalty": penalty if strength is None else strength,
            "--strength": strength,
        }.items()
        if value is not None
    }
    with specs.naming(specs.as_typed(overrides)), specs.naming(_OPTIONS, typed):
        sweep = _single(table, weight, bias)
    if steps is None:
        steps = STEPS if spec_file is None else int(sweep.stop.max_steps)
    check_whole("--steps", steps, 1, 2**31 - 1)
    if out is not None:
        files.check_picture(out, (*files.PICTURES, *files.ANIMATIONS))
        pictures.load_matplotlib()
        if out.suffix.lower() in files.ANIMATIONS and sweep.model.inputs > 1:
            raise ValueError(
                f"{out}: an animation needs a task of one input, this one has {sweep.model.inputs}"
            )
    from fastneuron.engine.trajectories import descend as follow

    path = follow(
        sweep.task,
        sweep.model,
        loss=sweep.loss,
        optimizer=sweep.optimizer,
        penalty=sweep.penalty,
        batch=sweep.batch,
        start={name: float(axis.values()[0]) for name, axis in sweep.axes.items()},
        steps=steps,
        dtype=sweep.dtype,
    )
    if out is not None:
        _draw(path, sweep, out, quiet)
    if json:
        printing.show(printing.document(_document(path, sweep) | {"picture": out and str(out)}))
        return
    printing.show(_text(path, sweep))
    if out is not None:
        printing.show(f"\nwrote {printing.word(out)}")


def _choose_task(
    table: dict[str, Any], task: str | None, x: list[float] | None, y: list[float] | None
) -> None:
    if task is not None and (x is not None or y is not None):
        raise ValueError("give --task, or --x and --y, not both")
    if task is not None:
        table["task"] = {"name": task}
    elif x is not None or y is not None:
        table["task"] = {key: given for key, given in (("x", x), ("y", y)) if given is not None}


def _choose(
    table: dict[str, Any],
    role: str,
    name: str | None,
    kept: set[tuple[str, ...]],
    fields: dict[str, float | None],
) -> None:
    """Give `role` another component, which of the one before has no more than is `kept`, or other fields."""
    given = table.get(role, {})
    before = {"name": given} if isinstance(given, str) else given
    if name is not None and isinstance(before, dict) and not specs.same_name(before.get("name"), name):
        table[role] = {"name": name} | {key: before[key] for key in before if (role, key) in kept}
    _set(table, role, fields)


def _set(table: dict[str, Any], role: str, fields: dict[str, Any]) -> None:
    given = {key: value for key, value in fields.items() if value is not None}
    before = table.get(role, {})
    if given:
        before = {"name": before} if isinstance(before, str) else before
        table[role] = before | given if isinstance(before, dict) else before


def _single(table: dict[str, Any], weight: list[float] | None, bias: float | None) -> Sweep:
    """The sweep of one start, so that all is checked as for a map."""
    from fastneuron import tasks
    from fastneuron.components import checked_number, shown
    from fastneuron.models import Neuron
    from fastneuron.sweep import Sweep

    for key in ("task", "start"):
        if not isinstance(table.setdefault(key, {}), dict):
            raise ValueError(f"{key} must be a table, got {shown(table[key])}")
    if isinstance(table.get("model"), dict) and "sizes" in table["model"]:
        raise ValueError(
            "model: descend follows a neuron; for a network use map, or fastneuron.descend in Python"
        )
    names = Neuron(tasks.from_spec(table["task"]).inputs).parameters
    start = dict.fromkeys(names, 0.0) | table.pop("start")
    table.pop("draws", None)
    if bias is not None:
        start["bias"] = checked_number("--bias", bias)
    if weight is not None:
        if len(weight) != len(names) - 1:
            raise ValueError(f"--weight: the task has {len(names) - 1} inputs, got {len(weight)} weights")
        start |= {name: checked_number("--weight", w) for name, w in zip(names, weight, strict=False)}
    for name, value in start.items():
        if isinstance(value, dict | list):
            what = "several" if isinstance(value, list) or "values" in value else "random"
            raise ValueError(f"start.{name} is {what}; one start needs a number: give --weight or --bias")
    table["axes"] = {name: [value] for name, value in start.items()}
    return Sweep.from_spec(table)


def _document(path: xarray.Dataset, sweep: Sweep) -> dict[str, Any]:
    return {
        "step": path["step"].values,
        "parameters": {name: path[name].values for name in sweep.model.parameters},
        "loss": path["loss"].values,
        "error": path["error"].values,
        "output": path["output"].transpose("step", ...).values,
    }


def _text(path: xarray.Dataset, sweep: Sweep) -> str:
    import numpy as np

    last = path.sizes["step"] - 1
    shown = np.unique([0, *np.round(np.geomspace(1, last, min(ROWS - 1, last))).astype(int)])
    names = [*sweep.model.parameters, "loss", "error"]
    inputs = [",".join(f"{value:g}" for value in row) for row in sweep.task.x][:SHOWN_OUTPUTS]
    outputs = path["output"].transpose("step", ...).values
    rows = [
        [
            str(int(path["step"].values[i])),
            *(printing.number(float(path[name].values[i])) for name in names),
            *(f"{a:.4f}" for a in outputs[i, : len(inputs)]),
        ]
        for i in shown
    ]
    return printing.table(["step", *names, *(f"output({x})" for x in inputs)], rows, text=())


def _draw(path: xarray.Dataset, sweep: Sweep, out: Path, quiet: bool) -> None:
    from fastneuron.plot import Picture

    kind = "animate_response" if out.suffix.lower() in files.ANIMATIONS else "progress"
    steps = {"steps": path.sizes["step"] - 1}
    Picture(kind, steps).save(out, pictures.only_sweep(sweep), False if quiet else None)
