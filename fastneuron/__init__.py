"""fastneuron maps the training dynamics of small neurons.

``import fastneuron`` loads nothing else yet: every public name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> module that defines it; a module's own name stands for the module itself
_HOMES = {
    "Activation": "activations",
    "CrossEntropy": "losses",
    "GradientDescent": "optimizers",
    "Identity": "activations",
    "L1": "penalties",
    "L2": "penalties",
    "Loss": "losses",
    "Momentum": "optimizers",
    "Neuron": "models",
    "Optimizer": "optimizers",
    "Outcome": "outcomes",
    "Penalty": "penalties",
    "PerceptronLoss": "losses",
    "ReLU": "activations",
    "Sigmoid": "activations",
    "SquaredError": "losses",
    "Step": "activations",
    "Stop": "outcomes",
    "Sweep": "sweep",
    "Tanh": "activations",
    "Task": "tasks",
    "component": "components",
    "constant": "elementary",
    "descend": "engine.trajectories",
    "elementary": "elementary",
    "forward": "engine.response",
    "geomspace": "axes",
    "info": "engine.environment",
    "linspace": "axes",
    "measures": "measures",
    "open": "store",
    "plot": "plot",
    "tasks": "tasks",
    "warmup": "engine.environment",
}

__all__ = sorted({*_HOMES, "__version__"} - {"open"})

if TYPE_CHECKING:
    from fastneuron import elementary as elementary
    from fastneuron import measures as measures
    from fastneuron import plot as plot
    from fastneuron import tasks as tasks
    from fastneuron.activations import Activation as Activation
    from fastneuron.activations import Identity as Identity
    from fastneuron.activations import ReLU as ReLU
    from fastneuron.activations import Sigmoid as Sigmoid
    from fastneuron.activations import Step as Step
    from fastneuron.activations import Tanh as Tanh
    from fastneuron.axes import geomspace as geomspace
    from fastneuron.axes import linspace as linspace
    from fastneuron.components import component as component
    from fastneuron.elementary import constant as constant
    from fastneuron.engine.environment import info as info
    from fastneuron.engine.environment import warmup as warmup
    from fastneuron.engine.response import forward as forward
    from fastneuron.engine.trajectories import descend as descend
    from fastneuron.losses import CrossEntropy as CrossEntropy
    from fastneuron.losses import Loss as Loss
    from fastneuron.losses import PerceptronLoss as PerceptronLoss
    from fastneuron.losses import SquaredError as SquaredError
    from fastneuron.models import Neuron as Neuron
    from fastneuron.optimizers import GradientDescent as GradientDescent
    from fastneuron.optimizers import Momentum as Momentum
    from fastneuron.optimizers import Optimizer as Optimizer
    from fastneuron.outcomes import Outcome as Outcome
    from fastneuron.outcomes import Stop as Stop
    from fastneuron.penalties import L1 as L1
    from fastneuron.penalties import L2 as L2
    from fastneuron.penalties import Penalty as Penalty
    from fastneuron.store import open as open
    from fastneuron.sweep import Sweep as Sweep
    from fastneuron.tasks import Task as Task


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fastneuron' has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f"fastneuron.{home}")
    value = module if home == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "open"]
