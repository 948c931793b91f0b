"""Rates of the models that are installed, on pictures that every clone has.

Photographs are pieces of those that scikit-image carries in its wheel (cat and coffee: CC0;
astronaut: NASA, public domain); digits are those of the golden archives. A model's words are the
same everywhere, so that the limits are what it takes, rounded up to 0.01 bits/dim. Rates on whole
test sets are proved in test_embedded.py, where these are.
"""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.coding import tile_codec
from bitswap_models import zoo
from bitswap_models.stored import model_file
from tests.golden.make import digits

FOLDER = Path(skimage.__file__).parent / "data"
EDGE = 160  # pixels, five tiles
PIECES = {  # row, column, and the SHA-256 of the pixels
    "astronaut.png": (60, 150, "e9d90c0b782527a65f77a5b003ba2745b61d92bc15b549a974d69e101d61665c"),
    "chelsea.png": (60, 120, "ae6ca7282da3459d79c93d107d55860917df6fef310c97b516ae9915b6655450"),
    "coffee.png": (100, 200, "75cd13b2a1c5fd206e5223fdf494e7b3a0f144eb13d9303d5290ce9c7bb4b3a0"),
}
PAYLOAD = bytes(1 << 16)  # more than a chunk's initial bits
LIMITS = {  # bits/dim
    "digits": 1.07,
    "fast": 3.47,
    "gray": 3.97,
    "large": 3.31,
    "mnist28": 1.07,
    "mnist28-l2": 1.09,
    "mnist28-l4": 1.12,
    "natural32": 3.77,
    "photo": 3.39,
    "resnet-1-1": 5.03,
    "resnet-1-8": 5.00,
    "resnet-8": 4.88,
    "thumbs": 3.36,
    "thumbs-z2": 3.36,
    "ycc": 2.79,
}

Pixels = NDArray[np.uint8]


def photographs(mode: str = "RGB") -> list[Pixels]:
    """Pieces of photographs, (EDGE, EDGE, 3), in a mode of Pillow's."""
    pieces = []
    for name, (row, column, digest) in PIECES.items():
        with Image.open(FOLDER / name) as image:
            whole = np.asarray(image.convert("RGB"))
        piece = np.ascontiguousarray(whole[row : row + EDGE, column : column + EDGE])
        found = hashlib.sha256(piece.tobytes()).hexdigest()
        assert found == digest, f"scikit-image has another {name}"
        pieces.append(np.asarray(Image.fromarray(piece).convert(mode)))
    return pieces


def tiles(picture: Pixels, tile: int) -> Pixels:
    """The tiles of a picture (H, W, C), row by row: (N, tile, tile, C)."""
    rows, columns, channels = (picture.shape[0] // tile, picture.shape[1] // tile, picture.shape[2])
    grid = picture.reshape(rows, tile, columns, tile, channels).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(-1, tile, tile, channels))


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_rates(name: str) -> None:
    """What a model takes, and that its message takes no more than what its distributions say."""
    model = model_file.load(zoo.find(name).path)
    if model.tile == 28:
        pictures = [digits(200)[..., None]]
    else:
        own = photographs("YCbCr" if name == "ycc" else "RGB")
        pictures = [picture[..., : model.channels] for picture in own]
    samples = np.concatenate([tiles(picture, model.tile) for picture in pictures])
    sizes = np.tile(np.array(samples.shape[1:], np.int32), (len(samples), 1))
    coded = tile_codec(model).encode(samples, sizes, PAYLOAD)
    net = coded.bits.sum() / samples.size
    total = 8 * (len(coded.words) - coded.payload_used) / samples.size
    assert abs(total / net - 1) < 0.005
    assert LIMITS[name] - 0.01 < total <= LIMITS[name]
