"""How a JPEG file begins, up to its first scan: what decides its coefficients beside the scans."""

import hashlib
import io
from typing import BinaryIO, NamedTuple

from bitswap_cli.images.formats.jpeg.frame import SOI

_STEPS = 1 << 12  # segments before the first scan, at most
_SOS, _COMMENT = 0xDA, 0xFE
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_APPLICATIONS = range(0xE0, 0xF0)


class Head(NamedTuple):
    """What stands before the first scan."""

    tables: bytes
    """SHA-256 of all segments but those of applications and comments."""
    size: bytes
    """Of the frame: height and width, two bytes each."""
    scan: int
    """Where the first scan begins."""

    @property
    def pixels(self) -> int:
        """Of the frame; 0 where there is none."""
        return int.from_bytes(self.size[:2], "big") * int.from_bytes(self.size[2:], "big")


def head(file: BinaryIO) -> Head | None:
    """Walk through the segments of a JPEG file from where it begins on (ITU-T T.81, B.1.1.3); None
    if that is none, or has no scan."""
    begin, tables, size = file.tell(), hashlib.sha256(), b""
    if file.read(len(SOI)) != SOI:
        return None
    for _ in range(_STEPS):
        place = file.tell()
        start = file.read(4)
        length = int.from_bytes(start[2:], "big") - 2
        if len(start) < 4 or start[0] != 0xFF or start[1] < 0xC0 or length < 0:
            return None
        if start[1] == _SOS:
            return Head(tables.digest(), size, place - begin)
        if start[1] == _COMMENT or start[1] in _APPLICATIONS:
            file.seek(length, io.SEEK_CUR)
            continue
        body = file.read(length)
        tables.update(start + body)
        if start[1] in _FRAMES:
            size = body[1:5]
    return None
