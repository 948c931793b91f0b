"""Make the golden archive of deflate streams, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_streams [--force]
"""

import gzip
import io
import zipfile
import zlib
from pathlib import Path

from tests.golden.make import HERE, photo
from tests.golden.make_embedded import encoded
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-streams-5.bsw"


def hold(folder: Path) -> None:
    """Write files with streams inside: of all headers, with pictures in and between them, one that
    is there twice, and one that is damaged."""
    texts = [b"".join(b"%d: %d\n" % (k, k * k % q) for k in range(300)) for q in (97, 991, 9901)]
    with zipfile.ZipFile(folder / "some.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        for number, text in enumerate(texts):
            pack.writestr(zipfile.ZipInfo(f"{number}.txt"), text, zipfile.ZIP_DEFLATED, number * 4)
        for name, kind in (("a.png", "PNG"), ("b.jpg", "JPEG")):
            pack.writestr(zipfile.ZipInfo(name), encoded(photo(64, 80, 90), kind))
    out = io.BytesIO()
    with gzip.GzipFile("a name", "wb", 9, out, mtime=7) as file:
        file.write(texts[0])
    (folder / "text.gz").write_bytes(out.getvalue())
    (folder / "more.gz").write_bytes(out.getvalue() * 2 + b"and more")
    jpeg, bmp = (encoded(photo(50, 60, 91), kind) for kind in ("JPEG", "BMP"))
    (folder / "all.tar.gz").write_bytes(gzip.compress(b"head" + jpeg + texts[1] + jpeg, mtime=0))
    (folder / "bmp.gz").write_bytes(gzip.compress(bmp, 6, mtime=0))
    streams = [zlib.compress(text, level) for text, level in zip(texts, (1, 6, 9), strict=True)]
    (folder / "some.pdf").write_bytes(
        b"stream\n".join([*streams, b"H\x89" + streams[0][2:], streams[1][:-9]])
    )
    (folder / "same.pdf").write_bytes((folder / "some.pdf").read_bytes())


if __name__ == "__main__":
    freeze(ARCHIVE, hold, "photo")
