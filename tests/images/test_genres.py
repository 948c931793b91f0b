"""Genres of pictures, by their channels, their size and what these channels are."""

import numpy as np
import pytest

from bitswap_cli.images.formats.lattice import format as lattice
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma
from bitswap_cli.images.formats.rasters.pnm import split
from bitswap_cli.images.genres import genre_of
from bitswap_cli.images.history import engine
from bitswap_cli.images.picture import Picture, Recipe
from tests.images.formats.lattice.scenes import picture, planes


@pytest.mark.parametrize(
    ("shape", "genre"),
    [
        ((32, 32, 3), "rgb"),
        ((400, 300, 3), "rgb"),
        ((400, 300, 1), "gray"),
        ((33, 1, 1), "gray"),
        ((32, 32, 1), "small gray"),
        ((28, 28, 4), "4 channels"),
    ],
)
def test_by_channels_and_size(shape: tuple[int, int, int], genre: str) -> None:
    found = Picture(np.zeros(shape, np.uint8), Recipe("pnm", b"", b""))
    assert genre_of(found) == genre


@pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
@pytest.mark.parametrize(
    ("which", "how", "genre"),
    [(1, Chroma.FULL, "luma and chroma"), (0, MAPS[0].ways[0], "planes")],
)
def test_by_luma_and_chroma(which: int, how: Chroma, genre: str) -> None:
    pixels = picture(MAPS[which], how, planes(how, 96, 96))
    file = split(b"P6 96 96 255\n" + pixels.tobytes(), "pnm")
    assert file and genre_of(file) == "rgb"
    found = lattice.laid(file)
    assert found and genre_of(found) == genre


@pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
def test_luma_alone_is_gray() -> None:
    gray = planes(Chroma.FULL, 96, 96)[0]
    pixels = np.repeat(np.asarray(gray).reshape(96, 96, 1), 3, 2).astype(np.uint8)
    pixels[5, 5:8] = (1, 2, 3)
    file = split(b"P6 96 96 255\n" + pixels.tobytes(), "pnm")
    assert file
    found = lattice.laid(file)
    assert found and genre_of(found) == "gray"
