"""Make the golden archive of pictures that other decoders of JPEG than libjpeg's by default made,
and write what has to come out of it into manifest.json.

python -m tests.golden.make_decoders [--force]
"""

from pathlib import Path

from PIL import Image

from bitswap_cli.images.history.decoder import Decoder
from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.history.jpegs import decoded, save, scene

ARCHIVE = HERE / "decoders-5.bsw"


def decode(folder: Path) -> None:
    """Write a picture by each of them, of each sampling."""
    for decoder in list(Decoder)[1:]:
        for seed, sampling in enumerate(("4:4:4", "4:2:2", "4:2:0")):
            pixels = decoded(save(scene(128, 160, seed), 80, sampling), decoder)
            Image.fromarray(pixels).save(folder / f"{decoder.name}-{sampling}.png")
    for decoder in (Decoder.FAST, Decoder.FFMPEG):
        pixels = decoded(save(scene(128, 160, 9, gray=True), 80), decoder)
        Image.fromarray(pixels[:, :, 0]).save(folder / f"{decoder.name}-gray.png")


if __name__ == "__main__":
    freeze(ARCHIVE, decode)
