"""Names of entries: raw bytes, '/'-separated, relative; and which of them may be written."""

import os
import re

from bitswap_cli.errors import ArchiveError, display

_DRIVE = re.compile(rb"[A-Za-z]:")
_INSIDE = b"//"  # between the name of a host and the number of what lies in it

MAX_DEPTH = 8
"""In how many hosts something may lie, one in the other."""


def check_name(name: bytes) -> None:
    """Raise `ArchiveError` for a name that could leave the output folder."""
    parts = name.split(b"/")
    unsafe = b"\0" in name or not {b"", b".", b".."}.isdisjoint(parts)
    if os.name == "nt":
        unsafe = unsafe or b"\\" in name or any(_DRIVE.match(part) for part in parts)
    if unsafe:
        raise ArchiveError(f"refusing the unsafe entry name '{display(name)}'")


def member_name(host: bytes, number: int) -> bytes:
    """Return the name of what lies inside of a file, which no file can have."""
    return b"%s//%06d" % (host, number)


def host_of(name: bytes) -> bytes | None:
    """Return the name of what something lies in, if it has the name of such a member: a file, or
    a member itself."""
    file, *numbers = name.split(_INSIDE)
    if not file or not numbers or not all(map(bytes.isdigit, numbers)):
        return None
    return name.rpartition(_INSIDE)[0]


def depth_of(name: bytes) -> int:
    """Return how many hosts something lies in that has the name of a member, or of a file."""
    return name.count(_INSIDE)


def file_of(name: bytes) -> bytes:
    """Return the name of the file that a member lies in, however deep."""
    return name.partition(_INSIDE)[0]


def jpeg_name(name: bytes) -> bytes:
    """Return the name of a picture that was a JPEG, written as one."""
    return name + b".jpg"


def number_of(member: bytes) -> int:
    """Return the number of a member inside of its host."""
    return int(member.rpartition(b"/")[2])


def above(name: bytes) -> list[bytes]:
    """Return the folders that a name is in, the next one first."""
    ends = [end for end in range(len(name)) if name[end] == ord("/")]
    return [name[:end] for end in reversed(ends)]


def stays_inside(name: bytes, target: bytes) -> bool:
    """Tell whether a link of this name may point to this target.

    Dot-dot is allowed at the start only, where it climbs real folders: further on it could climb
    out through another link.
    """
    if not target or target.startswith(b"/") or b"\0" in target:
        return False
    if os.name == "nt" and (b"\\" in target or _DRIVE.match(target)):
        return False
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == b"..":
        climbs += 1
    return climbs <= name.count(b"/") and b".." not in parts[climbs:]
