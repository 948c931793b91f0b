"""Make the golden archive of files in files in files, and of one in sections, and write what has to
come out of it into manifest.json.

python -m tests.golden.make_nested [--force]
"""

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from unittest.mock import patch

from bitswap_cli.archive.sources.inside import spans
from tests.golden.make import HERE, photo
from tests.golden.make_embedded import encoded
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-nested-5.bsw"


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as pack:
        for name, data in files.items():
            pack.writestr(zipfile.ZipInfo(name), data, kind)
    return out.getvalue()


def hold(folder: Path) -> None:
    """Write documents in a ZIP and a gzip file, one of them twice; and a file that is cut."""
    texts = [b"".join(b"%d: %d\n" % (k, k * k % q) for k in range(300)) for q in (97, 991, 9901)]
    jpeg, bmp, png = (encoded(photo(60, 70, 93), kind) for kind in ("JPEG", "BMP", "PNG"))
    first = zipped({"a.xml": texts[0], "b.jpg": jpeg, "c.bmp": bmp})
    second = zipped({"a.xml": texts[1], "c.png": png})
    (folder / "documents.zip").write_bytes(zipped({"1.docx": first, "2.docx": second}))
    (folder / "documents.gz").write_bytes(gzip.compress(first + texts[2] + second, mtime=0))
    (folder / "again.zip").write_bytes(zipped({"deep.zip": zipped({"2.docx": second})}))
    large = [zlib.compress(text) + png + bmp for text in texts]
    (folder / "large").write_bytes(b"between".join(large) + b"".join(texts))


if __name__ == "__main__":
    with patch.multiple(spans, MAX_BLOCK=40_000, _SECTION=15_000):
        freeze(ARCHIVE, hold, "photo")
