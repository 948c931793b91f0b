"""A file of rows comes back from its strips, however high they are."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import strips
from bitswap_cli.images.formats.register import HEAD
from bitswap_cli.images.inspection import inspect_exact
from bitswap_cli.images.orientation import turn
from bitswap_cli.images.picture import MAX_RECIPE, Picture
from bitswap_cli.images.strips import Proof, Strips, begin
from tests.archive.support import encoded, smooth
from tests.images.formats.samples import FIVES, bmp_of_words, tga_of_words


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """Let pictures of 100 pixels and more be had by strips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "MAX_PIXELS", 99)
        yield


def npy(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, pixels)
    return out.getvalue()


def pam(pixels: np.ndarray) -> bytes:
    height, width, depth = pixels.shape
    head = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL 255\nENDHDR\n"
    return head.encode() + pixels.tobytes()


RGB, GRAY, RGBA = smooth(23, 17), smooth(23, 17, 1), smooth(23, 17, 4)
OPAQUE = np.concatenate([RGB, np.full((23, 17, 1), 255, np.uint8)], 2)
DEEP = np.arange(23 * 17, dtype=">u2").reshape(23, 17) * 99
FILES = {
    "bmp": encoded(RGB, "BMP"),
    "gray bmp": encoded(GRAY, "BMP"),
    "bmp-32": encoded(RGBA, "BMP"),
    "opaque bmp-32": encoded(OPAQUE, "BMP"),
    "ppm": encoded(RGB, "PPM") + b"behind",
    "pgm": encoded(GRAY, "PPM"),
    "deep pgm": b"P5 17 23 65535\n" + DEEP.tobytes(),
    "few": b"P5 17 23 100\n" + (GRAY % 101).tobytes(),
    "pam": pam(RGBA),
    "opaque pam": pam(OPAQUE),
    "tga": encoded(RGB, "TGA"),
    "npy": npy(RGB),
    "deep npy": npy(DEEP.astype("<u2")),
    "signed npy": npy(DEEP.astype("<i2")),
    "Fortran's npy": npy(np.asfortranarray(DEEP)),
    "bits": b"P4 17 23\n" + np.packbits(GRAY[..., 0] > 99, axis=1).tobytes() + b"behind",
    "bmp-16": bmp_of_words(RGB, FIVES),
    "tga-16": tga_of_words(RGBA),
}


def found_in(data: bytes, height: int) -> Strips:
    """A file, proved by strips of so many rows."""
    begun = begin(data[:HEAD], len(data))
    assert begun is not None
    proof, (start, stride, whole, *_) = Proof(begun), begun.layout
    end = start + stride * whole
    for at in range(start, end, height * stride):
        assert proof.comes_back(data[at : min(at + height * stride, end)])
    return proof.strips(data[end:])


@given(st.sampled_from(sorted(FILES)), st.integers(1, 40))
def test_samples_and_recipe_are_those_of_the_whole_picture(name: str, height: int) -> None:
    data = FILES[name]
    found = found_in(data, height)
    (whole,) = inspect_exact(data, None)
    assert found.recipe == whole.recipe and found.shape == whole.pixels.shape
    start, stride, rows, *_ = found.layout
    parts = [
        found.samples(data[start + top * stride : start + min(top + height, rows) * stride])
        for top in range(0, rows, height)
    ]
    laid = turn(whole.pixels, found.orientation)
    assert np.array_equal(np.concatenate(parts), laid)
    # and back, from nothing but the recipe
    again = strips.of(whole.recipe)
    assert again == found
    back = b"".join(again.rows(laid[top : top + height]) for top in range(0, rows, height))
    assert found.recipe.prefix + back + found.recipe.suffix == data


@pytest.mark.parametrize(
    "data",
    [
        encoded(smooth(9, 11), "PPM"),
        FILES["ppm"][:-30],
        FILES["ppm"] + bytes(MAX_RECIPE),
        encoded(RGB, "PNG"),
        encoded(RGB, "TGA", compression="tga_rle"),
        b"P5 300000 1 255\n" + bytes(300000),
        b"no picture",
    ],
    ids=["small", "short", "long suffix", "png", "runs", "long rows", "no picture"],
)
def test_others_are_not_had_by_strips(data: bytes) -> None:
    assert begin(data[:HEAD], len(data)) is None


def test_rows_that_do_not_come_back() -> None:
    data = bytearray(FILES["bmp"])
    begun = begin(bytes(data[:HEAD]), len(data))
    assert begun is not None
    data[-1] = 7  # of what fills up a row
    assert not Proof(begun).comes_back(bytes(data[begun.layout.start :]))


def test_recipes_that_do_not_fit() -> None:
    (picture,) = inspect_exact(FILES["opaque pam"], None)
    assert isinstance(picture, Picture)
    recipe = picture.recipe
    assert strips.of(recipe) is not None
    for wrong in (
        recipe._replace(description=b"ab"),
        recipe._replace(prefix=recipe.prefix + b"x"),
        recipe._replace(kind="png-exact"),
    ):
        assert strips.of(wrong) is None
    (plain,) = inspect_exact(FILES["ppm"], None)
    assert strips.of(plain.recipe._replace(description=b"a")) is None
    found = strips.of(plain.recipe)
    assert found is not None
    with pytest.raises(ArchiveError, match="does not fit"):
        found.rows(smooth(2, 16))
