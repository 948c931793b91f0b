"""Make the golden archive of pictures by maps that recipes tell, and write what has to come out of
it into manifest.json.

python -m tests.golden.make_own_maps [--force]
"""

from pathlib import Path

from PIL import Image

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.formats.lattice.scenes import own_pictures

ARCHIVE = HERE / "photo-own-maps-5.bsw"
GRAIN = 0.1


def lay(folder: Path) -> None:
    """Write pictures with all chroma and with less, and one that was stretched."""
    pictures = {name: Image.fromarray(own) for name, own in own_pictures(GRAIN).items()}
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    stretch = [min(255, max(0, round(1.2 * k - 20))) for k in range(256)]
    pictures["half"].point(stretch * 3).save(folder / "stretched.bmp")


if __name__ == "__main__":
    freeze(ARCHIVE, lay, "photo")
