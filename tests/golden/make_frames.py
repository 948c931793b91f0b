"""Make the golden archive of pictures by luma and chroma as frames of video have them, and write
what has to come out of it into manifest.json.

python -m tests.golden.make_frames [--force]
"""

from pathlib import Path

from PIL import Image

from bitswap_cli.images.formats.lattice.maps import Chroma
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.golden.make_lattice import FIRST
from tests.images.formats.lattice.scenes import WAYS, picture, planes

ARCHIVE = HERE / "photo-frames-5.bsw"


def lay(folder: Path) -> None:
    """Write a picture of each map that came later, with chroma for two pixels in a row, and of an
    odd width."""
    for number, (used, how) in enumerate(WAYS):
        for width in (64, 63):
            fewer = how not in (Chroma.FULL, Chroma.NONE)
            if used.name not in FIRST or how == Chroma.ACROSS or (fewer and width % 2):
                pixels = picture(used, how, planes(how, 49, width, 60 * (number % 2)))
                name = f"{used.name}-{how.name.lower()}-{width}.{'png' if number % 3 else 'bmp'}"
                Image.fromarray(pixels).save(folder / name)


if __name__ == "__main__":
    freeze(ARCHIVE, lay, "photo")
