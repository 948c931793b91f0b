"""Make the golden archive of twins, and write what has to come out of it into manifest.json.

python -m tests.golden.make_twins [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import files

ARCHIVE = HERE / "photo-twins-5.bsw"
FORMS = ("bmp-32 opaque", "npy colour", "pam opaque", "qoi", "tga runs", "tiff tiff_lzw")


def pair(folder: Path) -> None:
    """Write pictures that are in one chunk, in many formats, and one that goes on in a second."""
    every = files(photo(40, 56, 61))
    for name in FORMS:
        (folder / f"small-{name}").write_bytes(every[name])
    for level in (1, 9):
        Image.fromarray(photo(30, 30, 62)).save(folder / f"level-{level}.png", compress_level=level)
    y, x = np.mgrid[:1060, :1000]
    light = 110 + 60 * np.sin(y / 190 + x / 310) + 40 * np.sin(y * x / 90000)
    large = Image.fromarray(light.astype(np.uint8))
    for form in ("png", "bmp", "pgm"):
        large.save(folder / f"large.{form}")


if __name__ == "__main__":
    freeze(ARCHIVE, pair, "photo")
