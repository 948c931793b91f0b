"""Make the golden archive of pictures whose descriptions are told in parts, and write what has to
come out of it into manifest.json.

python -m tests.golden.make_parts [--force]
"""

from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from bitswap_cli.coding.chunk import ChunkCodec
from bitswap_cli.images.formats import high_bits
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.golden.make_high_bits import deep
from tests.images.formats.samples import array_file, saved

ARCHIVE = HERE / "fast-parts-5.bsw"


def write_files(folder: Path) -> None:
    """Write photographs of 12 and 16 bits that take several chunks, or one."""
    rgb, gray = deep(20, 300, 93, 12), deep(280, 30, 94, 16)[..., 0]
    every = {
        "12.npy": array_file(rgb),
        "12 high.ppm": b"P6 300 20 65535\n" + (rgb << 4).astype(">u2").tobytes(),
        "16.png": saved(Image.fromarray(gray), "PNG"),
        "16 small.tif": saved(Image.fromarray(np.ascontiguousarray(gray[:30, :20])), "TIFF"),
    }
    for name, data in every.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    with patch.object(high_bits, "MAX_RECIPE", 999), patch.object(ChunkCodec, "chunk_tiles", 64):
        freeze(ARCHIVE, write_files, "fast")
