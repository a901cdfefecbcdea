"""``fastneuron tasks``: everything that a spec or an option can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastneuron.cli import printing

if TYPE_CHECKING:
    from fastneuron.components import Registry
    from fastneuron.tasks import Task

SHOWN_SAMPLES = 8


def tasks(*, json: bool = False) -> None:
    """List the tasks with their truth tables, and the activations, losses, penalties, optimizers and batches.

    Parameters
    ----------
    json
        Print one JSON document instead of tables.
    """
    from fastneuron import tasks as known
    from fastneuron.activations import activations
    from fastneuron.batches import batches
    from fastneuron.losses import losses
    from fastneuron.optimizers import optimizers
    from fastneuron.penalties import penalties

    named = {name: make() for name, make in known.NAMED.items()}
    registries = {
        "activations": activations,
        "losses": losses,
        "penalties": penalties,
        "optimizers": optimizers,
        "batches": batches,
    }
    if json:
        report: dict[str, Any] = {
            "tasks": {name: {"x": task.x, "y": task.y[:, 0]} for name, task in named.items()}
        }
        report |= {plural: _components(registry) for plural, registry in registries.items()}
        print(printing.document(report))
        return
    rows = [[name, str(task.inputs), _truth_table(task)] for name, task in named.items()]
    print(printing.table(["task", "inputs", "truth table"], rows, text=(0, 2)))
    for plural, registry in registries.items():
        rows = [
            [name, ", ".join(_field(*field) for field in entry["fields"].items()), entry["doc"]]
            for name, entry in _components(registry).items()
        ]
        print()
        print(printing.table([plural, "fields", "meaning"], rows, text=(0, 1, 2)))


def _truth_table(task: Task) -> str:
    if task.samples > SHOWN_SAMPLES:
        return f"{task.samples} points: 1 left of 0.5, else 0"
    return "  ".join(
        f"{' '.join(f'{v:g}' for v in x)} -> {y:g}" for x, y in zip(task.x, task.y[:, 0], strict=True)
    )


def _components(registry: Registry) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "fields": {
                field: {"allowed": cls.bounds[field].allowed, "default": cls._field_defaults.get(field)}
                for field in cls._fields
            },
            "doc": (cls.__doc__ or "").strip().partition("\n")[0],
        }
        for name, cls in registry.classes.items()
    }


def _field(name: str, entry: dict[str, Any]) -> str:
    default = entry["default"]
    return name if default is None else f"{name} = {default:g}"
