"""Pictures of results: each takes a result, draws on `ax` (or a new figure) and returns the artists.

No picture shows or saves itself, and none changes Matplotlib's settings. Legends
stand outside the axes: give figures of your own ``layout="constrained"``.
"""

from __future__ import annotations

from fastneuron.plot.hidden_units import hidden_units
from fastneuron.plot.learned_map import learned
from fastneuron.plot.loss_map import loss
from fastneuron.plot.loss_paths import loss_curves
from fastneuron.plot.outcome_map import outcome
from fastneuron.plot.outcome_shares import shares
from fastneuron.plot.response_curve import neuron_response, response
from fastneuron.plot.small_multiples import small_multiples
from fastneuron.plot.steps_histogram import steps_distribution
from fastneuron.plot.steps_map import steps
from fastneuron.plot.trainability_map import trainability
from fastneuron.plot.trajectory_path import trajectory

__all__ = [
    "hidden_units",
    "learned",
    "loss",
    "loss_curves",
    "neuron_response",
    "outcome",
    "response",
    "shares",
    "small_multiples",
    "steps",
    "steps_distribution",
    "trainability",
    "trajectory",
]
