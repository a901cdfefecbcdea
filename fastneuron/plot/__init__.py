"""Pictures of results: each takes a result, draws on `ax` (or a new figure) and returns the artists.

No picture shows itself, and none changes Matplotlib's settings. Legends stand outside the axes: give
figures of your own ``layout="constrained"``. `save` makes a file that carries its sweep.

Maps of a result over three axes are small multiples, a panel for each value of one axis, if no `ax` is given.

For print there is a style sheet, ``plt.style.use("fastneuron.plot.fastneuron")``: figures one column of a
journal wide (3.5 inches; two are 7), text of 7 points in the font that comes with Matplotlib, thin lines, 300
pixels an inch, and files that are the same for the same figure: SVG text as outlines and fixed names, if
``savefig`` is told ``metadata={"Date": None}`` (for PDF ``{"CreationDate": None}``).
"""

from __future__ import annotations

from fastneuron.plot.animate_axis import animate_axis
from fastneuron.plot.animate_map import animate_map
from fastneuron.plot.animate_response import animate_response
from fastneuron.plot.animation import Animation
from fastneuron.plot.basin_paths import basins
from fastneuron.plot.error_map import error
from fastneuron.plot.hidden_units import hidden_units
from fastneuron.plot.learned_map import learned
from fastneuron.plot.loss_landscape import landscape
from fastneuron.plot.loss_map import loss
from fastneuron.plot.loss_paths import loss_curves
from fastneuron.plot.metadata import spec_in
from fastneuron.plot.outcome_map import outcome
from fastneuron.plot.outcome_shares import shares
from fastneuron.plot.period_map import period
from fastneuron.plot.picture import Picture, save
from fastneuron.plot.progress import curve, progress
from fastneuron.plot.response_curve import neuron_response, response
from fastneuron.plot.small_multiples import small_multiples
from fastneuron.plot.step_field import vector_field
from fastneuron.plot.steps_histogram import steps_distribution
from fastneuron.plot.steps_map import steps
from fastneuron.plot.trainability_map import trainability
from fastneuron.plot.trajectory_path import trajectory

__all__ = [
    "Animation",
    "Picture",
    "animate_axis",
    "animate_map",
    "animate_response",
    "basins",
    "curve",
    "error",
    "hidden_units",
    "landscape",
    "learned",
    "loss",
    "loss_curves",
    "neuron_response",
    "outcome",
    "period",
    "progress",
    "response",
    "save",
    "shares",
    "small_multiples",
    "spec_in",
    "steps",
    "steps_distribution",
    "trainability",
    "trajectory",
    "vector_field",
]
