"""Pictures by luma and chroma come back as the files that they are of."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.lattice import format as lattice
from bitswap_cli.images.formats.lattice.finder import Found
from bitswap_cli.images.formats.lattice.format import KINDS, laid
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma
from bitswap_cli.images.formats.lattice.own import own_map, pack
from bitswap_cli.images.formats.register import kind_of, shown_shape
from bitswap_cli.images.history import engine
from bitswap_cli.images.inspection import decode, describe, inspect, inspect_exact, rebuild
from bitswap_cli.images.orientation import turn
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.repeats import middle_of
from bitswap_cli.images.shown import read_samples, shown
from tests.images.formats.lattice.scenes import (
    Plane,
    own_pictures,
    picture,
    planes,
    smooth_pictures,
)

needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
FULL = picture(MAPS[1], Chroma.FULL, planes(Chroma.FULL, 61, 53))
HALF = picture(MAPS[0], Chroma.BETWEEN, planes(Chroma.BETWEEN, 61, 54, 60))
GRAY = np.repeat(FULL[:, :, :1], 3, 2)
GRAY[5:8, 9:12] = 1, 2, 3
REPEATED = picture(MAPS[5], Chroma.REPEATED, planes(Chroma.REPEATED, 60, 54, 40))
ACROSS = picture(MAPS[15], Chroma.ACROSS, planes(Chroma.ACROSS, 61, 54, 40))
ODD = [
    picture(MAPS[number], how, planes(how, 60, 53, 40))
    for number, how in ((0, Chroma.BETWEEN), (4, Chroma.REPEATED), (14, Chroma.ACROSS))
]
OWN = own_pictures()
SMOOTH = smooth_pictures()
ALL = [FULL, HALF, REPEATED, GRAY, ACROSS, *ODD]


def saved(pixels: Plane, form: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def seen(data: bytes) -> Picture:
    """The picture of a file, byte for byte."""
    return next(inspect_exact(data, describe(data)))


@needs_kernel
@pytest.mark.parametrize("form", ["PNG", "BMP", "PPM", "TIFF", "TGA", "QOI"])
@pytest.mark.parametrize(
    "pixels",
    ALL,
    ids=["full", "half", "repeated", "gray", "across", "half-odd", "repeated-odd", "across-odd"],
)
def test_files_come_back(pixels: Plane, form: str) -> None:
    data = saved(pixels, form)
    found = laid(seen(data))
    assert found is not None and kind_of(found.recipe.kind).exact
    assert rebuild(found.recipe, found.pixels) == data
    assert np.array_equal(shown(found), pixels)
    assert shown_shape(found.recipe.kind, found.pixels.shape) == pixels.shape
    assert found.pixels.size <= (0.69 if pixels is not FULL else 1) * pixels.size
    assert np.array_equal(read_samples(rebuild(found.recipe, found.pixels, quick=True)), pixels)


@needs_kernel
def test_pixel_for_pixel() -> None:
    plain = inspect(saved(HALF, "PNG"))
    found = plain and laid(plain)
    assert found and found.recipe.kind == "photo-cd-half"
    assert np.array_equal(read_samples(rebuild(found.recipe, found.pixels)), HALF)


@needs_kernel
@given(st.data())
def test_what_was_painted_and_turned(data: st.DataObject) -> None:
    pixels = data.draw(st.sampled_from(ALL)).copy()
    orientation = data.draw(st.integers(0, 7))
    top, left = (data.draw(st.integers(0, 60)) for _ in range(2))
    value = data.draw(st.integers(0, 255))
    pixels[top : top + 9, left : left + 9] = value
    file = saved(turn(pixels, orientation), "PPM")
    found = laid(seen(file))
    assert found is not None
    assert rebuild(found.recipe, found.pixels) == file


@needs_kernel
@pytest.mark.parametrize(
    "pixels", [FULL, HALF, GRAY, ACROSS, ODD[1]], ids=["full", "half", "gray", "across", "odd"]
)
def test_the_middle_lies_as_the_whole_does(pixels: Plane) -> None:
    found = laid(seen(saved(pixels, "PPM")))
    assert found is not None
    middle, odd = middle_of(found, 32), "odd" in found.recipe.kind
    assert shown_shape(found.recipe.kind, middle.shape) == (32, 32 - odd, 3)
    assert np.array_equal(middle_of(found, 256), found.pixels)
    luma = found.pixels[14:46, 10:42, 0]
    assert np.array_equal(middle[:32, :, 0], luma)


def test_kinds_of_other_channels_are_none() -> None:
    for pixels in (FULL[..., 0], np.dstack([FULL, FULL[..., :1]])):
        assert laid(seen(saved(pixels, "TIFF"))) is None
    assert laid(Picture(FULL, Recipe("apng", b"", b""))) is None


@needs_kernel
@pytest.mark.parametrize("how", OWN)
@pytest.mark.parametrize("form", ["PNG", "PPM"])
def test_maps_that_recipes_tell(how: str, form: str) -> None:
    data = saved(OWN[how], form)
    found = laid(seen(data))
    assert found is not None
    assert found.recipe.kind == "own-map" + f"-{how}" * (how != "full") + "-exact"
    assert rebuild(found.recipe, found.pixels) == data
    for recipe in hostile(found.recipe):
        with pytest.raises(ArchiveError):
            rebuild(recipe, found.pixels)
    start = 6 + int.from_bytes(found.recipe.description[2:6], "little")  # of the map
    for told in (b"\xff\xff\xff\x7f", b"\0\0\0\x80"):
        for k in range(10):
            own = bytearray(found.recipe.description)
            own[start + 4 * k : start + 4 * k + 4] = told
            with pytest.raises(ArchiveError, match="map of colours"):
                rebuild(found.recipe._replace(description=bytes(own)), found.pixels)


@needs_kernel
@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_chroma_that_was_interpolated(name: str, form: str) -> None:
    pixels = SMOOTH[name].copy()
    pixels[5:9, 7:13] = 1, 2, 3
    data = saved(pixels, form)
    found = laid(seen(data))
    assert found is not None
    assert found.recipe.kind == "own-map-smooth" + "-odd" * (name == "odd") + "-exact"
    assert found.pixels.size <= 0.52 * pixels.size
    assert rebuild(found.recipe, found.pixels) == data
    assert shown_shape(found.recipe.kind, found.pixels.shape) == pixels.shape
    for recipe in hostile(found.recipe):
        with pytest.raises(ArchiveError):
            rebuild(recipe, found.pixels)
    turned = found.recipe._replace(description=b"\xf5\4" + found.recipe.description[2:])
    with pytest.raises(ArchiveError):
        rebuild(turned, found.pixels)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(1 << 24), 1 << 24), st.integers(-(1 << 18), 1 << 18)),
        min_size=5,
        max_size=5,
    ),
    st.integers(0, 16),
    st.sampled_from([Chroma.FULL, Chroma.REPEATED, Chroma.ACROSS, Chroma.SMOOTH]),
    st.integers(40, 43),
)
def test_any_map_comes_back(
    lines: list[tuple[int, int]], zeros: int, how: Chroma, width: int
) -> None:
    """Whatever it makes, and be what was found all wrong."""
    used = own_map(pack(np.array(lines), zeros))
    luma, *chroma = planes(how, 31, width)
    data = saved(picture(used, how, [luma, *chroma]), "PPM")
    for wrong in (0, 1):
        told = Found(used, how, 0, luma + np.uint8(wrong), np.stack(chroma))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lattice, "find", lambda pixels, told=told: told)
            found = laid(seen(data))
        assert found is not None and found.recipe.kind.startswith("own-map")
        assert rebuild(found.recipe, found.pixels) == data


def test_no_file_begins_as_one() -> None:
    assert decode(saved(FULL, "PNG"), "libjpeg", b"") is None


def test_kinds_keep_their_numbers() -> None:
    numbers = {kind.name: kind.number for kind in KINDS}
    assert len(set(numbers.values())) == len(KINDS)
    told = {name: number for name, number in numbers.items() if name.startswith("libjpeg")}
    assert sorted(told.items(), key=lambda pair: pair[1]) == [
        ("libjpeg", 68),
        ("libjpeg-exact", 69),
        ("libjpeg-half", 70),
        ("libjpeg-half-exact", 71),
        ("libjpeg-half-odd", 126),
        ("libjpeg-half-odd-exact", 127),
        ("libjpeg-across", 128),
        ("libjpeg-across-exact", 129),
        ("libjpeg-across-odd", 130),
        ("libjpeg-across-odd-exact", 131),
    ]
    assert numbers["gray"] == 118 and numbers["table-601"] == 228
    assert numbers["table-709-full-across-odd-exact"] == 227 and max(numbers.values()) == 247
    for kind in KINDS:
        later = "lattice" if kind.number < 120 else "frames" if kind.number < 244 else "smooth"
        assert kind.feature == ("own-maps" if kind.number < 64 else later)
    own = {name: number for name, number in numbers.items() if name.startswith("own-map")}
    lies = ("", "-half", "-half-odd", "-across", "-across-odd")
    assert own == {
        f"own-map{how}" + "-exact" * exact: first + 2 * k + exact
        for first, some in ((52, lies), (244, ("-smooth", "-smooth-odd")))
        for k, how in enumerate(some)
        for exact in (0, 1)
    }


def hostile(recipe: Recipe) -> Iterator[Recipe]:
    told = recipe.description
    for k in range(len(told)):
        yield recipe._replace(description=told[:k])
    for number in (0, 3, 5, 7, 8, 17, 24, 28, 64, 255):
        yield recipe._replace(description=bytes([number]) + told[1:])
    yield recipe._replace(description=told[:1] + b"\4" + told[2:])
    yield recipe._replace(description=told[:2] + b"\xff\xff\xff\xff" + told[6:])
    yield recipe._replace(description=told[:2] + b"\7\0\0\0" + told[6:])
    yield recipe._replace(description=told[:2] + b"\7\0\0\0" + b"\xff" * 7 + told[6:])


@needs_kernel
@pytest.mark.parametrize(
    "pixels", [FULL, HALF, GRAY, ACROSS, ODD[1]], ids=["full", "half", "gray", "across", "odd"]
)
def test_hostile_recipes(pixels: Plane) -> None:
    found = laid(seen(saved(pixels, "PPM")))
    assert found is not None
    for recipe in hostile(found.recipe):
        with pytest.raises(ArchiveError):
            rebuild(recipe, found.pixels)
    for samples in (found.pixels[:-1], found.pixels[:, :-1], np.repeat(found.pixels, 2, 2)):
        with pytest.raises(ArchiveError):
            rebuild(found.recipe, np.ascontiguousarray(samples))
    other = "photo-cd-half-exact" if pixels is FULL else "photo-cd-exact"
    with pytest.raises(ArchiveError):
        rebuild(found.recipe._replace(kind=other), found.pixels)
