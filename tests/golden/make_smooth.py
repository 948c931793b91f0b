"""Make the golden archive of pictures whose chroma was interpolated, and write what has to come out
of it into manifest.json.

python -m tests.golden.make_smooth [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.formats.lattice.scenes import smooth_pictures

ARCHIVE = HERE / "photo-smooth-5.bsw"
GRAIN = 0.1


def lay(folder: Path) -> None:
    """Write pictures of even and odd sides, one of which was painted over."""
    pictures = {name: Image.fromarray(own) for name, own in smooth_pictures(GRAIN).items()}
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    painted = np.array(pictures["even"])
    painted[20:30, 100:130] = np.arange(30, dtype=np.uint8)[None, :, None]
    Image.fromarray(painted).save(folder / "painted.ppm")


if __name__ == "__main__":
    freeze(ARCHIVE, lay, "photo")
