"""``fastneuron status``, ``verify`` and ``export``: what one does with a stored map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fastneuron.cli import files, printing
from fastneuron.cli.flags import Whole, check_whole
from fastneuron.files import replaced

Store = Annotated[Path, Parameter(name="STORE")]


class Damaged(Exception):
    """Ends a command with exit code 1: a map was found to be damaged, and that has been printed."""


def status(store: Store, /, *, json: bool = False) -> None:
    """Tell how much of a map is done, and whether it is being written.

    For example:

    fastneuron status inverter.zarr

    Parameters
    ----------
    store
        The map, a .zarr folder; another process may be writing to it.
    json
        Print one JSON document instead of the lines.
    """
    from fastneuron.store.status import status_of

    found = status_of(store)
    if json:
        printing.show(
            printing.document({"store": str(store), **found._asdict(), "seconds_left": found.seconds_left})
        )
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
        printing.show("nobody is writing to it; run what made it once more to go on")


def verify(
    store: Store,
    /,
    *,
    repair: bool = False,
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
        The map, a .zarr folder.
    repair
        Compute the damaged tiles anew, and only those; restore metadata and coordinates.
    threads
        Number of threads for that; without it one a processor.
    json
        Print one JSON document instead of the lines.
    quiet
        No progress bar.
    """
    check_whole("--threads", threads, 1)
    from fastneuron.engine import local
    from fastneuron.engine.progress import reporting
    from fastneuron.store.verify import condition_of, mend_arrays

    shown = False if quiet else None
    with reporting(shown, 0, "tile") as report:
        found = condition_of(store, report)
    left = bool(found.arrays or found.damaged)
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
        tiles = [{"tile": list(tile), "reason": reason} for tile, reason in found.damaged.items()]
        report_of = {"store": str(store), "sound": found.sound, "not_done": found.missing, "damaged": tiles}
        report_of |= {"damaged_arrays": found.arrays, "repaired": repair and not left}
        printing.show(printing.document(report_of))
    else:
        for name, reason in found.arrays.items():
            printing.show(f"array {printing.word(name)}: {printing.word(reason)}")
        for tile, reason in found.damaged.items():
            printing.show(f"tile ({', '.join(map(str, tile))}): {printing.word(reason)}")
        tiles_text = f"{found.sound:,} tile{'s are' if found.sound != 1 else ' is'} sound"
        printing.show(
            f"{printing.word(store)}: {tiles_text}, {len(found.damaged):,} damaged, {found.missing:,} not done"
        )
        if left:
            printing.show("this cannot be mended" if repair else "run with --repair to mend it")
        elif found.arrays or found.damaged:
            printing.show("it is mended: damaged tiles are computed, damaged arrays laid out anew")
    if left:
        raise Damaged


def export(store: Store, out: Annotated[Path, Parameter(name="FILE")], /, *, quiet: bool = False) -> None:
    """Write a map, or the part of it that is done, as NetCDF or CSV.

    CSV has a line for each start; outcomes are numbers, which the attributes of the map explain: 0 unfinished, 1 reached, 2 settled, 3 cycling, 4 diverged, 5 stalled; what is not done is -1 or empty.

    For example:

    fastneuron export inverter.zarr inverter.nc

    Parameters
    ----------
    store
        The map, a .zarr folder.
    out
        The file, .nc or .csv; one that is there is replaced.
    quiet
        No progress bar.
    """
    from fastneuron import store as stores
    from fastneuron.engine.memory import require_memory
    from fastneuron.engine.progress import reporting
    from fastneuron.store import export as exports

    files.check_file(out, exports.SUFFIXES, "an export")
    result = stores.open(store, partial=True)
    with files.reading(store), replaced(out) as new:
        if out.suffix.lower() == ".nc":
            require_memory(2 * result.nbytes, "a NetCDF file", "export to CSV, or fewer variables (keep)")
            exports.to_netcdf(result, new)
        else:
            with reporting(False if quiet else None, 0) as report:
                exports.to_csv(result, new, report)
    printing.show(f"wrote {printing.word(out)}")
