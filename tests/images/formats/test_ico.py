"""ICO files of bitmaps and PNG files come back; images that do not stay as they are."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn, saved


def bitmap(pixels: np.ndarray, depth: int = 32) -> bytes:
    """A bitmap as ICO has it, with a mask."""
    height, width = pixels.shape[:2]
    head = struct.pack("<IiiHHIIiiII", 40, width, 2 * height, 1, depth, 0, 0, 0, 0, 0, 0)
    rows = pixels[::-1, :, [2, 1, 0, 3]] if depth == 32 else np.zeros((height, width), np.uint8)
    colours = bytes(4 << depth if depth < 24 else 0)
    return b"".join([head, colours, rows.tobytes(), b"\x55" * (height * width // 8)])


def icon(images: list[bytes], kind: int = 1, gap: bytes = b"", behind: bytes = b"") -> bytes:
    """A file of images."""
    at, entries = 6 + 16 * len(images), b""
    for image in images:
        entries += struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(image), at)
        at += len(image) + len(gap)
    return struct.pack("<HHH", 0, kind, len(images)) + entries + gap.join(images) + behind


def masked(depth: int, height: int, width: int, seed: int) -> tuple[bytes, np.ndarray]:
    """A bitmap of fewer than 32 bits with a mask, and what it shows."""
    random = np.random.default_rng(seed)
    head = struct.pack("<IiiHHIIiiII", 40, width, 2 * height, 1, depth, 0, 0, 0, 0, 0, 0)
    palette = random.permutation(1 << 16)[: 1 << depth].astype("<u4") if depth <= 8 else None
    values = random.integers(0, 256, (height, width, 3), np.uint8)
    mask = random.integers(0, 2, (height, width), np.uint8)
    if palette is not None:
        values[..., 0] >>= 8 - depth
        bits = np.unpackbits(values[::-1, :, :1], axis=2)[..., 8 - depth :].reshape(height, -1)
        colours = palette.view(np.uint8).reshape(-1, 4)[values[..., 0], 2::-1]
        head += palette.tobytes()
    else:
        bits, colours = np.unpackbits(values[::-1, :, ::-1].reshape(height, -1), axis=1), values
    rows = b"".join(padded(one) for one in (bits, mask[::-1]))
    return head + rows, np.dstack([colours, 255 * (1 - mask)])


def padded(bits: np.ndarray) -> bytes:
    """Rows of bits, filled up to multiples of four bytes."""
    found = np.zeros((len(bits), -(-bits.shape[1] // 32) * 32), np.uint8)
    found[:, : bits.shape[1]] = bits
    return np.packbits(found, axis=1).tobytes()


LARGE, SMALL = drawn(40, 32, 4), drawn(16, 24, 4, seed=1)
PNG = saved(Image.fromarray(LARGE), "PNG")


@pytest.mark.parametrize("kind", [1, 2])
def test_bitmaps_and_files_lie_one_below_the_other(kind: int) -> None:
    rgb = saved(Image.fromarray(LARGE[..., :3]), "PNG")
    data = icon([bitmap(SMALL), bitmap(SMALL, 8), PNG, rgb, b"no image"], kind, b"gap", b"behind")
    (picture,) = pictures(data)
    assert picture.recipe.kind == "ico" and picture.pixels.shape == (56, 32, 4)
    assert np.array_equal(shown(picture)[:16, :24], SMALL)
    assert np.array_equal(shown(picture)[16:], LARGE)
    assert not picture.pixels[:16, 24:].any()


def test_alpha_that_is_the_same_everywhere_stays() -> None:
    pixels = drawn(16, 16, 4)
    pixels[..., 3] = 7
    (picture,) = pictures(icon([bitmap(pixels)]))
    assert np.array_equal(picture.pixels, pixels)


def test_pillow_sees_the_same() -> None:
    data = saved(Image.fromarray(LARGE).resize((64, 64)), "ICO", sizes=[(64, 64)])
    (picture,) = pictures(data)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image), picture.pixels)


@given(
    st.sampled_from((1, 4, 8, 24)), st.integers(1, 40), st.integers(1, 40), st.integers(0, 1 << 20)
)
def test_bitmaps_of_fewer_bits_come_back_by_colours_and_mask(
    depth: int, height: int, width: int, seed: int
) -> None:
    """Beside images of other kinds; and what tells of them is refused by the kind without them."""
    image, seen = masked(depth, height, width, seed)
    (picture,) = pictures(icon([image, PNG, image + b"behind"]))
    assert picture.recipe.kind == "ico-masks"
    assert np.array_equal(picture.pixels[:height, :width], seen)
    with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
        rebuild(picture.recipe._replace(kind="ico"), picture.pixels)


def test_images_whose_indices_colours_do_not_tell_stay_as_they_are() -> None:
    """Or whose rows do not end with zeros."""
    image, _ = masked(8, 9, 9, 0)
    ends = image[:-1] + b"\1"
    alike = image[:40] + image[40:44] * 256 + image[44 + 4 * 255 :]
    for one in (ends, alike):
        assert pictures(icon([one])) == []
        (picture,) = pictures(icon([one, PNG]))
        assert picture.recipe.kind == "ico" and picture.pixels.shape == LARGE.shape


@pytest.mark.parametrize(
    "data",
    [
        icon([]),
        icon([bitmap(SMALL, 8)]),
        icon([bitmap(SMALL)[:100]]),
        icon([bitmap(SMALL)])[:-1],
        icon([bitmap(SMALL), PNG])[:6] + icon([bitmap(SMALL)])[6:22] * 2 + bytes(3000),
        b"\0\0\1\0\xff\xff",
    ],
)
def test_other_files_are_kept(data: bytes) -> None:
    assert pictures(data) == []


def test_damaged_recipes_are_refused() -> None:
    (picture,) = pictures(icon([bitmap(SMALL), PNG]))
    pixels, recipe = picture
    told = recipe.description
    large = b"\1\2" + varint(1 << 40) + varint(1 << 40)
    for other in (b"", told[:-1], told + b"x", b"\3" + told[1:], b"\0" + told[1:], large):
        with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
            rebuild(recipe._replace(description=other), pixels)
    more = np.pad(pixels, ((0, 1), (0, 0), (0, 0)))
    for wrong in (pixels[:-1], pixels[..., :3], pixels[:, :-1], more):
        with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
            rebuild(recipe, wrong)
    with pytest.raises(ArchiveError, match="does not fit"):
        rebuild(recipe._replace(suffix=b"x"), pixels)
