"""Hidden units: how the outputs of a layer of random networks are spread."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch

from fastneuron.models import network_in
from fastneuron.plot.caption import sweep_of
from fastneuron.plot.grid import axes_for, require
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import legend_right
from fastneuron.plot.palette import CATEGORIES
from fastneuron.plot.shown_part import drawn_sweep
from fastneuron.sweep import Sweep


@kind((7.5, 4.5))
def hidden_units(
    dataset: xr.Dataset,
    *,
    ax: Axes | None = None,
    layer: int = 0,
    samples: Sequence[str] | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[StepPatch]:
    """Draw a histogram of the outputs of a layer for every sample.

    Parameters
    ----------
    dataset : Dataset
        What `activity` returns, or a result of a network's sweep over draws: its networks answer anew.
    ax : Axes, optional
        Where to draw; default a new figure.
    layer : int, -layers <= layer < layers
        Its number, 0 for the first hidden one; -1 is the last, that of the outputs.
    samples : sequence of str, optional
        Names of the samples; default their coordinates.
    title : str, optional
        Default: the layer, and how many networks.
    legend : bool
        Name the samples, with their mean outputs, at the right.

    Returns
    -------
    list of StepPatch
        One for each sample.

    Raises
    ------
    ValueError
        If `dataset` is something else, or has no such layer, or `samples` not a name for each sample.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> model = fn.Network((784, 30, 10))
    >>> answers = fn.activity(model, [[0.0] * 784, [1.0] * 784], draws=100)
    >>> drawn = fn.plot.hidden_units(answers, ax=Figure().subplots())
    >>> len(drawn)
    2
    """
    if isinstance(dataset, xr.Dataset) and "histogram" not in dataset and sweep_of(dataset).get("draws"):
        dataset = _answers(drawn_sweep(dataset))
    require(dataset, "histogram", "mean", "outside")
    for dim in ("layer", "sample"):
        if dim in dataset.coords and dim not in dataset.dims:  # one was selected
            dataset = dataset.expand_dims(dim)
    dims = {str(dim) for dim in dataset["histogram"].dims}
    if dims != {"layer", "sample", "bin"}:
        wanted = "this picture needs the answers that activity gives, over layer, sample and bin"
        raise ValueError(f"{wanted}, got {', '.join(sorted(dims))}; select the others with .isel or .sel")
    layers = dataset.sizes["layer"]
    if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not -layers <= layer < layers:
        raise ValueError(f"layer must be a whole number from {-layers} to {layers - 1}, got {layer!r}")
    if samples is not None:
        if len(samples) != dataset.sizes["sample"]:
            raise ValueError(f"samples must be {dataset.sizes['sample']} names, got {len(samples)}")
        dataset = dataset.assign_coords(sample=list(samples))
    here = dataset.isel(layer=layer)
    edges = np.append(here["bin_left"].values, here["bin_right"].values[-1])
    ax = axes_for(ax)
    drawn = []
    for k, sample in enumerate(here["sample"].values):
        one = here.isel(sample=k)
        counts = one["histogram"].values
        total = int(counts.sum() + one["outside"].item())
        color = CATEGORIES[k % len(CATEGORIES)]
        name = sample if isinstance(sample, str) else f"sample {sample}"
        label = f"{name}\nmean {one['mean'].item():.3g}"
        drawn.append(ax.stairs(counts / total, edges, color=color, linewidth=1.6, label=label))
        ax.stairs(counts / total, edges, color=color, fill=True, alpha=0.25)
    units = int(here["width"].item())
    told = f"{_place(dataset, int(here['layer'].item()))}, {units} unit{'s' * (units != 1)}"
    networks = np.unique((here["histogram"].sum("bin") + here["outside"]).values) // units
    if len(networks) == 1:
        draws = int(networks[0])
        told += f", {draws:,} random network{'s' * (draws != 1)}"
    ax.set(
        xlim=(edges[0], edges[-1]), ylim=(0, None), xlabel="output a of a unit", ylabel="share of the outputs"
    )
    ax.set_title(told if title is None else title, loc="left", fontsize="medium")
    if legend:
        legend_right(ax, drawn)
    return drawn


def _place(dataset: xr.Dataset, number: int) -> str:
    """What a layer is called, of which the dataset need not hold all."""
    sizes = re.search(r"sizes=\(([\d, ]+)\)", str(dataset.attrs.get("model", "")))
    layers = len(re.findall(r"\d+", sizes[1])) - 1 if sizes else 0
    if number == layers - 1:
        return "outputs"
    return (
        "hidden layer" if layers == 2 else f"hidden layer {number + 1}" if layers else f"layer {number + 1}"
    )


def _answers(sweep: Sweep) -> xr.Dataset:
    """How the networks that a sweep starts from answer to its task's inputs."""
    from fastneuron.engine.activity import activity

    if not sweep.model.layer_names or not sweep.draws or sweep.axes:
        raise ValueError("the answers of hidden units are drawn of a network's sweep over draws alone")
    network, sources = network_in(sweep.model), sweep.start
    return activity(network, sweep.task.x, start=sources, draws=sweep.draws, seed=sweep.seed, progress=False)
