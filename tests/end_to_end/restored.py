"""What came back, beside what went in: compared by code that knows nothing of bitswap.

Byte for byte, or, for entries that `list` calls pixel for pixel, by Pillow (mode, size, pixels,
info) and chunk by chunk. Times, links and empty folders count, too.
"""

import os
import struct
from pathlib import Path
from typing import Any

from PIL import Image


def tree(root: Path) -> dict[bytes, bytes]:
    """Everything below a folder: path relative to it -> full path. Folders only if empty."""
    found = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, os.fsencode(root))] = path
        if not folders and not names:
            found[os.path.relpath(folder, os.fsencode(root))] = folder
    return found


def content(path: bytes) -> bytes:
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def png_chunks(data: bytes) -> list[bytes]:
    """All chunks of a PNG but its pixels', and what follows them."""
    at, chunks = 8, []
    while data[at - 8 : at - 4] != b"IEND" and at + 12 <= len(data):
        end = at + 12 + struct.unpack_from(">I", data, at)[0]
        if data[at + 4 : at + 8] != b"IDAT":
            chunks.append(data[at:end])
        if data[at + 4 : at + 8] == b"IEND":
            return [*chunks, data[end:]]
        at = end
    return chunks


def same_pixels(before: bytes, after: bytes) -> bool:
    """Whether two PNG files have the same pixels, mode, size, metadata and chunks."""
    with Image.open(os.fsdecode(before)) as first, Image.open(os.fsdecode(after)) as second:
        for image in (first, second):
            image.load()
        equal = (first.mode, first.size) == (second.mode, second.size)
        equal &= first.tobytes() == second.tobytes() and first.info == second.info
        equal &= first.getexif() == second.getexif()
    return equal and png_chunks(content(before)) == png_chunks(content(after))


def difference(before: bytes, after: bytes, restored: str) -> str | None:
    """What differs between a file and its restored copy; None if nothing does."""
    if os.lstat(before).st_mode != os.lstat(after).st_mode and os.path.islink(before):
        return "is no link any more"
    if os.path.islink(before):
        return None if os.readlink(before) == os.readlink(after) else "points elsewhere"
    if os.path.isdir(before):
        return None if os.path.isdir(after) else "is no folder any more"
    if os.stat(before).st_mtime_ns != os.stat(after).st_mtime_ns:
        return "has another time"
    if content(before) == content(after):
        return None
    if restored != "pixels" or not content(before).startswith(b"\x89PNG"):
        return "has other bytes"
    return None if same_pixels(before, after) else "has other pixels or metadata"


def compare(before: Path, after: Path, listed: list[dict[str, Any]]) -> list[str]:
    """Differences between two folders, given what `list` said; empty if there are none."""
    first, second = tree(before), tree(after)
    rows = {os.fsencode(entry["name"]): entry for entry in listed}
    if not first.keys() == second.keys() == {os.path.relpath(name, b"in") for name in rows}:
        return [f"there are other names in {after} or the list than in {before}"]
    wrong = []
    for name, path in first.items():
        row = rows[b"in/" + name]
        found = difference(path, second[name], row["restored"])
        if found is None and row["kind"] not in ("dir", "link"):
            told = not row["shape"] or row["restored"] == "bytes"
            size = os.path.getsize(path) if told else None  # pictures may come in another file
            found = None if row["size"] == size else "has another size in the list"
        if found:
            wrong.append(f"{name!r} {found}")
    return wrong
