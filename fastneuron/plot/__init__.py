"""Pictures of results: each takes a result, draws on `ax` (or a new figure) and returns the artists.

No picture shows itself, and none changes Matplotlib's settings. Legends stand outside the axes: give
figures of your own ``layout="constrained"``. `save` makes a file that carries its sweep.
"""

from __future__ import annotations

from fastneuron.plot.hidden_units import hidden_units
from fastneuron.plot.learned_map import learned
from fastneuron.plot.loss_map import loss
from fastneuron.plot.metadata import spec_in
from fastneuron.plot.outcome_map import outcome
from fastneuron.plot.picture import Picture, save
from fastneuron.plot.progress import curve, progress
from fastneuron.plot.response_curve import neuron_response, response
from fastneuron.plot.steps_map import steps
from fastneuron.plot.trainability_map import trainability
from fastneuron.plot.trajectory_path import trajectory

__all__ = [
    "Picture",
    "curve",
    "hidden_units",
    "learned",
    "loss",
    "neuron_response",
    "outcome",
    "progress",
    "response",
    "save",
    "spec_in",
    "steps",
    "trainability",
    "trajectory",
]
