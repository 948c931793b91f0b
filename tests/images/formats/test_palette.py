"""Palette images by their colours, and back."""

import numpy as np

from bitswap_cli.images.formats.palette import colours_of, indices_of

RANDOM = np.random.default_rng(1)
PALETTE = np.unique(RANDOM.integers(0, 256, (40, 3)), axis=0).astype(np.uint8)


def test_indices_come_back() -> None:
    indices = RANDOM.integers(0, len(PALETTE), (9, 8, 1)).astype(np.uint8)
    pixels = colours_of(indices, PALETTE)
    found = None if pixels is None else indices_of(pixels, PALETTE)
    assert found is not None and np.array_equal(found, indices)


def test_an_index_that_would_be_lost_is_none() -> None:
    twice = np.concatenate((PALETTE, PALETTE[:1]))
    last = np.full((2, 2, 1), len(PALETTE), np.uint8)
    assert colours_of(last, twice) is None
    assert colours_of(last, PALETTE) is None


def test_colours_that_a_palette_has_not_are_none() -> None:
    pixels = np.full((3, 4, 3), PALETTE[0], np.uint8)
    assert indices_of(pixels ^ np.uint8(1), PALETTE[:1]) is None
    assert indices_of(pixels[..., :2], PALETTE) is None
    assert indices_of(np.concatenate((pixels, pixels[..., :1]), 2), PALETTE) is None
    assert indices_of(pixels, PALETTE[:0]) is None
