"""Luma and chroma as sources store them."""

import numpy as np
import pytest
from PIL import Image

from bitswap_models.training.groups import colours
from tests.models.training.groups.small import waves


def test_full_range_is_that_of_jpegs() -> None:
    rgb = waves(1, 32)[0]
    theirs = np.asarray(Image.fromarray(rgb).convert("YCbCr"), int)
    ours = np.stack([colours.rounded(p) for p in colours.planes(rgb, colours.SPACES[1])], -1)
    assert abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("space, gray, white", [(0, (0, 156, 137), 188), (2, (16, 128, 128), 235)])
def test_black_and_white_in_other_ranges(
    space: int, gray: tuple[int, int, int], white: int
) -> None:
    rgb = np.zeros((1, 2, 3), np.uint8)
    rgb[0, 1] = 255
    y, cb, cr = (colours.rounded(p)[0] for p in colours.planes(rgb, colours.SPACES[space]))
    assert (y[0], cb[0], cr[0]) == gray and (cb[1], cr[1]) == gray[1:]
    assert y[1] == white


@pytest.mark.parametrize("side", [16, 24])
@pytest.mark.parametrize("space", colours.SPACES)
def test_luma_and_chroma_have_the_side_that_is_asked_for(space: colours.Space, side: int) -> None:
    for seed in range(8):
        random = np.random.default_rng(seed)
        told = colours.told(waves(1, 24, seed)[0], side, space, random)
        assert told.shape == (side, side, 3) and told.dtype == np.uint8
        if side == 24:
            y = colours.rounded(colours.planes(waves(1, 24, seed)[0], space)[0])
            assert np.array_equal(told[..., 0], y)


def test_chroma_of_photo_cd_lies_between_neighbours() -> None:
    """At half resolution, and interpolated: what is in between is a mean of two."""
    rgb = waves(1, 16)[0]
    halves = 0
    for seed in range(8):
        told = colours.told(rgb, 16, colours.PHOTO_CD, np.random.default_rng(seed)).astype(int)
        chroma = told[::2, :, 1]
        sums = chroma[:, :-2:2] + chroma[:, 2::2]
        halves += bool((abs(2 * chroma[:, 1:-1:2] - sums) <= 1).all())
    assert 0 < halves < 8


def test_planes_are_luma_or_chroma() -> None:
    rgb = waves(1, 32)[0]
    rgb[..., 2] = 255 - rgb[..., 2]  # so that Cb is not like Cr
    for space in colours.SPACES:
        y, *chroma = colours.planes(rgb, space)
        small = [p.reshape(16, 2, 16, 2).mean((1, 3)) for p in chroma]
        kinds = set()
        for seed in range(40):
            plane = colours.plane_of(rgb, 16, space, np.random.default_rng(seed))
            assert plane.shape == (16, 16)
            apart = [abs(plane - p).mean() for p in (y[:16, :16], *small)]
            kinds.add(int(np.argmin(apart)) if min(apart) < 2 else 3)
        assert kinds == {0, 1, 2, 3}
