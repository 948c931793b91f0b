"""Make the golden archive of pictures by luma and chroma, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_lattice [--force]
"""

from pathlib import Path

from PIL import Image

from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma
from bitswap_cli.images.orientation import turn
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.formats.lattice.scenes import WAYS, picture, planes

FIRST = [used.name for used in MAPS[:14]]
"""Those that came with the first pictures by luma and chroma."""

ARCHIVE = HERE / "photo-lattice-5.bsw"


def lay(folder: Path) -> None:
    """Write a picture of each map with all of its chroma, and with less; some are mirrored."""
    first = [way for way in WAYS if way[0].name in FIRST and way[1] != Chroma.ACROSS]
    for number, (used, how) in enumerate(first):
        pixels = picture(used, how, planes(how, 64, 96, 60 * (number % 2)))
        orientation = 3 if how == Chroma.BETWEEN else 0
        name = f"{used.name}-{how.name.lower()}.{'png' if number % 3 else 'bmp'}"
        Image.fromarray(turn(pixels, orientation)).save(folder / name)


if __name__ == "__main__":
    freeze(ARCHIVE, lay, "photo")
