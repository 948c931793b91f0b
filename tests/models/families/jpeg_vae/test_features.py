"""What the network sees of a block, in integers."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bitswap_models.families.jpeg_vae import features
from bitswap_models.families.jpeg_vae.tables import tables, zigzag

RANDOM = np.random.default_rng(3)


def test_zigzag_begins_as_the_standard_does() -> None:
    assert zigzag()[:6] == [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2)]
    assert zigzag()[-1] == (7, 7)


def test_pixels_are_those_of_a_cosine_transform() -> None:
    grays = RANDOM.integers(-60, 61, (50, 64)).astype(np.int32)
    basis = np.array([
        [
            (1 if u else 2**-0.5) * (1 if v else 2**-0.5) / 4
            * math.cos((2 * x + 1) * u * math.pi / 16) * math.cos((2 * y + 1) * v * math.pi / 16)
            for y in range(8) for x in range(8)
        ]
        for v, u in zigzag()
    ])  # fmt: skip
    pixels = features.pixels_of(grays)
    assert np.abs(pixels - 8 * (grays @ basis)).max() < 8  # 1 gray
    assert np.abs(features.transformed(pixels) - 16 * grays).max() < 16


def test_large_coefficients_are_clipped_not_wrapped() -> None:
    x = np.full((1, 64), -32768, np.int16)
    grays = features.dequantized(x, np.full(64, 65535))
    assert (grays == -features.COEFFICIENT_MAX).all()
    assert np.abs(features.pixels_of(grays)).max() <= features.PIXEL_MAX
    assert tables().basis.dtype == np.int32
    assert np.abs(tables().basis).sum(0).max() * features.COEFFICIENT_MAX < 2**31


@given(st.integers(0, 2**30), st.integers(1, 2**22))
def test_statistics_are_thirds_of_octaves(total: int, count: int) -> None:
    t = features._thirds(total, count)
    if not total:
        assert t == features.STATISTIC_MIN
    elif features.STATISTIC_MIN < t < features.STATISTIC_MAX:
        assert 0 <= 3 * math.log2(total / count) - t + 1e-9 < 1 + 1e-6


def test_the_last_coefficient() -> None:
    x = np.zeros((3, 64), np.int16)
    x[1, 0], x[2, 40] = 5, -1
    assert features.last_of(x).tolist() == [0, 0, 40]


def test_the_surroundings_of_a_block_without_neighbours_are_nothing() -> None:
    around, there = features.neighbours(RANDOM.integers(-9, 10, (2, 3, 64)))
    assert there.tolist()[:2] == [[False] * 4, [True, False, False, False]]
    assert there[4].all()
    blocks = features.of_blocks(around, there, np.full(64, 10))
    for part in blocks:
        assert not part[0].any()
    assert np.abs(blocks.pixels.astype(int)).max() <= 127


def test_luma_of_a_half_is_its_mean() -> None:
    luma = np.zeros((2, 2, 64), np.int32)
    luma[:, :, 0] = [[80, 160], [240, 320]]  # 10, 20, 30 and 40 grays
    found = features.colocated(luma, (2, 2), (1, 1))
    assert abs(int(found[0, 0]) - 16 * 8 * 25) < 16
    assert features.colocated(luma, (1, 1), (2, 2)).shape == (4, 64)
