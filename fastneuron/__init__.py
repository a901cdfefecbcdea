"""Maps of the training dynamics of small neurons.

``import fastneuron`` loads nothing else yet: every public name is imported when it is first used. The
components need no entry here: what a registry holds is public.
"""

import importlib

# not typing's: its import takes longer than all of this, and `python -m fastneuron` would take a file of the
# current folder for it
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

# name -> module that defines it; a module's own name stands for the module itself
_HOMES = {
    "Network": "models",
    "Neuron": "models",
    "Outcome": "outcomes",
    "Stop": "outcomes",
    "Sweep": "sweep",
    "Task": "tasks",
    "Training": "training",
    "activity": "engine.activity",
    "check": "engine.check",
    "component": "components",
    "constant": "elementary",
    "descend": "engine.trajectories",
    "elementary": "elementary",
    "figures": "figures",
    "forward": "engine.response",
    "geomspace": "axes",
    "info": "engine.environment",
    "linspace": "axes",
    "measures": "measures",
    "normal": "starts",
    "open": "store",
    "plot": "plot",
    "replay": "engine.trajectories",
    "tasks": "tasks",
    "uniform": "starts",
    "warmup": "engine.environment",
}
_REGISTRIES = ("activations", "losses", "penalties", "optimizers", "batches", "reducers")

if TYPE_CHECKING:
    from typing import Any

    from fastneuron import elementary as elementary
    from fastneuron import figures as figures
    from fastneuron import measures as measures
    from fastneuron import plot as plot
    from fastneuron import tasks as tasks
    from fastneuron.activations import *
    from fastneuron.axes import geomspace as geomspace
    from fastneuron.axes import linspace as linspace
    from fastneuron.batches import *
    from fastneuron.components import component as component
    from fastneuron.elementary import constant as constant
    from fastneuron.engine.activity import activity as activity
    from fastneuron.engine.check import check as check
    from fastneuron.engine.environment import info as info
    from fastneuron.engine.environment import warmup as warmup
    from fastneuron.engine.response import forward as forward
    from fastneuron.engine.trajectories import descend as descend
    from fastneuron.engine.trajectories import replay as replay
    from fastneuron.losses import *
    from fastneuron.models import Network as Network
    from fastneuron.models import Neuron as Neuron
    from fastneuron.optimizers import *
    from fastneuron.outcomes import Outcome as Outcome
    from fastneuron.outcomes import Stop as Stop
    from fastneuron.penalties import *
    from fastneuron.reducers import *
    from fastneuron.starts import normal as normal
    from fastneuron.starts import uniform as uniform
    from fastneuron.store import open as open
    from fastneuron.sweep import Sweep as Sweep
    from fastneuron.tasks import Task as Task
    from fastneuron.training import Training as Training


def _components() -> "dict[str, Any]":
    """The public component classes by name: the base of each role, and what its registry holds."""
    registries = [getattr(importlib.import_module(f"fastneuron.{name}"), name) for name in _REGISTRIES]
    classes = [cls for registry in registries for cls in (registry.base, *registry.classes.values())]
    return {cls.__name__: cls for cls in classes if cls.__module__.startswith("fastneuron.")}


def __getattr__(name: str) -> "Any":
    value: Any  # which is not evaluated
    if name in _HOMES:
        module = importlib.import_module(f"fastneuron.{_HOMES[name]}")
        value = module if _HOMES[name] == name else getattr(module, name)
    elif name == "__all__":
        # open would hide Python's own
        return sorted({*_HOMES, *_components(), "__version__"} - {"open"})
    elif name[:1].isupper() and name in _components():  # not for a module: all components would be loaded
        value = _components()[name]
    else:
        raise AttributeError(f"module 'fastneuron' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_HOMES, *_components(), "__version__"})
