"""``fastneuron status``, ``verify`` and ``export``: what one does with a stored map."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from fastneuron.cli import files, printing
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File, Store, Whole
from fastneuron.files import replaced


class Damaged(Exception):
    """Ends a command with exit code 1: a map was found to be damaged, and that has been printed."""


def status(store: Store, /, *, components: Components = (), json: bool = False) -> None:
    """Tell how much of a map is done, and whether it is being written.

    For example:

    fastneuron status inverter.zarr

    Parameters
    ----------
    store
        The map, a .zarr folder or a URL; another process may be writing to it.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    json
        Print one JSON document instead of the lines.
    """
    from fastneuron.store.identity import code_at_hand
    from fastneuron.store.status import status_of

    load_components(components)
    found = status_of(store)
    code = code_at_hand(store)
    if json:
        report = {"store": str(store), **found._asdict(), "seconds_left": found.seconds_left}
        printing.show(printing.document(report | {"code": code}))
        return
    share = 100 * found.points_done / found.points
    printing.show(
        f"{printing.word(store)}: {found.tiles_done:,} of {found.tiles:,} tiles are done, {found.points_done:,} of "
        f"{found.points:,} starts ({share:.1f} %), in {printing.duration(found.seconds)}"
    )
    pace = "" if found.rate is None else f" at {found.rate:,.0f} starts a second"
    left = found.seconds_left
    if found.points_done == found.points:
        printing.show("it is whole")
    elif found.writing:
        printing.show(
            f"it is being written{pace}" + ("" if left is None else f", about {printing.duration(left)} left")
        )
    else:
        printing.show("nobody is writing to it; run what made it again to finish it")
    if code:
        printing.show(f"the components here are not those that made it: {printing.word(code)}")


def verify(
    store: Store,
    /,
    *,
    repair: bool = False,
    components: Components = (),
    threads: Whole | None = None,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """Read every tile of a map and compare it with the checksum that was noted when it was written.

    Metadata and coordinates are compared with the sweep. Ends with 1 where something is damaged and stays so.

    For example:

    fastneuron verify inverter.zarr --repair

    Parameters
    ----------
    store
        The map, a .zarr folder or a URL.
    repair
        Compute the damaged tiles anew, and only those; restore metadata and coordinates.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    threads
        Number of threads for that; without it one a processor.
    json
        Print one JSON document instead of the lines.
    quiet
        No progress bar.
    """
    from fastneuron.engine import local
    from fastneuron.engine.progress import reporting
    from fastneuron.store.identity import code_at_hand
    from fastneuron.store.verify import condition_of, mend_arrays

    load_components(components)
    shown = False if quiet else None
    with reporting(shown, 0, "tile") as report:
        found = condition_of(store, report)
    left = bool(found.arrays or found.damaged)
    code = code_at_hand(store)
    if repair and found.damaged and code:
        raise ValueError(f"{store}: {code}; damaged tiles can only be mended with what made them")
    if repair and left:
        arrays = found.arrays
        if arrays:
            mend_arrays(store, arrays)
            found = condition_of(store)._replace(arrays=arrays)  # tiles of which more can be seen now
        if found.damaged:
            local.repair(store, found.damaged, threads, shown)
        again = condition_of(store)
        left = bool(again.arrays or again.damaged)
    if json:
        damaged = [{"tile": list(tile), "reason": reason} for tile, reason in found.damaged.items()]
        report_of = {"store": str(store), "sound": found.sound, "not_done": found.missing, "damaged": damaged}
        report_of |= {"damaged_arrays": found.arrays, "repaired": repair and not left, "code": code}
        printing.show(printing.document(report_of))
    else:
        for name, reason in found.arrays.items():
            printing.show(f"array {printing.word(name)}: {printing.word(reason)}")
        for tile, reason in found.damaged.items():
            printing.show(f"tile ({', '.join(map(str, tile))}): {printing.word(reason)}")
        tiles = found.sound + len(found.damaged) + found.missing
        tiles_text = f"{found.sound:,} of {tiles:,} tile{'s are' if tiles != 1 else ' is'} sound"
        printing.show(
            f"{printing.word(store)}: {tiles_text}, {len(found.damaged):,} damaged, {found.missing:,} not done"
        )
        if left:
            printing.show("this cannot be mended" if repair else "run with --repair to mend it")
        elif found.arrays or found.damaged:
            printing.show("it is mended: damaged tiles are computed, damaged arrays laid out anew")
        elif found.missing:
            printing.show("what is done is sound; run what made it again to finish it")
        if code:
            printing.show(f"the components here are not those that made it: {printing.word(code)}")
    if left:
        raise Damaged


def export(
    store: Store,
    out: Annotated[File, Parameter(name="FILE")],
    /,
    *,
    verify: bool = False,
    components: Components = (),
    quiet: bool = False,
) -> None:
    """Write a map, or the part of it that is done, as NetCDF or CSV.

    CSV has a line for each start; outcomes are numbers, which the attributes of the map explain: 0 unfinished, 1 reached, 2 settled, 3 cycling, 4 diverged, 5 stalled; what is not done is -1 or empty.

    For example:

    fastneuron export inverter.zarr inverter.nc

    Parameters
    ----------
    store
        The map, a .zarr folder or a URL.
    out
        The file, .nc or .csv; one that is there is replaced.
    verify
        Read every tile first and compare it with its checksum, as 'fastneuron verify' does.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    quiet
        No progress bar.
    """
    from fastneuron import store as stores
    from fastneuron.engine.memory import require_memory
    from fastneuron.engine.progress import reporting
    from fastneuron.store import export as exports

    load_components(components)
    files.check_file(out, exports.SUFFIXES, "an export")
    result = stores.open(store, partial=True, verify=verify)
    with files.reading(store), replaced(out) as new:
        if out.suffix.lower() == ".nc":
            require_memory(2 * result.nbytes, "a NetCDF file", "export to CSV, or fewer variables (keep)")
            exports.to_netcdf(result, new)
        else:
            with reporting(False if quiet else None, 0) as report:
                exports.to_csv(result, new, report)
    printing.show(f"wrote {printing.word(out)}")
