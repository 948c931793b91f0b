"""Make the golden archive of PNG files whose deflater looked for cheap tokens.

What has to come out of it is written into manifest.json.

python -m tests.golden.make_costs [--force]
"""

import struct
from pathlib import Path

import numpy as np

from tests.golden.make import HERE, chunk, photo
from tests.golden.make_formats import freeze
from tests.images.deflate.streams import thrifty

ARCHIVE = HERE / "photo-costs-5.bsw"
MODEL = "photo"


def write_files(folder: Path) -> None:
    """Write PNG files, one of a photograph as it is, one with flat parts."""
    for name, flat in (("photo", 0), ("half flat", 40)):
        pixels = photo(80, 64, 91)
        pixels[:flat] = pixels[0, 0]
        rows = pixels.reshape(80, -1)
        up = np.diff(rows, axis=0, prepend=np.uint8(0)).astype(np.uint8)
        lines = np.insert(up, 0, 2, axis=1).tobytes()
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 80, 8, 2, 0, 0, 0))
        body = chunk(b"IDAT", thrifty(lines))
        made = b"".join([b"\x89PNG\r\n\x1a\n", head, body, chunk(b"IEND", b"")])
        (folder / f"{name}.png").write_bytes(made)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files, MODEL)
