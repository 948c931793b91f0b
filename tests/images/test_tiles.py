"""Cutting pictures into tiles and putting them together."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.images.tiles import checksum, count_tiles, cut, paste, tile_sizes


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.tuples(st.integers(1, 8), st.integers(0, 3)),
    tile=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    split=st.floats(0, 1),
    kind=st.sampled_from([np.uint8, np.int16]),
)
def test_paste_inverts_cut(
    height: int,
    width: int,
    channels: tuple[int, int],
    tile: tuple[int, int],
    split: float,
    kind: type[np.integer],
) -> None:
    coded, of_codec = channels[0], sum(channels)
    pixels = np.random.default_rng(height).integers(1, 256, (height, width, coded)).astype(kind)
    pixels -= np.array(2048 * (kind == np.int16), kind)
    number = count_tiles(height, width, *tile)
    tiles, sizes = cut(pixels, *tile, of_codec)
    assert tiles.dtype == kind
    assert tiles.shape == (number, *tile, of_codec)
    assert np.array_equal(sizes, tile_sizes(pixels.shape, *tile, 0, number))
    assert sizes[:, :2].prod(axis=1).sum() == height * width
    middle = round(split * number)
    again = np.zeros_like(pixels)
    for first, count in ((0, middle), (middle, number - middle)):
        part, part_sizes = cut(pixels, *tile, of_codec, first, count)
        assert np.array_equal(part, tiles[first : first + count])
        assert np.array_equal(part_sizes, sizes[first : first + count])
        paste(again, part, first)
    assert np.array_equal(again, pixels)
    for tile_pixels, (h, w, _) in zip(tiles, sizes, strict=True):
        assert tile_pixels[:h, :w].all()
        assert not tile_pixels[h:].any()
        assert not tile_pixels[:, w:].any()


def test_gray_is_repeated_in_every_channel() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    tiles, sizes = cut(pixels, 2, 3, 3)
    assert np.array_equal(tiles[0], np.repeat(pixels, 3, axis=2))
    assert sizes.tolist() == [[2, 3, 1]]


def test_channels_beyond_the_pictures_repeat_its_first() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 3, 2)
    tiles, sizes = cut(pixels, 2, 3, 4)
    assert np.array_equal(tiles[0, ..., :2], pixels)
    assert np.array_equal(tiles[0, ..., 2], pixels[..., 0])
    assert np.array_equal(tiles[0, ..., 3], pixels[..., 0])
    assert sizes.tolist() == [[2, 3, 2]]
    for channels in (1, 2):
        with pytest.raises(ValueError, match="3 channels"):
            cut(np.zeros((2, 3, 3), np.uint8), 2, 3, channels)


@pytest.mark.parametrize("size", [(8, 8), (7, 8), (8, 5), (13, 21)])
@pytest.mark.parametrize(("coded", "channels"), [(3, 3), (1, 3), (2, 3), (4, 4), (6, 8), (1, 1)])
def test_checksum_covers_exactly_what_is_coded(
    size: tuple[int, int], coded: int, channels: int
) -> None:
    shape = (*size, coded)
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    tiles, sizes = cut(pixels, 8, 8, channels)
    expected = checksum(tiles, sizes)
    noisy = tiles.copy()
    for tile, (h, w, c) in zip(noisy, sizes, strict=True):
        tile[h:], tile[:, w:], tile[:, :, c:] = 9, 9, 9
    assert checksum(noisy, sizes) == expected
    noisy[-1, sizes[-1, 0] - 1, sizes[-1, 1] - 1, sizes[-1, 2] - 1] ^= 1
    assert checksum(noisy, sizes) != expected


def test_checksum_of_two_bytes_a_sample_is_that_of_their_low_bytes_first() -> None:
    tiles, sizes = cut(np.array([[[-2], [258]], [[3], [4]]], np.int16), 1, 2, 1)
    expected = zlib.crc32(bytes.fromhex("feff 0201 0300 0400"))
    assert checksum(tiles, sizes) == expected
    assert checksum(tiles.astype(">i2"), sizes) == expected
