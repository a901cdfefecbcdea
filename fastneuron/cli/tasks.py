"""``fastneuron tasks``: everything that a spec or an option can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastneuron.cli import pictures, printing, spec

if TYPE_CHECKING:
    from fastneuron.components import Registry
    from fastneuron.tasks import Task


def tasks(*, json: bool = False) -> None:
    """List the tasks, the sweeps that 'fastneuron map' knows by name, and the activations, losses, penalties, optimizers, batches, reducers and kinds of picture.

    Parameters
    ----------
    json
        Print one JSON document instead of tables.
    """
    pictures.load_matplotlib()
    from fastneuron import tasks as known
    from fastneuron.activations import activations
    from fastneuron.batches import batches
    from fastneuron.losses import losses
    from fastneuron.optimizers import optimizers
    from fastneuron.penalties import penalties
    from fastneuron.plot.kinds import KINDS
    from fastneuron.reducers import reducers

    named = {name: make() for name, make in known.NAMED.items()}
    keyed = {
        name: {"fields": {key: {"default": value} for key, value in known.keys_of(name).items()}}
        | {"doc": _first_line(make)}
        for name, make in known.KEYED.items()
    }
    registries = {
        "activations": activations,
        "losses": losses,
        "penalties": penalties,
        "optimizers": optimizers,
        "batches": batches,
        "reducers": reducers,
    }
    drawn: dict[str, dict[str, Any]] = {
        name: {"options": kind.options, "doc": _first_line(kind.draw)} for name, kind in KINDS.items()
    }
    sweeps = {name: spec.title(path) for name, path in spec.named().items()}
    if json:
        tables: dict[str, Any] = {name: {"x": task.x, "y": task.y[:, 0]} for name, task in named.items()}
        tables |= {name: tables.get(name, {}) | entry for name, entry in keyed.items()}
        report: dict[str, Any] = {"tasks": tables, "sweeps": sweeps}
        report["pictures"] = drawn
        report |= {plural: _components(registry) for plural, registry in registries.items()}
        printing.show(printing.document(report))
        return
    rows = [[name, str(task.inputs), _truth_table(task)] for name, task in named.items() if name not in keyed]
    printing.show(printing.table(["task", "inputs", "truth table"], rows, text=(0, 2)))
    printing.show()
    printing.show(printing.table(["task", "keys", "meaning"], _described(keyed), text=(0, 1, 2)))
    printing.show()
    printing.show(printing.table(["sweep", "for 'fastneuron map'"], sorted(sweeps.items()), text=(0, 1)))
    printing.show()
    options = [[name, ", ".join(entry["options"]), entry["doc"]] for name, entry in sorted(drawn.items())]
    printing.show(printing.table(["picture", "options", "meaning"], options, text=(0, 1, 2)))
    for plural, registry in registries.items():
        printing.show()
        printing.show(
            printing.table([plural, "fields", "meaning"], _described(_components(registry)), text=(0, 1, 2))
        )


def _truth_table(task: Task) -> str:
    return "  ".join(
        f"{' '.join(f'{v:g}' for v in x)} -> {y:g}" for x, y in zip(task.x, task.y[:, 0], strict=True)
    )


def _described(entries: dict[str, dict[str, Any]]) -> list[list[str]]:
    return [
        [name, ", ".join(_field(*field) for field in entry["fields"].items()), entry["doc"]]
        for name, entry in entries.items()
    ]


def _first_line(described: object) -> str:
    return (described.__doc__ or "").strip().partition("\n")[0]


def _components(registry: Registry) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "fields": {
                field: {"allowed": cls.bounds[field].allowed, "default": cls._field_defaults.get(field)}
                for field in cls._fields
            },
            "doc": _first_line(cls),
        }
        for name, cls in registry.classes.items()
    }


def _field(name: str, entry: dict[str, Any]) -> str:
    default = entry["default"]
    if default is None:
        return name
    return f"{name} = {default}" if isinstance(default, str) else f"{name} = {default:g}"
