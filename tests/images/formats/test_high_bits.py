"""Pictures of 16 bits come back from their highest ones and what is told of the others."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats import high_bits
from bitswap_cli.images.formats.high_bits import laid, levels
from bitswap_cli.images.formats.lattice import format as lattice
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma
from bitswap_cli.images.formats.register import kind_of, shown_shape
from bitswap_cli.images.genres import genre_of
from bitswap_cli.images.inspection import describe, inspect_exact, inspect_wide, rebuild
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.repeats import depth
from bitswap_cli.images.shown import read_samples, shown
from tests.images.formats.lattice.scenes import picture, planes
from tests.images.formats.samples import array_file, saved

Words = np.ndarray


def ramp(bits: int, channels: int = 1) -> Words:
    """A slope with some noise, of so many bits: (24, 30, C) uint16."""
    random = np.random.default_rng(bits)
    y, x = np.mgrid[:24, :30]
    slope = (x[..., None] + y[..., None] + 9 * np.arange(channels)) / 80
    values = slope * ((1 << bits) - 1) + random.normal(0, 1 << bits >> 9, (24, 30, channels))
    found: Words = values.clip(0, (1 << bits) - 1).astype(np.uint16)
    return found


def pnm(pixels: Words, highest: int) -> bytes:
    """A PGM or PPM file."""
    height, width, channels = pixels.shape
    head = f"P{5 if channels == 1 else 6} {width} {height} {highest}\n".encode()
    return head + pixels.astype(">u2").tobytes()


def seen(data: bytes) -> Picture:
    """A file by its highest bits, proved."""
    found = laid(next(inspect_exact(data, describe(data))))
    assert found is not None
    assert rebuild(found.recipe, found.pixels) == data
    assert kind_of(found.recipe.kind).exact
    assert np.array_equal(shown(found), read_samples(data))
    assert shown_shape(found.recipe.kind, found.pixels.shape) == read_samples(data).shape
    return found


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 16])
def test_files_come_back_by_their_highest_bits(bits: int) -> None:
    pixels = ramp(bits)
    for data in (
        saved(Image.fromarray(pixels[..., 0]), "PNG"),
        saved(Image.fromarray(pixels[..., 0]), "TIFF"),
        array_file(pixels[..., 0]),
        pnm(pixels, 65535),
        pnm(ramp(bits, 3), 65535),
        array_file(ramp(bits, 3) << (16 - bits)),
    ):
        found = seen(data)
        assert found.pixels.shape[2] in (1, 3)
        assert genre_of(found) == ("rgb" if found.pixels.shape[2] == 3 else "small gray")
        assert found.pixels.max() >= 128


def test_samples_at_the_high_end_are_those_at_the_low_end() -> None:
    low, high = seen(array_file(ramp(12)[..., 0])), seen(array_file(ramp(12)[..., 0] << 4))
    assert np.array_equal(low.pixels, high.pixels)
    assert low.recipe.description[3:] == high.recipe.description[3:]


def test_samples_of_eight_bits_made_longer_tell_nothing_more() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 20), np.uint16)
    pixels[0, 0] = 255
    for longer in (pixels, pixels << 8, pixels * 257, pixels << 2 | pixels >> 6):
        found = seen(array_file(longer.astype(np.uint16)))
        _, order = np.unique(found.pixels, return_inverse=True)
        assert np.array_equal(order.ravel(), np.unique(pixels, return_inverse=True)[1].ravel())
        described = found.recipe.description
        assert not any(described[len(described) - described[2] * pixels.size // 8 :])


def test_few_values_are_told_by_their_ranks() -> None:
    curve = np.cumsum(1 + np.arange(300)).astype(np.uint16)
    ranks = np.random.default_rng(2).integers(0, 300, (90, 90))
    found = seen(array_file(curve[ranks]))
    assert found.recipe.description[2] == 1
    assert np.array_equal(found.pixels[..., 0], ranks >> 1)
    other = found.recipe._replace(description=found.recipe.description[:3] + b"\1\0" + bytes(1013))
    with pytest.raises(ArchiveError, match="malformed"):
        rebuild(other, found.pixels)
    for told in (b"\1\xff\xff\4", b"\x80\x80\x80\1", b"\2\0"):
        head = found.recipe.description[:3]
        with pytest.raises(ArchiveError, match="malformed|damaged"):
            rebuild(found.recipe._replace(description=head + told), found.pixels)


def test_what_is_told_of_lower_bits_fits_into_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """By ranks where planes do not; of large pictures of many values it is told in parts."""
    noise = np.random.default_rng(3).integers(0, 1 << 15, (100, 100)).astype(np.uint16)
    longer = ((noise & 255) * 257).astype(np.uint16)
    longer[0, :4] = 0, 255 * 257, 3, 1
    assert seen(array_file(longer)).recipe.description[2] == 8
    monkeypatch.setattr(high_bits, "MAX_RECIPE", 5000)
    assert seen(array_file(longer)).recipe.description[2] < 2
    found = seen(array_file(noise))
    assert kind_of(found.recipe.kind).parts and len(found.recipe.description) > 5000
    assert not kind_of(seen(array_file(longer)).recipe.kind).parts


@given(st.integers(1, 5).map(lambda n: 8 * n), st.integers(1, 9), st.sampled_from((1, 3)))
def test_samples_looked_at_together_make_no_difference(
    some: int, height: int, channels: int
) -> None:
    pixels = np.random.default_rng(height).integers(0, 1 << 13, (height, 11, channels))
    data = pnm(pixels.astype(np.uint16), 65535)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(high_bits, "_AT_ONCE", some)
        found = seen(data)
    assert found.recipe == seen(data).recipe


@pytest.mark.parametrize(
    "longer",
    [
        lambda v: v * 257,
        lambda v: v << 8,
        lambda v: v,
        lambda v: v << 4 | v >> 4,
        lambda v: np.rint(v * (16383 / 255)).astype(np.uint16),
    ],
)
def test_levels_are_what_had_eight_bits(longer: Callable[[Words], Words]) -> None:
    """However few of them occur, and however dark: ranks would not do."""
    random = np.random.default_rng(3)
    for some in (np.arange(256), np.delete(np.arange(200), [0, 5, 77]), np.arange(30, 100)):
        pixels = random.permutation(np.resize(some, 30 * 31)).reshape(30, 31).astype(np.uint16)
        data = array_file(longer(pixels))
        found = levels(next(inspect_exact(data, describe(data))))
        assert found is not None and rebuild(found.recipe, found.pixels) == data
        assert np.array_equal(found.pixels[..., 0], pixels)


def test_more_levels_than_eight_bits_are_none() -> None:
    data = array_file(np.arange(300, dtype=np.uint16).reshape(20, 15))
    assert levels(next(inspect_exact(data, describe(data)))) is None


def test_luma_and_chroma_are_found_of_what_had_eight_bits() -> None:
    pixels = picture(MAPS[0], Chroma.BETWEEN, planes(Chroma.BETWEEN, 61, 54, 60))
    for longer in (pixels * np.uint16(257), pixels.astype(np.uint16) << 8):
        data = array_file(longer)
        own = levels(next(inspect_exact(data, describe(data))))
        found = lattice.laid(own) if own else None
        kin = lattice.laid(next(inspect_exact(array_file(pixels), None)))
        assert found is not None and kin is not None
        assert np.array_equal(found.pixels, kin.pixels) and found.recipe.kind == kin.recipe.kind
        assert rebuild(found.recipe, found.pixels) == data
        assert np.array_equal(shown(found), longer)
        assert depth(found) == depth(kin)
        for told in (found.recipe.description[:12], b"\x1f" + found.recipe.description[1:]):
            with pytest.raises(ArchiveError, match="malformed|damaged"):
                rebuild(found.recipe._replace(description=told), found.pixels)


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)))
def test_any_samples_come_back(pixels: Words) -> None:
    data = b"P5 %d %d 65535 " % pixels.shape[::-1] + pixels.astype(">u2").tobytes()
    seen(data)


def test_what_has_eight_bits_or_other_channels_is_none_of_these() -> None:
    gray_and_alpha = Image.fromarray(np.zeros((9, 9, 2), np.uint8), "LA")
    for data in (
        saved(gray_and_alpha, "PNG"),
        saved(Image.fromarray(np.zeros((9, 9, 3), np.uint8)), "PNG"),
        array_file(np.zeros((9, 9, 4), np.uint16)),
        array_file(np.zeros((9, 9), np.uint8)),
    ):
        assert laid(next(inspect_exact(data, describe(data)))) is None


def test_pixel_for_pixel() -> None:
    data = saved(Image.fromarray(ramp(12)[..., 0]), "PNG")
    found = laid(inspect_wide(data)[0])
    assert found is not None and found.recipe.kind == "high-bits"
    made = rebuild(found.recipe, found.pixels)
    with Image.open(io.BytesIO(made)) as image:
        assert np.array_equal(np.asarray(image), ramp(12)[..., 0])


def test_it_is_a_picture_of_bytes_to_a_coder_of_drawn_ones() -> None:
    flat = np.kron(ramp(12)[..., 0], np.ones((3, 3), np.uint16))
    assert depth(seen(array_file(flat))) == 1
    assert depth(next(inspect_exact(array_file(flat), None))) == 2


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 17), st.integers(0, 9))
def test_damaged_recipes_are_refused_or_give_files(
    told: bytes, number: int, zeros: int, lower: int
) -> None:
    """None ends in anything but an error of its own class."""
    found = seen(array_file(ramp(10)[..., 0]))
    head = bytes([number, zeros, lower])
    for own in (told, head + told, bytes([14, zeros, lower]) + found.recipe.description[3:]):
        for name in ("high-bits", "high-bits-exact"):
            recipe = Recipe(name, found.recipe.prefix, found.recipe.suffix, own)
            for use in (rebuild, lambda recipe, pixels: shown(Picture(pixels, recipe))):
                try:
                    use(recipe, found.pixels)
                except ArchiveError:
                    continue


def test_values_of_more_than_sixteen_bits_are_refused() -> None:
    found = seen(array_file(ramp(16)[..., 0]))
    told = bytes([14, 1, 8]) + found.recipe.description[3:]
    with pytest.raises(ArchiveError, match="malformed"):
        rebuild(found.recipe._replace(description=told), found.pixels)
