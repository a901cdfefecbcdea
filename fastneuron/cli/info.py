"""``fastneuron info``: the environment, for a bug report."""

from __future__ import annotations

from fastneuron.cli import printing


def info(*, json: bool = False) -> None:
    """Print versions, processor, threads and the compile cache: what a bug report needs.

    Parameters
    ----------
    json
        Print one JSON document instead of the table.
    """
    from fastneuron.engine.environment import info as environment

    facts = environment()
    if json:
        printing.show(printing.document(facts))
        return
    width = max(len(name) for name in facts)
    printing.show("\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items()))
