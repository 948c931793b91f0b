"""Make the golden archive of hosts, and write what has to come out of it into manifest.json.

python -m tests.golden.make_embedded [--force]
"""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-embedded-5.bsw"


def encoded(pixels: np.ndarray, kind: str, **options: int) -> bytes:
    """Return a picture's file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def hold(folder: Path) -> None:
    """Write files that hold pictures: some the same, one that lies in the folder as well, one that
    is kept as it is."""
    named = {f"{k}.png": encoded(photo(40, 56, 70 + k), "PNG") for k in range(3)}
    named |= {f"{k}.jpg": encoded(photo(64, 80, 80 + k), "JPEG", quality=90) for k in range(3)}
    named["noise.png"] = encoded(
        np.random.default_rng(9).integers(0, 256, (32, 32, 3), np.uint8), "PNG"
    )
    with tarfile.open(folder / "all.tar", "w") as tar:
        for name, data in named.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with zipfile.ZipFile(folder / "some.zip", "w") as pack:
        for name in ("2.jpg", "1.png", "0.jpg"):
            pack.writestr(zipfile.ZipInfo(name), named[name])
    (folder / "outside.jpg").write_bytes(named["1.jpg"])
    (folder / "same.tar").write_bytes((folder / "all.tar").read_bytes())
    (folder / "cover.mp3").write_bytes(
        b"ID3" + named["2.png"] + np.random.default_rng(8).bytes(999)
    )


if __name__ == "__main__":
    freeze(ARCHIVE, hold, "photo")
