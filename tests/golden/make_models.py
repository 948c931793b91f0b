"""Make the golden archive of several models, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_models [--force]
"""

from pathlib import Path

from PIL import Image

from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma
from tests.golden.make import HERE, digits, netpbm, photo, png
from tests.golden.make_formats import freeze
from tests.images.formats.lattice.scenes import picture, planes

ARCHIVE = HERE / "auto-models-5.bsw"


def lay(folder: Path) -> None:
    """Write pictures of each genre."""
    full, half = (MAPS[1], Chroma.FULL), (MAPS[0], MAPS[0].ways[0])
    (folder / "rgb.png").write_bytes(png(photo(90, 100, 70)))
    (folder / "gray.pgm").write_bytes(netpbm(photo(210, 190, 72)[..., 1]))
    for number, (used, how) in enumerate((full, full, half)):
        pixels = picture(used, how, planes(how, 160, 192, 60 * (number % 2)))
        Image.fromarray(pixels).save(folder / f"{used.name}{number}.png")
    strokes = digits(9)
    for number in range(9):
        (folder / f"digit{number:02}.png").write_bytes(png(strokes[:, 28 * number :][:, :28]))
    (folder / "notes.txt").write_bytes(b"Kept byte for byte.\n" * 3)


if __name__ == "__main__":
    freeze(ARCHIVE, lay)
