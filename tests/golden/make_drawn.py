"""Make the golden archive of drawn pictures, and write what has to come out of it into
manifest.json. Colours of the last picture take entries of the memory from each other.

python -m tests.golden.make_drawn [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.models.families.drawn.pictures import flat, noise, smooth

ARCHIVE = HERE / "drawn-0.22-5.bsw"  # drawn-5, drawn-0.21-5: models before


def draw(folder: Path) -> None:
    """Write pictures of all channels, with palettes and without, and some that repeat others."""
    random = np.random.default_rng(7)
    for channels in (1, 2, 3, 4):
        for number in range(2):
            pixels = flat(40, 36, channels, random)
            shown = pixels if channels > 1 else pixels[..., 0]
            Image.fromarray(shown).save(folder / f"flat-{channels}-{number}.png")
        edge = smooth(20, 24, channels, random)
        shown = edge if channels > 1 else edge[..., 0]
        Image.fromarray(shown).save(folder / f"smooth-{channels}.png")
    indexed = Image.fromarray(smooth(30, 28, 3, random)).quantize(70)
    indexed.save(folder / "palette.png")
    indexed.save(folder / "clear.png", transparency=5)
    indexed.save(folder / "palette.bmp")
    Image.fromarray(flat(25, 31, 1, random)[..., 0] > 99).save(folder / "bits.png")
    high, low = flat(26, 22, 2, random).astype(np.uint16).transpose(2, 0, 1)
    Image.fromarray(high << 8 | low).save(folder / "deep.png")
    Image.fromarray(noise(32, 32, 4, random) & 0x1F).save(folder / "noise.png")


if __name__ == "__main__":
    freeze(ARCHIVE, draw)
