"""``fastneuron map``: the main job."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fastneuron.cli import files, pictures, printing, spec
from fastneuron.cli.flags import Overrides, Whole

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep

PILOT_POINTS = 16384


def map_starts(
    spec_file: Annotated[Path | None, Parameter(name="SPEC.toml")] = None,
    /,
    *,
    overrides: Overrides = (),
    points: Whole | None = None,
    out: Path = Path("."),
    name: str | None = None,
    overwrite: bool = False,
    threads: Whole | None = None,
    dry_run: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """Train a neuron from every point of a grid of starts, and say and draw what became of each.

    Without a spec: one sigmoid neuron learns the inverter (0 -> 1, 1 -> 0) under squared error, by gradient descent with learning rate 30, from 1024 x 1024 starts (bias and weight from -20 to 20), with at most 2000 steps each; a start has reached the targets when both outputs are within 0.1 of them.

    Writes NAME.zarr (every start's outcome, steps, loss, final parameters; read it with fastneuron.open) and NAME.png, and prints how many starts met which outcome. Other commands work on NAME.zarr.

    For example:

    fastneuron map --points 256

    fastneuron map --set loss.name=cross_entropy --name cross_entropy

    fastneuron map my_sweep.toml --set optimizer.learning_rate=10 --dry-run

    Parameters
    ----------
    spec_file
        What to run, as TOML: tables task, model, loss, penalty, optimizer, axes, start, stop (docs/spec.md).
    overrides
        Change one entry of the spec: optimizer.learning_rate=10, task.name=nand, axes.weight='[0, 1]'. May be repeated.
    points
        Points on every linspace and geomspace axis, instead of the spec's.
    out
        Folder for the results, made if need be; without it the current one.
    name
        Name of the results; without it that of the spec file, or of the task.
    overwrite
        Replace results of that name, once the new ones are complete.
    threads
        Number of threads; without it one a processor. The results do not depend on it.
    dry_run
        Print the number of points, the size and the estimated time; write nothing.
    json
        Print one JSON document instead of the table.
    quiet
        No progress bar.
    """
    from fastneuron.sweep import Sweep

    table = spec.read(spec_file, overrides)
    if points is not None:
        spec.with_points(table, points)
    sweep = Sweep.from_spec(table)
    files.check_folder(out)
    stem = _stem(name, spec_file, sweep)
    store, picture = out / f"{stem}.zarr", out / f"{stem}.png"
    _check_free(store, picture, overwrite)
    if dry_run:
        report = _forecast(sweep, threads)
        print(printing.document(report) if json else _forecast_text(report))
        return
    progress = sys.stderr.isatty() and not quiet
    result = _run(sweep, out, store, threads=threads, progress=progress)
    undrawn = _draw(result, picture)
    report = summary(result) | {"store": str(store), "picture": None if undrawn else str(picture)}
    print(printing.document(report) if json else _text(report, undrawn, result))


def _stem(name: str | None, spec_file: Path | None, sweep: Sweep) -> str:
    if name is None:
        return spec_file.stem if spec_file else re.sub(r"[^\w.-]+", "_", sweep.task.name)
    if not name.strip(". ") or not name.isprintable() or "/" in name or "\\" in name:
        raise ValueError(f"--name must be the name of a file without a folder (--out), got {name!r}")
    return name


def _check_free(store: Path, picture: Path, overwrite: bool) -> None:
    taken = [path for path in (store, picture) if path.exists() or path.is_symlink()]
    if taken and not overwrite:
        raise ValueError(
            f"{taken[0]} exists already; choose another name (--name) or replace it (--overwrite)"
        )
    if store in taken:
        from fastneuron import store as stores

        stores.open(store).close()  # what is no map of ours is not ours to replace
    if store.parent.is_dir():
        files.check_picture(picture)


def _run(sweep: Sweep, out: Path, store: Path, *, threads: int | None, progress: bool) -> xarray.Dataset:
    """Run into `store`; one that exists is replaced at the end, and stays as it is if anything fails."""
    from fastneuron import store as stores

    replacing = store.exists()
    target = store.with_name(f".{store.name}.new") if replacing else store
    made = files.make_folder(out)
    if replacing:
        shutil.rmtree(target, ignore_errors=True)
    try:
        result = sweep.run(store=target, threads=threads, progress=progress)
    except BaseException as error:
        if replacing:
            shutil.rmtree(target, ignore_errors=True)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(_kept(store, replacing)) from None
        raise
    if replacing:
        result.close()
        shutil.rmtree(store)
        target.rename(store)
        result = stores.open(store)
    return result


def _kept(store: Path, replacing: bool) -> str:
    if replacing:
        return f"{store} is as it was before"
    if store.exists():
        return f"{store} holds the part that was done; run again with --overwrite to start over"
    return "nothing was kept"


def _draw(result: xarray.Dataset, picture: Path) -> str | None:
    """Draw the outcomes; returns why not, where the grid cannot be drawn."""
    from fastneuron import plot

    size = (8.0, 5.5) if result["outcome"].ndim > 1 else (8.0, 2.0)
    try:
        pictures.save(picture, lambda ax: plot.outcome(result, ax=ax), size)
    except ValueError as error:
        return str(error)
    return None


def summary(result: xarray.Dataset) -> dict[str, Any]:
    """How many starts met which outcome, in how many steps, and how fast that went."""
    import numpy as np

    from fastneuron.outcomes import Outcome

    outcome = result["outcome"].values.ravel()
    steps = result["steps"].values.ravel()
    rows = {}
    for kind in Outcome:
        taken = steps[outcome == kind]
        rows[kind.name.lower()] = {
            "points": taken.size,
            "share": taken.size / outcome.size,
            "median_steps": float(np.median(taken)) if taken.size else None,
            "max_steps": int(taken.max()) if taken.size else None,
        }
    total = int(steps.sum(dtype=np.int64))
    seconds = float(result.attrs["seconds"])
    return {
        "points": outcome.size,
        "outcomes": rows,
        "steps": total,
        "seconds": seconds,
        "steps_per_second": total / seconds if seconds > 0 else None,
    }


def _text(report: dict[str, Any], undrawn: str | None, result: xarray.Dataset) -> str:
    from fastneuron.outcomes import Outcome

    rows = [
        [
            name,
            f"{row['points']:,}",
            f"{100 * row['share']:.2f} %",
            f"{row['median_steps']:,.0f}",
            f"{row['max_steps']:,}",
            Outcome[name.upper()].sentence,
        ]
        for name, row in report["outcomes"].items()
        if row["points"]
    ]
    header = ["outcome", "starts", "share", "median steps", "most steps", "meaning"]
    speed = (report["steps_per_second"] or 0) / 1e6
    dims = " x ".join(f"{name} {size}" for name, size in result["outcome"].sizes.items())
    return "\n".join(
        [
            printing.table(header, rows, text=(0, 5)),
            "",
            f"{report['points']:,} starts ({dims}), {report['steps']:,} steps in {report['seconds']:.2f} s: "
            f"{speed:,.0f} million steps per second",
            f"wrote {report['store']}",
            f"no picture: {undrawn}" if undrawn else f"wrote {report['picture']}",
        ]
    )


def _forecast(sweep: Sweep, threads: int | None) -> dict[str, Any]:
    """Points, bytes and the time that a thinned-out grid of the same ranges suggests."""
    pilot, points = sweep, sweep.points
    if points > PILOT_POINTS:
        pilot = _thinned(sweep, (PILOT_POINTS / points) ** (1 / len(sweep.shape)))
    pilot.run(threads=threads, progress=False)  # compiles
    result = pilot.run(threads=threads, progress=False)
    per_point = sum(v.dtype.itemsize for v in result.data_vars.values() if v.ndim)
    seconds = float(result.attrs["seconds"]) * points / result["outcome"].size
    return {"points": points, "shape": list(sweep.shape), "bytes": per_point * points, "seconds": seconds}


def _thinned(sweep: Sweep, share: float) -> Sweep:
    from fastneuron import toml
    from fastneuron.sweep import Sweep

    table = toml.loads(sweep.to_toml())
    for axis, given in table["axes"].items():
        if isinstance(given, dict):
            kind, (start, stop, num) = next(iter(given.items()))
            table["axes"][axis] = {kind: [start, stop, max(1, round(num * share))]}
        else:
            table["axes"][axis] = given[:: max(1, round(1 / share))]
    return Sweep.from_spec(table)


def _forecast_text(report: dict[str, Any]) -> str:
    shape = " x ".join(str(size) for size in report["shape"])
    return (
        f"{report['points']:,} starts ({shape}), {report['bytes'] / 1e6:,.1f} MB before compression, "
        f"about {report['seconds']:,.1f} s on this machine (from a thinned-out grid); nothing was written"
    )
