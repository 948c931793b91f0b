"""Files of all formats that are split: each comes back byte for byte, and harm is refused."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.register import find
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.picture import Picture
from bitswap_cli.images.shown import read_samples, shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import files

FILES = files()
# of which Pillow shows another picture, fewer bits, the opposite alpha, or nothing
SEVERAL = ("tiff deep", "tga-16", "tga-16 runs", "bmp-16 alpha")


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_back(name: str) -> None:
    kind = name.partition(" ")[0]
    found = pictures(FILES[name])
    assert [picture.recipe.kind for picture in found][:1] == [kind]
    if kind.endswith("-indices"):
        assert found[1].recipe.kind == kind.replace("indices", "colours")
        assert np.array_equal(shown(found[0]), shown(found[1]))
    if "opaque" in name:
        assert found[0].pixels.shape[2] == 3 and found[0].recipe.description


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FILES
        if name.startswith(("bmp", "tga", "qoi", "tiff")) and "pages" not in name
        if name not in SEVERAL
    ],
)
def test_what_is_shown_is_what_pillow_sees(name: str) -> None:
    with Image.open(io.BytesIO(FILES[name])) as image:
        mode = {"P": "RGB", "1": "RGB"}.get(image.mode, image.mode)
        expected = np.asarray(image.convert(mode)).reshape(*image.size[::-1], -1)
    seen = read_samples(FILES[name])
    assert np.all(seen[..., : expected.shape[2]] == expected)


@pytest.mark.parametrize("name", FILES)
def test_what_is_cut_is_no_picture_or_comes_back(name: str) -> None:
    data = FILES[name]
    for length in {*range(0, min(len(data), 200)), len(data) // 2, len(data) - 1}:
        pictures(data[:length])


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4
    ),
    near=st.booleans(),
)
def test_damage_is_no_picture_or_comes_back(
    name: str, changes: list[tuple[int, int]], near: bool
) -> None:
    """And a recipe that is damaged is refused in one line, or leads to some file."""
    data = bytearray(FILES[name])
    for place, value in changes:
        data[place % (min(64, len(data)) if near else len(data))] = value
    pictures(bytes(data))
    for pixels, recipe in pictures(FILES[name]):
        prefix, description = bytearray(recipe.prefix), bytearray(recipe.description)
        for place, value in changes:
            for part in (prefix, description):
                if part:
                    part[place % len(part)] = value
        damaged = recipe._replace(prefix=bytes(prefix), description=bytes(description))
        other = Picture(pixels, damaged)
        for call in (shown, lambda picture: rebuild(picture.recipe, picture.pixels)):
            try:
                call(other)
            except ArchiveError as error:
                assert "\n" not in str(error)


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(sorted(FILES)),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 3, 4, 6, 8])),
    value=st.integers(0, 255),
)
def test_samples_of_another_shape_are_refused(
    name: str, shape: tuple[int, int, int], value: int
) -> None:
    for pixels, recipe in pictures(FILES[name]):
        if shape == pixels.shape:
            continue
        other = np.full(shape, value, np.uint8)
        with pytest.raises(ArchiveError, match="does not fit its pixels|damaged description"):
            rebuild(recipe, other)
        with contextlib.suppress(ArchiveError):  # or something is shown
            shown(Picture(other, recipe))


def test_a_description_of_more_than_one_value_is_refused() -> None:
    for kind in ("bmp-32", "pam", "npy"):
        assert find(kind)
    with pytest.raises(ArchiveError, match="damaged description"):
        with_flat(np.zeros((2, 2, 3), np.uint8), b"ab")
