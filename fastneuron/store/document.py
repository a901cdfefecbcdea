"""The ``zarr.json`` at the top of a map: what the map is, under one checksum.

It holds the attributes, and the metadata of every array once more, as Zarr readers know them (consolidated).
The attribute `SEAL` is the checksum of all of that, whatever it is; so nothing that a map says of itself is
believed unless it was written so, and the file of an array is right if it says the same as is said here.

Every way to read or write a file of a map by its name goes through here, in a folder and elsewhere.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import google_crc32c

from fastneuron.store import shards

NAME = "zarr.json"
SEAL = "metadata_crc32c"  # attribute: CRC-32C of all the others and of the arrays' metadata
ARRAYS = "consolidated_metadata"
ATTRIBUTES = "attributes"


def read(group: Any) -> dict[str, Any]:
    """The document of a group.

    Raises
    ------
    ValueError
        If it is missing or no JSON.
    """
    found = files(group, [NAME])[NAME]
    if found is None:
        raise ValueError(f"{NAME} is missing")
    document: dict[str, Any] = json.loads(found)
    return document


def is_sealed(document: Mapping[str, Any]) -> bool:
    """Whether there is a checksum; there is none in maps of earlier versions."""
    return SEAL in document[ATTRIBUTES] or document.get(ARRAYS) is not None


def is_sound(document: Mapping[str, Any]) -> bool:
    """Whether a document is as it was written."""
    return bool(document[ATTRIBUTES].get(SEAL) == _checksum(document))


def arrays_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of the arrays as they were made, by name; none in stores that do not want them twice."""
    found: dict[str, Any] = (document.get(ARRAYS) or {}).get("metadata", {})
    return found


def changed_arrays(group: Any) -> dict[str, str]:
    """The arrays whose own file does not say what this document says of them, and why."""
    reasons = {}
    made = arrays_in(read(group))
    for file, text in files(group, [f"{name}/{NAME}" for name in made]).items():
        name = file.removesuffix(f"/{NAME}")
        try:
            if json.loads(text or b"") != made[name]:
                reasons[name] = "its metadata are not those it was made with"
        except ValueError:
            reasons[name] = "it cannot be read"
    return reasons


def complete(group: Any, arrays: Iterable[str]) -> None:
    """Add the metadata of the arrays, which are as they will stay, and the checksum."""
    document = read(group)
    if group.store.supports_consolidated_metadata:
        texts = files(group, [f"{name}/{NAME}" for name in arrays])
        metadata = {name.removesuffix(f"/{NAME}"): json.loads(text or b"") for name, text in texts.items()}
        document[ARRAYS] = {"kind": "inline", "must_understand": False, "metadata": metadata}
    _write(group, document)


def note(group: Any, attributes: Mapping[str, Any]) -> None:
    """Set attributes of a map."""
    document = read(group)
    document[ATTRIBUTES] |= attributes
    _write(group, document)


def _write(group: Any, document: dict[str, Any]) -> None:
    document[ATTRIBUTES].pop(SEAL, None)
    document[ATTRIBUTES][SEAL] = _checksum(document)
    write_file(group, NAME, text_of(document))


def _checksum(document: Mapping[str, Any]) -> int:
    attributes = {name: value for name, value in document[ATTRIBUTES].items() if name != SEAL}
    covered = {ATTRIBUTES: attributes, ARRAYS: document.get(ARRAYS)}
    return int(google_crc32c.value(json.dumps(covered, sort_keys=True).encode()))


def text_of(document: Mapping[str, Any]) -> bytes:
    """The file of a group or an array, as zarr writes it."""
    return json.dumps(document, indent=2).encode()


def folder_of(group: Any) -> Path | None:
    """The folder of a map that is in one."""
    from zarr.storage import LocalStore

    place = group.store_path
    return Path(place.store.root, place.path) if isinstance(place.store, LocalStore) else None


def files(group: Any, names: Iterable[str]) -> dict[str, bytes | None]:
    """Files of a map by name, None for one that is missing; all at once where they are far away."""
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    async def found() -> list[Any]:
        buffers = default_buffer_prototype()
        return await asyncio.gather(*((group.store_path / name).get(buffers) for name in names))

    folder = folder_of(group)
    if folder is not None:  # a tenth of the time that zarr takes
        return {name: _read(folder / name) for name in names}
    names = list(names)
    buffers = sync(found())
    return {
        name: None if held is None else held.to_bytes() for name, held in zip(names, buffers, strict=True)
    }


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def write_file(group: Any, name: str, data: bytes) -> None:
    """Write or replace a file of a map: as a whole or not at all."""
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    folder = folder_of(group)
    if folder is not None:
        shards.write_whole(folder / name, [data])
    else:
        sync((group.store_path / name).set(default_buffer_prototype().buffer.from_bytes(data)))


def names_in(group: Any) -> set[str]:
    """The names of all files of a map."""
    from zarr.core.sync import sync

    async def found() -> set[str]:
        place = group.store_path
        first = f"{place.path}/" if place.path else ""
        return {name.removeprefix(first) async for name in place.store.list_prefix(first)}

    return sync(found())
