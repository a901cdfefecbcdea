"""What random networks answer to an image, as ``fastneuron respond --network`` tells it.

Not here: the options (`fastneuron.cli.respond`); how images are read (`fastneuron.cli.images`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron.cli import images, printing

if TYPE_CHECKING:
    import numpy as np
    import xarray

    from fastneuron.activations import Activation
    from fastneuron.models import Network

NEAR_ZERO = 1e-9


def network_named(text: str, activation: Activation, scale: str) -> Network:
    """The network that ``784-30-10`` means.

    Raises
    ------
    ValueError
        Naming the option.
    """
    from fastneuron.models import SCALES, Network

    if not re.fullmatch(r"\d{1,9}(-\d{1,9})+", text, re.ASCII):
        raise ValueError(
            f"--network must be numbers of units with dashes between them, as 784-30-10, got {text!r}"
        )
    if scale not in SCALES:
        raise ValueError(f"--scale must be one of {', '.join(SCALES)}, got {scale!r}")
    try:
        sizes = tuple(int(number) for number in text.split("-"))
        return Network(sizes, hidden=activation, output=activation, scale=scale)
    except ValueError as error:
        raise ValueError(f"--network: {error}") from None


def report(model: Network, name: str, image: str, draws: int, seed: int, out: Path | None) -> dict[str, Any]:
    """What is to be told; draws the first layer to `out`."""
    from fastneuron.engine.activity import activity

    x = images.pixels(image, name, model.inputs)
    found = activity(model, x[None], draws=draws, seed=seed)
    if out is not None:
        from fastneuron.plot import save

        label = f"{image} image" if image in images.PLAIN else Path(image).name
        save(out, found.assign_attrs(sweep=_sweep(model, x, draws, seed)), "hidden_units", samples=[label])
    return {
        "network": list(model.sizes),
        "activation": type(model.hidden).__name__,
        "scale": model.scale,
        "image": image,
        "mean_input": float(x.mean()),
        "z_variance": model.layers[0].factor ** 2 * float(x @ x) + 1.0,
        "draws": draws,
        "seed": seed,
        "layers": [_layer(model, found.isel(layer=k, sample=0)) for k in range(found.sizes["layer"])],
        "picture": out and str(out),
    }


def _sweep(model: Network, x: np.ndarray, draws: int, seed: int) -> str:
    """A sweep over the same networks, as TOML; it trains them by a step."""
    from fastneuron.optimizers import GradientDescent
    from fastneuron.outcomes import Stop
    from fastneuron.sweep import Sweep
    from fastneuron.tasks import Task

    task = Task(x[None], [[0.5] * model.outputs], "image")
    stop = Stop(max_steps=1)
    sweep = Sweep(task=task, model=model, optimizer=GradientDescent(1.0), draws=draws, seed=seed, stop=stop)
    return sweep.to_toml()


def _layer(model: Network, found: xarray.Dataset) -> dict[str, Any]:
    number, units = int(found["layer"]), int(found["width"])
    hidden = len(model.sizes) - 2
    name = "output" if number == hidden else "hidden" if hidden == 1 else f"hidden {number + 1}"
    return {
        "layer": name,
        "units": units,
        "mean": float(found["mean"]),
        "spread": float(found["variance"]) ** 0.5,
        "low_share": float(found["low_share"]),
        "high_share": float(found["high_share"]),
        "all_above_half": float(found["all_above_half"]),
        "all_above_half_by_chance": 2.0**-units if _is_coin(model.hidden) else None,
    }


def _is_coin(activation: Activation) -> bool:
    """Whether an output is above 1/2 where z is above 0: as likely as not, as z is symmetric."""
    below, above = (float(activation.value(z)) for z in (-NEAR_ZERO, NEAR_ZERO))
    return below < 0.5 < above


def text(told: dict[str, Any]) -> str:
    """The table, and what it says to the question of a learner."""
    header = ["layer", "units", "mean", "spread", "below 0.01", "above 0.99", "all above 1/2", "by chance"]
    rows = [
        [
            layer["layer"],
            str(layer["units"]),
            f"{layer['mean']:.4f}",
            f"{layer['spread']:.4f}",
            *(f"{100 * layer[name]:.2f} %" for name in ("low_share", "high_share")),
            f"{round(layer['all_above_half'] * told['draws']):,}",
            _chance(layer["all_above_half_by_chance"]),
        ]
        for layer in told["layers"]
    ]
    lines = [printing.table(header, rows), "", *_answer(told)]
    return "\n".join(
        lines if told["picture"] is None else [*lines, f"wrote {printing.word(told['picture'])}"]
    )


def _chance(share: float | None) -> str:
    return "-" if share is None else printing.number(share)


def _inputs(told: dict[str, Any]) -> str:
    """What the inputs are, and what they make of z in the first layer."""
    mean, variance = told["mean_input"], told["z_variance"]
    which = f"all are {mean:g}" if told["image"] in images.PLAIN else f"their mean is {mean:.4g}"
    z = (
        f"normal with mean 0 and variance {variance:.6g}"
        if variance > 1
        else "its bias, whatever the weights"
    )
    return f"Inputs are ink, from 0, white, to 1, black; {which}. So z of a unit in the first layer is {z}."


def _answer(told: dict[str, Any]) -> list[str]:
    first, draws = told["layers"][0], told["draws"]
    networks = f"{draws:,} network{'s' * (draws != 1)}"
    lines = [
        f"{networks}, all weights and biases normal with mean 0 and spread 1, seed {told['seed']}",
        _inputs(told),
    ]
    chance, units = first["all_above_half_by_chance"], first["units"]
    if chance is None:
        return lines
    what = "outputs" if first["layer"] == "output" else "hidden outputs"
    count = round(first["all_above_half"] * draws)
    share = f"{100 * first['high_share']:.2f} % of them are above 0.99"
    every = f"all {units} of a network are" if units > 1 else "the one of a network is"
    return [
        *lines,
        f"Not all {what} are 1: {share}, and {every} above 1/2 in {count:,} of {networks}."
        if first["high_share"] < 1
        else f"All {what} are above 0.99.",
        "Each of a network's is above 1/2 or below by a toss of its own: "
        f"{f'all {units} are' if units > 1 else 'it is'} above with probability 2^-{units} = {_chance(chance)}.",
    ]
