"""Make the golden archive of JPEG files, and of pictures that were JPEGs, that are coded by the
coefficients of others, and write what has to come out of it into manifest.json.

python -m tests.golden.make_equal [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from bitswap_cli.images.orientation import turn
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.history.jpegs import load, save, scene

ARCHIVE = HERE / "equal-5.bsw"


def write_equal(folder: Path) -> None:
    """Write two JPEG files, and each again in other ways: with bytes behind it, and decoded."""
    for name, quality, sampling, seed in (("a", 80, "4:2:0", 21), ("b", 92, "4:4:4", 22)):
        data = save(scene(112, 136, seed), quality, sampling)
        (folder / f"{name}.jpg").write_bytes(data)
        (folder / f"{name}.again.jpg").write_bytes(data + b"behind")
        pixels = load(data)
        Image.fromarray(pixels).save(folder / f"{name}.png")
        Image.fromarray(pixels).save(folder / f"{name}.ppm")
        Image.fromarray(np.ascontiguousarray(turn(pixels, 4))).save(folder / f"{name}.turned.png")


if __name__ == "__main__":
    freeze(ARCHIVE, write_equal)
