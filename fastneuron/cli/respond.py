"""``fastneuron respond``: what one neuron answers, or the units of random networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron.cli import files, pictures, printing
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File, Numbers, Whole

if TYPE_CHECKING:
    from fastneuron.activations import Activation
    from fastneuron.models import Neuron

AT = [0.0, 0.5, 1.0]
DRAWS = 10_000
INTERVALS = 1000


def respond(
    *,
    weight: float | None = None,
    bias: float | None = None,
    network: str | None = None,
    image: str | None = None,
    draws: Whole | None = None,
    seed: Whole | None = None,
    scale: str | None = None,
    activation: str = "sigmoid",
    components: Components = (),
    gain: float | None = None,
    at: Numbers | None = None,
    out: File | None = None,
    json: bool = False,
) -> None:
    """Show the output of a neuron and how near it is to the flipped step, or what the units of random networks answer to an image.

    The output of a neuron with one input is activation(weight x + bias). The flipped step is 1 left of 0.5 and 0 right of it. Printed are the outputs at some inputs; the threshold -bias/weight, the input at which weight x + bias is 0; the steepness, the slope of the output there; the error, the larger of the distances of the output from 1 at input 0 and from 0 at input 1; and the mean distance from the flipped step over inputs from 0 to 1.

    With --network, many networks are made, all weights and biases drawn from the normal distribution with mean 0 and standard deviation 1. Printed are, for each layer, the mean of the outputs of all its units and networks and their spread (standard deviation); the shares below 0.01 and above 0.99; in how many networks all units are above 1/2; and the probability of that if each unit is above or below by the toss of a coin.

    For example:

    fastneuron respond --weight -20 --bias 10

    fastneuron respond --network 784-30-10 --image black

    Parameters
    ----------
    weight
        The neuron's weight.
    bias
        The neuron's bias.
    network
        Instead of a neuron, networks of this shape: the numbers of inputs, of the units of each hidden layer, and of outputs, as 784-30-10.
    image
        With --network: black (all inputs 1), white (all 0), or a file with as many pixels as there are inputs, which are ink from 0, white, to 1, black: a picture, dark on white, or a .csv or .npy file of such numbers.
    draws
        With --network: how many networks; without it 10,000.
    seed
        With --network: the key of the random numbers; without it 0.
    scale
        With --network: the factor on the weighted sums of a layer: none (without it), fan_in, xavier, he or mean_field.
    activation
        The activation of the neuron, or of all layers; without it sigmoid; 'fastneuron tasks' lists them.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    gain
        Factor on the pre-activation, for activations that have one.
    at
        Inputs of the neuron to show; without it 0, 0.5 and 1.
    out
        Draw the response, or the histogram of the outputs of the first layer, to this file (.png, .svg or .pdf).
    json
        Print one JSON document instead of the table.
    """
    from fastneuron.activations import activations

    load_components(components, (), activation)
    neurons = {"--weight": weight, "--bias": bias, "--at": at}
    networks = {"--image": image, "--draws": draws, "--seed": seed, "--scale": scale}
    _check_mixture(network, neurons, networks)
    spec: dict[str, Any] = {"name": activation} | ({} if gain is None else {"gain": gain})
    function: Any = activations.from_spec(spec, "activation")
    if out is not None:
        files.check_picture(out)
        pictures.load_matplotlib()
    if network is None:
        _respond_neuron(function, weight, bias, AT if at is None else at, out, json)
        return
    from fastneuron.cli import networks as of_networks

    model = of_networks.network_named(network, function, scale or "none")
    told = of_networks.report(model, network, str(image), DRAWS if draws is None else draws, seed or 0, out)
    printing.show(printing.document(told) if json else of_networks.text(told))


def _check_mixture(network: str | None, neurons: dict[str, Any], networks: dict[str, Any]) -> None:
    """Raise ValueError where options are missing, or do not go together."""
    if network is not None:
        for name, value in neurons.items():
            if value is not None:
                raise ValueError(f"{name} is of a neuron and does not go with --network")
        if networks["--image"] is None:
            raise ValueError("--network needs --image: black, white or a file")
        return
    for name, value in networks.items():
        if value is not None:
            raise ValueError(f"{name} needs --network, as --network 784-30-10")
    missing = [name for name in ("--weight", "--bias") if neurons[name] is None]
    if missing:
        raise ValueError(f"{' and '.join(missing)} must be given, or --network and --image instead")


def _respond_neuron(
    activation: Activation, weight: Any, bias: Any, at: list[float], out: Path | None, json: bool
) -> None:
    from fastneuron.components import checked_number
    from fastneuron.models import Neuron
    from fastneuron.tasks import inverter

    model = Neuron(activation=activation)
    parameters = {"weight": checked_number("--weight", weight), "bias": checked_number("--bias", bias)}
    inputs = [checked_number("--at", x) for x in at]
    if not inputs:
        raise ValueError("--at must have at least one input, got none")
    report = _report(model, parameters, inputs)
    if out is not None:
        from fastneuron.optimizers import GradientDescent
        from fastneuron.plot import save
        from fastneuron.sweep import Sweep

        sweep = Sweep(
            task=inverter(),
            model=model,
            optimizer=GradientDescent(1.0),
            axes={name: [value] for name, value in parameters.items()},
        )
        save(out, pictures.only_sweep(sweep), "curve", at=inputs)
    printing.show(printing.document(report | {"picture": out and str(out)}) if json else _text(report, out))


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
    return "\n".join(lines if out is None else [*lines, f"wrote {printing.word(out)}"])
