"""Make the golden archive of palettes whose alphas follow from their colours, and write what has to
come out of it into manifest.json.

python -m tests.golden.make_opaque [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.formats.samples import drawn

ARCHIVE = HERE / "photo-opaque-5.bsw"


def write_files(folder: Path) -> None:
    """Write drawings by palettes in no order, all of one alpha, and with one of each colour."""
    indices = np.kron(drawn(20, 16, 3, seed=6)[..., 0] % 64, np.ones((3, 4), np.uint8))
    colours = np.random.default_rng(7).integers(0, 256, (64, 4), np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(np.ascontiguousarray(colours[:, :3]).tobytes())
    image.save(folder / "none.png")
    image.save(folder / "few.png", transparency=colours[:3, 3].tobytes())
    image.save(folder / "all.png", transparency=colours[:, 3].tobytes())


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
