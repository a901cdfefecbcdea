"""``fastneuron map``: the main job."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fastneuron.cli import clusters, files, pictures, pilot, printing, spec
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File, Names, Overrides, Size, Whole
from fastneuron.cli.summary import summary

if TYPE_CHECKING:
    import xarray

    from fastneuron.plot import Picture
    from fastneuron.sweep import Sweep


class Unfinished(KeyboardInterrupt):
    """A map that was interrupted, which the same command resumes."""


def map_starts(
    spec_file: Annotated[File | None, Parameter(name="SPEC")] = None,
    /,
    *,
    overrides: Overrides = (),
    components: Components = (),
    points: Whole | None = None,
    out: File = Path("."),
    name: str | None = None,
    overwrite: bool = False,
    keep: Names | None = None,
    threads: Whole | None = None,
    memory: Size | None = None,
    workers: Whole | None = None,
    cluster: str | None = None,
    dry_run: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """Train a neuron from every point of a grid of starts, and say and draw what became of each.

    Without a spec: one sigmoid neuron learns the inverter (0 -> 1, 1 -> 0) under squared error, by gradient descent with learning rate 30, from 1024 x 1024 starts (bias and weight from -20 to 20), with at most 2000 steps each; a start has reached the targets when both outputs are within 0.1 of them.

    Writes NAME.zarr (every start's outcome, steps, loss, final parameters; read it with fastneuron.open) and NAME.png, and prints how many starts met which outcome. Other commands work on NAME.zarr. The same command resumes a map that was interrupted, killed or ran out of disk.

    For example:

    fastneuron map --points 256

    fastneuron map --set loss.name=cross_entropy --name cross_entropy

    fastneuron map my_sweep.toml --set optimizer.learning_rate=10 --dry-run

    fastneuron map trainability --points 128

    Parameters
    ----------
    spec_file
        What to run: a TOML file with tables task, model, loss, penalty, optimizer, batch, axes, start, stop, record (docs/spec.md); or the name of a sweep that comes with fastneuron, which 'fastneuron tasks' lists.
    overrides
        Change one entry of the spec: optimizer.learning_rate=10, task.name=nand, axes.weight='[0, 1]'. A component that gets another name has its defaults, and is given what it has none for: optimizer.name=adam needs optimizer.learning_rate. May be repeated.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    points
        Points on every linspace and geomspace axis, instead of the spec's.
    out
        Folder for the results, made if need be; without it the current one.
    name
        Name of the results; without it that of the spec file, or of the task.
    overwrite
        Start over: replace results of that name, once the new ones are complete.
    keep
        What to store of every start: names as outcome,steps,loss,final, with commas between them; without it all. The outcome must be among them.
    threads
        Number of threads; without it one a processor. The results do not depend on it.
    memory
        Bound for the working memory, as 4GB or 512MiB: fewer threads work if need be. Python and the compiled code take some 200 MB more. Without it, most of what is free.
    workers
        Compute in so many processes of one thread each, instead of threads.
    cluster
        Compute on the workers of a dask.distributed scheduler at this address, tcp://host:8786, which write to the same folder (docs/cluster.md).
    dry_run
        Print the number of points, the size and the estimated time; write nothing.
    json
        Print one JSON document instead of the table.
    quiet
        No progress bar.
    """
    table = spec.read(spec_file, overrides)
    pictures.load_matplotlib()
    from fastneuron.sweep import Sweep

    load_components(components, overrides)
    if points is not None:
        spec.with_points(table, points)
    typed = spec.as_typed(overrides)
    with spec.naming(typed):
        sweep = Sweep.from_spec(table)
    drawn = pictures.picture_of(table)
    clusters.check(threads, workers, cluster, memory, dry_run)
    files.check_folder(out)
    stem = _stem(name, spec_file, sweep)
    store = out / f"{stem}.zarr"
    picture = out / f"{stem}.{'png' if drawn is None else drawn.format}"
    _put_in_place(store)
    _check_free(store, picture, overwrite)
    with spec.naming({"keep": "--keep"}):
        pilot.check_memory(sweep, keep, threads, memory)
    if store.exists() and not overwrite:
        _check_same(store, sweep, keep)
    if drawn is not None:
        with spec.naming(typed):
            pilot.check_picture(sweep, drawn)
    if dry_run:
        from fastneuron.cli.forecast import forecast

        report = forecast(sweep, keep, threads if workers is None else workers, memory)
        if store.exists() and not overwrite:
            report |= _left(store, report)
        printing.show(printing.document(report) if json else _forecast_text(report))
        return
    with clusters.chosen(threads, workers, cluster) as where:
        bound = {} if memory is None else {"memory": memory}
        progress = False if quiet else None
        result, compiled = _run(sweep, out, store, overwrite, keep=keep, progress=progress, **where, **bound)
    with files.reading(store):
        undrawn = _draw(result, picture, drawn, False if quiet else None)
        told = summary(result)
    report = told | {
        "compile_seconds": compiled,
        "store": str(store),
        "picture": None if undrawn else str(picture),
    }
    printing.show(printing.document(report) if json else _text(report, undrawn, result))


LONGEST_NAME = 200  # bytes; a file's name has 255, of which endings and hidden names take some


def _stem(name: str | None, spec_file: Path | None, sweep: Sweep) -> str:
    if name is None:
        stem = spec_file.stem if spec_file else re.sub(r"[^\w.-]+", "_", sweep.task.name)
        if len(os.fsencode(stem)) > LONGEST_NAME:
            raise ValueError(f"the name of the results would be too long; choose another (--name): {stem}")
        return stem
    if len(os.fsencode(name)) > LONGEST_NAME:
        text = f"{name[:20]}... of {len(os.fsencode(name))}"
        raise ValueError(f"--name must be at most {LONGEST_NAME} bytes long, got {text}")
    if not name.strip(". ") or not name.isprintable() or "/" in name or "\\" in name:
        raise ValueError(f"--name must be the name of a file without a folder (--out), got {name!r}")
    return name


def _beside(store: Path) -> tuple[Path, Path]:
    """Where a new map is made that is to replace one, and where the old one is put while they are swapped."""
    return store.with_name(f".{store.name}.new"), store.with_name(f".{store.name}.old")


def _put_in_place(store: Path) -> None:
    """Where a process was killed while it swapped maps, put the new one, which is whole, in its place."""
    new, old = _beside(store)
    if not store.exists() and old.exists():
        (new if new.exists() else old).rename(store)
        shutil.rmtree(old, ignore_errors=True)


def _check_free(store: Path, picture: Path, overwrite: bool) -> None:
    """Refuse what is there, where it is neither to be replaced nor resumed."""
    from fastneuron.store import tiles_done
    from fastneuron.store.ledger import DamagedMap

    there = store.exists() or store.is_symlink()
    if not there and not overwrite and (picture.exists() or picture.is_symlink()):
        raise ValueError(
            f"{picture} exists already; choose another name (--name) or replace it (--overwrite)"
        )
    if overwrite and store.is_symlink():
        raise ValueError(f"{store} is a link; only a folder can be replaced")
    if there:
        try:
            tiles_done(store)  # raises: what is no map is not ours to touch
        except DamagedMap:
            if not overwrite:
                raise
    if store.parent.is_dir():
        files.check_picture(picture, (*files.PICTURES, *files.ANIMATIONS))


def _left(store: Path, report: dict[str, Any]) -> dict[str, Any]:
    """What a forecast says of the tiles that a map lacks."""
    from fastneuron.store import tiles_done

    done, tiles = tiles_done(store)
    times = ("seconds", "seconds_low", "seconds_high")
    return {"tiles_done": done} | {name: report[name] * (1 - done / tiles) for name in times}


def _check_same(store: Path, sweep: Sweep, keep: tuple[str, ...] | None) -> None:
    from fastneuron.engine import local

    apart = local.difference(sweep, store, keep)
    if apart:
        advice = "choose another name (--name) or start over (--overwrite)"
        raise ValueError(f"{store} is a map of something else: {apart}; {advice}")


def _run(
    sweep: Sweep, out: Path, store: Path, overwrite: bool, **options: Any
) -> tuple[xarray.Dataset, float]:
    """Run into `store`, or resume it.

    To overwrite one it is replaced at the end, and stays or comes back if anything fails.

    The options are those of `Sweep.run`. Returns the result and the seconds spent on compiling.
    """
    from fastneuron import store as stores
    from fastneuron.store.lock import Lock

    replacing = overwrite and store.exists()
    target, aside = _beside(store)
    target = target if replacing else store
    made = files.make_folder(out)
    lock = Lock(store, store) if replacing else None  # nobody may write to what is replaced
    if replacing:
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        compiled = pilot.compile_for(sweep)
        result = sweep.run(store=target, **options)
        if replacing:
            result.close()
            store.rename(aside)
            target.rename(store)
            result = stores.open(store)
            shutil.rmtree(aside, ignore_errors=True)
    except BaseException as error:
        kept = None
        if replacing:
            kept = _put_back(store, target, aside)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        if isinstance(error, KeyboardInterrupt):
            if kept is None and store.exists():
                done, tiles = stores.tiles_done(store)
                raise Unfinished(f"{store} holds {done:,} of {tiles:,} tiles") from None
            raise KeyboardInterrupt(kept or "nothing was kept") from None
        raise
    finally:
        if lock is not None:
            lock.release()
    return result, compiled


def _put_back(store: Path, target: Path, aside: Path) -> str:
    """Leave one whole map at `store`, the old one if the new one is not there yet; says which."""
    if not store.exists():
        aside.rename(store)
    replaced = aside.exists()
    for rest in (target, aside):
        shutil.rmtree(rest, ignore_errors=True)
    return f"{store} is the new map" if replaced else f"{store} is as it was before"


def _draw(result: xarray.Dataset, path: Path, picture: Picture | None, progress: bool | None) -> str | None:
    """Draw what the spec says, or else what is usual; returns why not, where the grid cannot be drawn."""
    from fastneuron.plot import Picture

    try:
        drawn = picture or Picture(pictures.kind_of_result(result))
        drawn.save(path, result, progress)
    except ValueError as error:
        return str(error)
    return None


def _text(report: dict[str, Any], undrawn: str | None, result: xarray.Dataset) -> str:
    from fastneuron.outcomes import Outcome

    timed = "steps" in report
    rows = [
        [
            name,
            f"{row['points']:,}",
            _share(row),
            *(_steps(row) if timed else ()),
            Outcome[name.upper()].sentence,
        ]
        for name, row in report["outcomes"].items()
        if row["points"] or "share_95" in row
    ]
    columns = ["median steps", "most steps"] if timed else []
    header = ["outcome", "starts", "share", *columns, "meaning"]
    compiled = f", after {report['compile_seconds']:.1f} s of compiling" * (report["compile_seconds"] > 2)
    dims = " x ".join(f"{printing.word(name)} {size}" for name, size in result["outcome"].sizes.items())
    return "\n".join(
        [
            printing.table(header, rows, text=(0, len(header) - 1)),
            "",
            f"{report['points']:,} starts ({dims}){_pace(report)}{compiled}",
            f"wrote {printing.word(report['store'])}",
            f"no picture: {printing.word(undrawn)}"
            if undrawn
            else f"wrote {printing.word(report['picture'])}",
        ]
    )


def _steps(row: dict[str, Any]) -> tuple[str, str]:
    return (f"{row['median_steps']:,.0f}", f"{row['max_steps']:,}") if row["points"] else ("", "")


def _pace(report: dict[str, Any]) -> str:
    seconds = f"in {report['seconds']:.2f} s"
    if "steps" not in report:
        return f" {seconds}"
    speed = report["steps_per_second"] or 0
    pace = f"{speed / 1e6:,.0f} million" if speed >= 1e7 else f"{speed:,.0f}"
    return f", {report['steps']:,} steps {seconds}: {pace} steps per second"


def _share(row: dict[str, Any]) -> str:
    """The share in per cent, of random draws with its 95 % interval."""
    if "share_95" not in row:
        return f"{100 * row['share']:.2f} %"
    low, high = row["share_95"]
    return f"{100 * row['share']:.4f} % ({100 * low:.4f} .. {100 * high:.4f})"


def _forecast_text(report: dict[str, Any]) -> str:
    from fastneuron.engine.memory import size_text

    shape = " x ".join(str(size) for size in report["shape"])
    tiles = f"{report['tiles']:,} tile{'s' * (report['tiles'] != 1)}"
    sizes = {name: size_text(report[name]) for name in ("bytes", "bytes_stored", "memory")}
    if "tiles_done" in report:
        tiles += f", {report['tiles_done']:,} of them done already"
    low, middle, high = (
        printing.duration(report[name]) for name in ("seconds_low", "seconds", "seconds_high")
    )
    return (
        f"{report['points']:,} starts ({shape}) in {tiles}, about {middle} ({low} to {high}) on this "
        f"machine with {report['threads']} thread{'s' * (report['threads'] != 1)}\n"
        f"about {sizes['bytes_stored']} on disk ({sizes['bytes']} before compression), {sizes['memory']} of "
        "working memory; nothing was written"
    )
