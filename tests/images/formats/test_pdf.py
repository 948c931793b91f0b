"""Images of PDF files are split as their dictionaries tell, and come back byte for byte."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.pdf.format import may_be
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.shown import shown
from tests.images.formats.pdfs import PACKINGS, flate, of_facsimiles, of_pdf, pdf_image
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn

RGBA = drawn(23, 37, 4)
GRAY = RGBA[..., 0]
FAX = of_facsimiles(GRAY)
T6 = FAX["fax group4"]
EVERY = {name: data for name, data in FAX.items() if "tiff-" not in name} | of_pdf(RGBA)


@pytest.mark.parametrize("name", PACKINGS)
def test_white_is_white(name: str) -> None:
    (picture,) = pictures(FAX[f"fax {name}"])
    assert np.array_equal(shown(picture)[..., 0], np.where(GRAY > 127, 0, 255))  # as Pillow inverts


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)), channels=st.sampled_from([1, 3, 4]),
    depth=st.sampled_from([1, 2, 4, 8, 16]), predictor=st.sampled_from([1, 10, 15]),
    seed=st.integers(0, 1 << 20),
)  # fmt: skip
def test_deflated_rows_of_all_sizes_come_back(
    shape: tuple[int, int], channels: int, depth: int, predictor: int, seed: int
) -> None:
    values = 1 << min(depth, 8)
    samples = (channels if depth >= 8 else 1) * max(1, depth // 8)
    stored = np.random.default_rng(seed).integers(0, values, (*shape, samples)).astype(np.uint8)
    data = flate(stored, depth, predictor)
    assert may_be(data)
    (picture,) = pictures(data)
    assert picture.recipe.kind == "flate" and picture.pixels.shape == stored.shape
    if depth == 16:
        deep = stored.astype(np.uint16)
        assert np.array_equal(shown(picture), deep[..., ::2] << 8 | deep[..., 1::2])
    else:
        assert np.array_equal(picture.pixels, stored)


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        (b"/K -1 ", b"", 1),
        (b"/Rows 23 ", b"", 1),  # its end is told
        (b"/Columns 37 ", b"/Columns/37 ", 0),
        (b"/Columns 37", b"/Columns\n37", 1),
        (b"\r\n", b"\n", 1),
        (b"\nendstream", b"\r\nendstream", 1),
        (b"\nendstream", b"", 1),
        (b"\nendstream", b"and more\nendstream", 1),
        (b"37", b"38", 0),
        (b"37", b"0", 0),
        (b"/Columns 37", b"/Columns 999999", 0),
        (b"stream\r\n", b"strea\r\n", 0),
        (b">>\n", b">\x80\n", 0),
        (b">>", b" " * 5000 + b">>", 0),
        (b"/CCITTFaxDecode", b"[ /CCITTFaxDecode /FlateDecode ]", 0),
        (b"/Filter", b"/F", 0),
    ],
)
def test_dictionaries_of_facsimiles(old: bytes, new: bytes, count: int) -> None:
    data = T6.replace(old, new, 1)
    assert len(pictures(data)) == count == may_be(data)


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        (b"[ /FlateDecode ]", b"/FlateDecode", 1),
        (b"/Width 37", b"/Width 38", 0),
        (b"/Height 23", b"/Height 22", 0),
        (b"/Height 23", b"", 0),
        (b"/Width 37", b"/Width 999999", 0),
        (b"/BitsPerComponent 8", b"", 1),
        (b"/BitsPerComponent 8", b"/BitsPerComponent 4", 0),
        (b"/BitsPerComponent 8", b"/BitsPerComponent 9", 0),
        (b"/Predictor 15", b"/Predictor 2", 0),
        (b"/Predictor 15", b"/Predictor 1", 0),
        (b"\nendstream", b"?\nendstream", 1),
        (b"\r\nx\xda", b"\r\nx\xdb", 0),
    ],
)
def test_dictionaries_of_deflated_rows(old: bytes, new: bytes, count: int) -> None:
    data = flate(RGBA[..., :3], predictor=15)
    assert old in data
    data = data.replace(old, new, 1)
    assert len(pictures(data)) == count == may_be(data)


def test_what_inflates_to_far_more_is_kept() -> None:
    bomb = pdf_image(zlib.compress(bytes(1 << 22)), "/Width 9 /Height 9 /Filter /FlateDecode")
    assert pictures(bomb) == [] and not may_be(bomb)


def test_facsimiles_that_are_nearly_blank_are_kept() -> None:
    """So that a few bytes cannot ask for as much time as a picture of many."""
    dot = bytes([255] * 8 + [1] * 20)
    for stream, height, width, count in (
        (dot, 64, 500, 1), (dot, 64, 1 << 18, 0), (bytes([255] * 300), 1 << 14, 5000, 0),
    ):  # fmt: skip
        told = f"/K -1 /Columns {width} /Rows {height} /Filter /CCITTFaxDecode"
        assert len(pictures(pdf_image(stream, told))) == count


@pytest.mark.parametrize("name", EVERY)
def test_damaged_recipes_are_refused(name: str) -> None:
    pixels, recipe = pictures(EVERY[name])[0]
    spoilt = pixels.copy()
    spoilt[3, 3] ^= 7
    if "flate" in name and "bits" not in name:  # any samples have a stream, but not this one
        assert rebuild(recipe, spoilt) != EVERY[name]
    else:
        with pytest.raises(ArchiveError):
            rebuild(recipe, spoilt | np.uint8(64))
    with pytest.raises(ArchiveError):
        rebuild(recipe, np.repeat(pixels, 5, axis=2))
    told = recipe.description
    for other in (b"", told[:-1] + b"\xff\xff", told + b"x", told[:3] + b"\xff" + told[4:]):
        with pytest.raises(ArchiveError):
            rebuild(recipe._replace(description=other), pixels)
