"""Facsimiles of PDF files are split where a dictionary tells how wide they are."""

import numpy as np
import pytest

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.inspection import inspect_exact, rebuild
from bitswap_cli.images.picture import Picture
from bitswap_cli.images.shown import shown
from tests.images.formats.samples import drawn, files, of_facsimiles

GRAY = drawn(23, 37, 1)
T6 = of_facsimiles(GRAY)["fax group4"]


def pictures(data: bytes) -> list[Picture]:
    found = list(inspect_exact(data, None))
    assert all(rebuild(one.recipe, one.pixels) == data for one in found)
    return found


@pytest.mark.parametrize("name", ["fax group4", "fax group3", "fax tiff_ccitt"])
def test_white_is_white(name: str) -> None:
    (picture,) = pictures(of_facsimiles(GRAY)[name])
    assert np.array_equal(shown(picture)[..., 0], np.where(GRAY > 127, 0, 255))  # as Pillow inverts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/K -1 ", b""),
        (b"/Rows 23 ", b""),  # its end is told
        (b"/Columns 37 ", b"/Columns/37 "),
        (b"/Width 7", b"/Width 37"),
        (b"/Columns 37", b"/Columns\n37"),
        (b"\r\n", b"\n"),
        (b"\nendstream", b"\r\nendstream"),
        (b"\nendstream", b""),
        (b"\nendstream", b"and more\nendstream"),
    ],
)
def test_dictionaries_of_all_sorts(old: bytes, new: bytes) -> None:
    data = T6.replace(old, new)
    seen = pictures(data)
    assert len(seen) == (b"/Columns/37" not in new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"37", b"38"),
        (b"37", b"0"),
        (b"/Columns 37", b"/Columns 999999"),
        (b"/Rows 23", b"/Rows 999999"),
        (b"stream\r\n", b"strea\r\n"),
        (b">>", b">\x80"),
        (b">>", b" " * 2000 + b">>"),
    ],
)
def test_others_are_kept(old: bytes, new: bytes) -> None:
    found = pictures(T6.replace(old, new, 1))
    assert found == [] or b"Rows 999999" in new  # fewer are there


def test_damaged_recipes_are_refused() -> None:
    for name, data in files().items():
        if name.startswith(("fax", "tiff-fax")):
            pixels, recipe = pictures(data)[0]
            gray = pixels.copy()
            gray[3, 3] = 7
            with pytest.raises(ArchiveError):
                rebuild(recipe, gray)
            with pytest.raises(ArchiveError):
                rebuild(recipe, np.repeat(pixels, 3, axis=2))
            for told in (b"", recipe.description[:-1] + b"\xff\xff", recipe.description + b"x"):
                with pytest.raises(ArchiveError):
                    rebuild(recipe._replace(description=told), pixels)
