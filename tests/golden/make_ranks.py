"""Make the golden archive of pictures by ranks, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_ranks [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import array_file

ARCHIVE = HERE / "photo-ranks-5.bsw"


def stretch(folder: Path) -> None:
    """Write photographs of more contrast, with a curve, and equalized, in some formats."""
    plain = [Image.fromarray(photo(96, 128, seed)) for seed in (70, 71, 72)]
    contrast = plain[0].point([min(255, max(0, round(1.4 * k - 40))) for k in range(256)] * 3)
    curve = plain[1].point([round(255 * (k / 255) ** 2) for k in range(256)] * 3)
    equal = ImageOps.equalize(plain[2])
    contrast.save(folder / "contrast.png")
    curve.save(folder / "curve.tif")
    equal.save(folder / "equal.ppm")
    equal.transpose(Image.Transpose.ROTATE_90).getchannel("G").save(folder / "gray.bmp")
    (folder / "curve.npy").write_bytes(array_file(np.asarray(curve)[::-1]))


if __name__ == "__main__":
    freeze(ARCHIVE, stretch, "photo")
