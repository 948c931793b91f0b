"""Make the golden archive of texts in base64, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_base64 [--force]
"""

import gzip
from base64 import b64encode, encodebytes
from pathlib import Path

from tests.golden.make import HERE, photo
from tests.golden.make_embedded import encoded
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-base64-5.bsw"


def hold(folder: Path) -> None:
    """Write texts that hold pictures: one in one line and in several, beside deflate streams, and
    in such a stream."""
    png, jpeg = (encoded(photo(48, 56, 95), kind) for kind in ("PNG", "JPEG"))
    page = b"<img src='data:;base64," + b64encode(png) + b"'/>"
    mail = b"Subject: a photograph\n\n" + encodebytes(jpeg) + b"\n--\n"
    (folder / "page.html").write_bytes(page)
    (folder / "mail.eml").write_bytes(mail.replace(b"\n", b"\r\n"))
    (folder / "page.gz").write_bytes(gzip.compress(page, mtime=0))
    (folder / "more").write_bytes(gzip.compress(b"some text, " * 99, mtime=0) + mail)
    (folder / "notebook.ipynb").write_bytes(b'{"a": "' + encodebytes(png).replace(b"\n", b"\\n"))


if __name__ == "__main__":
    freeze(ARCHIVE, hold, "photo")
