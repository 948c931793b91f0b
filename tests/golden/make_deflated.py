"""Make the golden archive of PNG files by other makers than zlib, and write what has to come out of
it into manifest.json.

python -m tests.golden.make_deflated [--force]
"""

import struct
from pathlib import Path

import numpy as np

from tests.golden.make import HERE, chunk, photo
from tests.golden.make_formats import freeze
from tests.images.deflate.streams import by_libdeflate

ARCHIVE = HERE / "photo-libdeflate-5.bsw"
MODEL = "photo"


def write_files(folder: Path) -> None:
    """Write a PNG file of each level of libdeflate."""
    for level in range(1, 13):
        rows = photo(80, 64, 70 + level).reshape(80, -1)
        up = np.diff(rows, axis=0, prepend=np.uint8(0)).astype(np.uint8)
        lines = np.insert(up, 0, 2, axis=1).tobytes()
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 80, 8, 2, 0, 0, 0))
        body = chunk(b"IDAT", by_libdeflate(lines, level))
        made = b"".join([b"\x89PNG\r\n\x1a\n", head, body, chunk(b"IEND", b"")])
        (folder / f"libdeflate {level}.png").write_bytes(made)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files, MODEL)
