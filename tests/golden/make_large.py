"""Make the golden archive of pictures that are had by strips, and write what has to come out of it
into manifest.json; pictures of some thousand pixels count as large for it.

python -m tests.golden.make_large [--force]
"""

from pathlib import Path
from unittest.mock import patch

from bitswap_cli.coding.chunk import ChunkCodec
from bitswap_cli.images import strips
from tests.archive.support import encoded
from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "fast-large-5.bsw"
MODEL = "fast"


def write_files(folder: Path) -> None:
    """Write files whose pictures take several chunks, by rows from the top down and up."""
    (folder / "a.bmp").write_bytes(encoded(photo(280, 40, 61), "BMP"))
    (folder / "b.ppm").write_bytes(encoded(photo(40, 280, 62), "PPM") + b"behind")
    (folder / "c.pgm").write_bytes(encoded(photo(530, 30, 63)[..., :1], "PPM"))


if __name__ == "__main__":
    with patch.object(strips, "MAX_PIXELS", 999), patch.object(ChunkCodec, "chunk_tiles", 64):
        freeze(ARCHIVE, write_files, MODEL)
