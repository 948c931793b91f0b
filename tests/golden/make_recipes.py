"""Make the golden archive of drawn pictures whose recipes are coded by context mixing, and write
what has to come out of it into manifest.json.

python -m tests.golden.make_recipes [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.models.families.drawn.pictures import flat

ARCHIVE = HERE / "drawn-recipes-5.bsw"


def draw(folder: Path) -> None:
    """Write icons by palettes that are shades of each other, with a few words each."""
    random = np.random.default_rng(8)
    for number in range(6):
        image = Image.fromarray(flat(24, 24, 1, random)[..., 0] % 40)
        shades = np.linspace((9 * number, 20, 60), (250, 200 - 9 * number, 220), 40)
        image.putpalette(shades.astype(np.uint8).tobytes())
        words = PngInfo()
        words.add_text("Comment", f"Icon number {number} of a set of six, drawn for a test.")
        image.save(folder / f"icon-{number}.png", pnginfo=words)


if __name__ == "__main__":
    freeze(ARCHIVE, draw)
