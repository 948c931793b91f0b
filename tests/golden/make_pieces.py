"""Make the golden archive of large deflate streams, in pieces, and write what has to come out of it
into manifest.json.

python -m tests.golden.make_pieces [--force]
"""

import gzip
import zlib
from pathlib import Path
from unittest.mock import patch

from bitswap_cli.images.deflate import pieces
from bitswap_cli.images.inside import streams
from tests.golden.make import HERE, photo
from tests.golden.make_embedded import encoded
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-pieces-5.bsw"


def hold(folder: Path) -> None:
    """Write streams with pictures between texts, of all headers, by several levels; and a text."""
    texts = [b"".join(b"%d: %d\n" % (k, k * k % q) for k in range(900)) for q in (97, 991, 9901)]
    jpeg, bmp, png = (encoded(photo(60, 70, 95), kind) for kind in ("JPEG", "BMP", "PNG"))
    inside = png.join(texts) + jpeg + bmp + texts[0] + png
    (folder / "pictures.gz").write_bytes(gzip.compress(inside, 6, mtime=0))
    parts = [zlib.compress(inside, level) for level in (1, 9)]
    (folder / "some.bin").write_bytes(b"between".join([*parts, png, zlib.compress(texts[2][:99])]))
    packer = zlib.compressobj(6, zlib.DEFLATED, 31, 1)  # of short blocks
    (folder / "text.gz").write_bytes(packer.compress(b"".join(texts)) + packer.flush())


if __name__ == "__main__":
    with patch.object(streams, "WHOLE", 5000), patch.object(pieces, "_ENOUGH", 6000):
        freeze(ARCHIVE, hold, "photo")
