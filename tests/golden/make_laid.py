"""Make the golden archive of pictures that were JPEGs before they were turned, or given an alpha,
and write what has to come out of it into manifest.json.

python -m tests.golden.make_laid [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from bitswap_cli.images.orientation import ORIENTATIONS, turn
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.history.jpegs import load, save, scene

ARCHIVE = HERE / "laid-5.bsw"


def lay(folder: Path) -> None:
    """Write pictures of all orientations, and with an alpha."""
    for orientation in range(ORIENTATIONS):
        pixels = load(save(scene(128, 160, orientation), 80, "4:2:0"))
        Image.fromarray(turn(pixels, orientation)).save(folder / f"{orientation}.png")
    for name, gray, alpha in (("gray", True, 255), ("colours", False, 254)):
        pixels = load(save(scene(120, 136, 9, gray=gray), 75))
        whole = np.concatenate([pixels, np.full((120, 136, 1), alpha, np.uint8)], 2)
        Image.fromarray(whole).save(folder / f"{name}.png")


if __name__ == "__main__":
    freeze(ARCHIVE, lay)
