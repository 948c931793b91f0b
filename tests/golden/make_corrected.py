"""Make the golden archive of pictures that were JPEGs and are not all as they were decoded, and
write what has to come out of it into manifest.json.

python -m tests.golden.make_corrected [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from bitswap_cli.images.orientation import turn_back
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.history.jpegs import load, save, scene

ARCHIVE = HERE / "corrected-5.bsw"


def correct(folder: Path, height: int = 128, width: int = 160) -> None:
    """Write pictures of a size painted on and turned, and crops, whose edges are wrong."""
    for seed, sampling in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        pixels = load(save(scene(height, width, seed), 80, sampling)).copy()
        pixels[20:31, 40:60] = scene(11, 20, 7)
        Image.fromarray(turn_back(pixels, 5 * seed % 8)).save(folder / f"painted-{sampling}.png")
        pixels = load(save(scene(height + 16, width + 16, seed), 92, sampling))
        Image.fromarray(pixels[5:-9, 3:-6]).save(folder / f"cropped-{sampling}.png")
    gray = np.array(load(save(scene(height, width, 9, gray=True), 80))[:, :, 0])
    gray[40:50, 60:90] += 3
    Image.fromarray(gray).save(folder / "gray.png")


if __name__ == "__main__":
    freeze(ARCHIVE, correct)
