"""``fastneuron respond``: what one neuron answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron.cli import files, pictures, printing
from fastneuron.cli.flags import Numbers

if TYPE_CHECKING:
    from fastneuron.models import Neuron

INTERVALS = 1000


def respond(
    *,
    weight: float,
    bias: float,
    activation: str = "sigmoid",
    gain: float | None = None,
    at: Numbers = [0.0, 0.5, 1.0],  # noqa: B006 (cyclopts shows it as the default and never changes it)
    out: Path | None = None,
    json: bool = False,
) -> None:
    """Show the output of a neuron with one input, and how near it is to the flipped step.

    The output is activation(weight x + bias). The flipped step is 1 left of 0.5 and 0 right of it. Printed are the outputs at some inputs; the threshold -bias/weight, the input at which weight x + bias is 0; the steepness, the slope of the output there; the error, the larger of the distances of the output from 1 at input 0 and from 0 at input 1; and the mean distance from the flipped step over inputs from 0 to 1.

    For example:

    fastneuron respond --weight -20 --bias 10

    Parameters
    ----------
    weight
        The neuron's weight.
    bias
        The neuron's bias.
    activation
        The neuron's activation, without it sigmoid; 'fastneuron tasks' lists them.
    gain
        Factor on the pre-activation, for activations that have one.
    at
        Inputs to show; without it 0, 0.5 and 1.
    out
        Draw the response to this file (.png, .svg or .pdf).
    json
        Print one JSON document instead of the table.
    """
    from fastneuron.activations import activations
    from fastneuron.components import checked_number
    from fastneuron.models import Neuron
    from fastneuron.tasks import inverter

    spec: dict[str, Any] = {"name": activation} | ({} if gain is None else {"gain": gain})
    model = Neuron(activation=activations.from_spec(spec, "activation"))  # type: ignore[arg-type]
    parameters = {"weight": checked_number("--weight", weight), "bias": checked_number("--bias", bias)}
    inputs = [checked_number("--at", x) for x in at]
    if not inputs:
        raise ValueError("--at must have at least one input, got none")
    if out is not None:
        files.check_picture(out)
    report = _report(model, parameters, inputs)
    if out is not None:
        from fastneuron import plot

        pictures.save(out, lambda ax: plot.neuron_response(model, parameters, inverter(), at=inputs, ax=ax))
    print(printing.document(report | {"picture": out and str(out)}) if json else _text(report, out))


def _report(model: Neuron, parameters: dict[str, float], inputs: list[float]) -> dict[str, Any]:
    import numpy as np

    from fastneuron.engine.response import forward

    weight, bias = parameters["weight"], parameters["bias"]
    ends = forward(model, parameters, [0.0, 1.0])
    middles = (np.arange(INTERVALS) + 0.5) / INTERVALS
    step = (middles < 0.5).astype(float)
    centre = model.activation.value(0.0)
    return {
        "inputs": inputs,
        "outputs": [float(a) for a in forward(model, parameters, inputs)],
        "threshold": -bias / weight if weight else None,
        "steepness": float(weight * model.activation.slope(0.0, centre)),
        "error": float(max(abs(ends[0] - 1.0), abs(ends[1]))),
        "mean_distance": float(np.mean(np.abs(forward(model, parameters, middles) - step))),
    }


def _text(report: dict[str, Any], out: Path | None) -> str:
    rows = [[f"{x:g}", f"{a:.4f}"] for x, a in zip(report["inputs"], report["outputs"], strict=True)]
    threshold = report["threshold"]
    facts = [
        ["threshold", "none, the weight is 0" if threshold is None else f"{threshold:g}"],
        ["steepness", printing.number(report["steepness"])],
        ["error on the inverter", printing.number(report["error"])],
        ["mean distance from the flipped step", printing.number(report["mean_distance"])],
    ]
    width = max(len(name) for name, _ in facts)
    lines = [printing.table(["input", "output"], rows, text=()), ""]
    lines += [f"{name.ljust(width)}  {value}" for name, value in facts]
    return "\n".join(lines if out is None else [*lines, f"wrote {out}"])
