"""Which pictures look drawn, and how many go into one chunk."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bitswap_cli.images import repeats
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe
from bitswap_cli.images.repeats import MAX_HELD, by_palette, depth, few, is_drawn
from tests.images.formats.jpeg.files import photograph
from tests.models.families.drawn.pictures import flat, noise

RANDOM = np.random.default_rng(1)


def test_drawn_pictures_do_and_photographs_do_not() -> None:
    for channels in (1, 3):
        assert is_drawn(flat(40, 40, channels, RANDOM)) and is_drawn(
            flat(200, 200, channels, RANDOM)
        )
        assert not is_drawn(noise(40, 40, channels, RANDOM))
        assert not is_drawn(photograph(200, 200, channels))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixels_repeat_that_equal_the_one_beside_or_above(channels: int) -> None:
    for height, width in ((1, 1), (1, 9), (9, 1), (2, 2), (7, 12)):
        large = RANDOM.integers(0, 2, (height + 3, width + 4, channels)).astype(np.uint8)
        pixels = large[1:-2, 2:-2]
        told = [
            (pixels[y, x] == pixels[y, x - 1]).all() or (pixels[y, x] == pixels[y - 1, x]).all()
            for y in range(1, height)
            for x in range(1, width)
        ]
        assert repeats._repeated(pixels) == (np.mean(told) if told else 1.0)


def test_few_colours_do_though_none_is_repeated() -> None:
    inks = RANDOM.integers(0, 256, (90, 3)).astype(np.uint8)
    assert is_drawn(inks[RANDOM.integers(0, 90, (200, 200))])


def test_pictures_of_other_channels_do_whatever_they_are() -> None:
    for channels in (2, 4):
        picture = Picture(
            noise(30, 30, channels, RANDOM), Recipe("png-samples", png(channels), b"")
        )
        assert depth(picture) == 1


def png(channels: int) -> bytes:
    """The start of a PNG file of 30x30 pixels with alpha."""
    head = (30).to_bytes(4, "big") * 2 + bytes([8, {2: 4, 4: 6}[channels], 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + len(head).to_bytes(4, "big") + b"IHDR" + head + bytes(4)


def test_palettes_are_told_by_colours_that_are_not_gray() -> None:
    indices = Picture(noise(9, 7, 1, RANDOM), Recipe("png-samples", b"", b""))
    gray = Picture(np.repeat(indices.pixels, 3, 2), Recipe("png-colours", b"", b""))
    for colours in (noise(9, 7, 3, RANDOM), np.dstack([gray.pixels, 255 - indices.pixels])):
        seen = [indices, gray._replace(pixels=colours)]
        assert by_palette(seen) and by_palette([*seen, Picture(colours, Recipe("ranks", b"", b""))])
    planes = Picture(noise(9, 7, 3, RANDOM), Recipe("libjpeg", b"", b""))
    for others in ([], [indices], [indices, gray], [indices, planes], [planes]):
        assert not by_palette(others)


def test_scales_of_colours_are_no_palettes() -> None:
    """What has one channel, perhaps of a JPEG, is shown by them: its indices are samples."""
    level = np.arange(256)
    scale = np.stack([level**2 // 255, level, 255 - level], 1).astype(np.uint8)
    indices = photograph(60, 60, 1)

    def seen(shown: NDArray[np.uint8], palette: NDArray[np.uint8]) -> list[Picture]:
        colours = palette[shown[..., 0]]
        recipes = (Recipe("png-samples", b"", b""), Recipe("png-colours", b"", b""))
        return [Picture(p, own) for p, own in zip((shown, colours), recipes, strict=True)]

    assert not by_palette(seen(indices, scale))
    assert by_palette(seen(indices, RANDOM.permutation(scale)))
    assert by_palette(seen(indices // 8, scale))  # of few colours


def test_one_pixel_is_enough() -> None:
    assert is_drawn(noise(1, 1, 3, RANDOM))


def test_drawn_ones_repeat_their_colours_and_are_not_only_high() -> None:
    random = np.random.default_rng(1)
    assert depth(Picture(flat(20, 30, 3, random), Recipe("bmp", b"", b""))) == 1
    assert depth(Picture(noise(20, 30, 3, random), Recipe("bmp", b"", b""))) is None
    assert depth(Picture(flat(1 << 24, 1, 3, random), Recipe("bmp", b"", b""))) is None


@pytest.mark.parametrize(
    ("shapes", "fits"),
    [
        ([(MAX_PIXELS >> 13, 1 << 13, 1)], True),
        ([(MAX_PIXELS >> 13, 1 << 13, 2)], False),
        ([(MAX_PIXELS >> 14, 1 << 13, 1)] * 2, True),
        ([(MAX_PIXELS >> 14, 1 << 13, 1)] * 3, False),
        ([(MAX_HELD // 7 - 2, 1, 1)], True),
        ([(MAX_HELD // 7 - 1, 1, 1)], False),
        ([(1, MAX_HELD // 3 - 6, 1)], True),
        ([(1, MAX_HELD // 3 - 5, 1)], False),
    ],
)
def test_what_is_held_beside_pixels_counts(shapes: list[tuple[int, int, int]], fits: bool) -> None:
    assert few(shapes) == fits
