"""Pictures with gaps between their values come back from ranks."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bitswap_cli.archive.sources.seen import look
from bitswap_cli.archive.sources.walk import collect
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.ranks import KINDS, laid
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.genres import genre_of
from bitswap_cli.images.inspection import describe, inspect, inspect_exact, rebuild
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.shown import read_samples, shown
from tests.golden.make import photo
from tests.images.formats.samples import array_file, saved

Pixels = NDArray[np.uint8]
PHOTO = photo(90, 110, 7)
GAPS = np.asarray(ImageOps.equalize(Image.fromarray(PHOTO)))


def pnm(pixels: Pixels) -> bytes:
    """A PGM or PPM file."""
    height, width, channels = pixels.shape
    return f"P{5 + (channels == 3)} {width} {height} 255\n".encode() + pixels.tobytes()


def by_ranks(data: bytes) -> Picture | None:
    """A file by ranks."""
    return laid(next(inspect_exact(data, describe(data))))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF", "TGA", "npy"])
def test_files_come_back(channels: int, kind: str) -> None:
    pixels = GAPS if channels == 3 else GAPS[..., 1]
    data = array_file(pixels) if kind == "npy" else saved(Image.fromarray(pixels), kind)
    found = by_ranks(data)
    assert found is not None and found.recipe.kind == "ranks-exact"
    assert rebuild(found.recipe, found.pixels) == data
    assert np.array_equal(shown(found), read_samples(data))
    assert genre_of(found) == ("rgb" if channels == 3 else "gray")
    for own in np.moveaxis(found.pixels, 2, 0):
        assert np.array_equal(np.unique(own), np.arange(own.max() + 1))


@given(
    arrays(np.uint8, (3, 256)),
    st.sets(st.integers(0, 255), min_size=1),
    st.sampled_from([1, 3]),
)
def test_any_table_comes_back(tables: Pixels, alone: set[int], channels: int) -> None:
    """What a table makes of each channel, be it only one value."""
    tables[0] = np.resize(sorted(alone), 256)
    pixels = np.stack([tables[k][PHOTO[..., k]] for k in range(channels)], 2)
    data = pnm(pixels)
    found = by_ranks(data)
    if found is not None:
        assert rebuild(found.recipe, found.pixels) == data


@given(st.floats(1.1, 1.5), st.integers(-60, 20))
def test_stretching_is_undone(factor: float, offset: int) -> None:
    """Pictures of equal ranks become equal."""
    table = (np.arange(256) * factor + offset).clip(0, 255).round().astype(np.uint8)
    inside = (table > 0) & (table < 255)
    found = by_ranks(pnm(table[PHOTO]))
    assert found is not None
    for own, before in zip(np.moveaxis(found.pixels, 2, 0), np.moveaxis(PHOTO, 2, 0), strict=True):
        kept = inside[before]
        different = own[kept].astype(int) - np.unique(before, return_inverse=True)[1][kept]
        assert (different == different[0]).all()


def test_pixel_for_pixel() -> None:
    plain = inspect(saved(Image.fromarray(GAPS), "PNG"))
    assert plain is not None
    found = laid(plain)
    assert found is not None and found.recipe.kind == "ranks"
    with Image.open(io.BytesIO(rebuild(found.recipe, found.pixels))) as image:
        assert np.array_equal(np.asarray(image), GAPS)


def test_other_pictures_are_none() -> None:
    darker = (PHOTO * 0.7).astype(np.uint8)
    for pixels in (PHOTO, darker, GAPS[:20, :20], GAPS[..., :2], np.zeros_like(GAPS)):
        assert laid(Picture(np.ascontiguousarray(pixels), Recipe("pnm", b"", b""))) is None
    assert laid(Picture(GAPS, Recipe("apng", b"", b""))) is None
    rare = PHOTO.copy()
    rare[0, :3] = 255, 0, 1
    assert by_ranks(pnm(rare)) is None


def test_drawn_pictures_are_not_seen_so(tmp_path: Path) -> None:
    """Their coder learns which values there are."""
    flat = np.kron(GAPS, np.ones((3, 3, 1), np.uint8))
    for pixels, told in ((flat, ["pnm"]), (GAPS, ["pnm", "ranks-exact"])):
        path = tmp_path / "a.ppm"
        path.write_bytes(pnm(pixels))
        assert list(look(collect([path]).sources[0], wide=False, pixels=False).kinds) == told


def test_kinds_keep_their_numbers() -> None:
    assert [(kind.name, kind.number, kind.exact) for kind in KINDS] == [
        ("ranks", 50, False),
        ("ranks-exact", 51, True),
    ]
    assert all(kind_of(kind.name).feature == "ranks" for kind in KINDS)


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 97))
def test_damaged_recipes_are_refused_or_give_files(told: bytes, number: int, cut: int) -> None:
    """None ends in anything but an error of its own class."""
    found = by_ranks(pnm(GAPS))
    assert found is not None
    own = found.recipe.description
    for description in (told, bytes([number]) + own[1:], own[:cut], own[:1] + told + own[-7:]):
        for name in ("ranks", "ranks-exact"):
            recipe = found.recipe._replace(kind=name, description=description)
            for use in (rebuild, lambda recipe, pixels: shown(Picture(pixels, recipe))):
                try:
                    use(recipe, found.pixels)
                except ArchiveError:
                    continue


def test_ranks_of_no_value_are_refused() -> None:
    found = by_ranks(pnm(GAPS))
    assert found is not None
    pixels = found.pixels.copy()
    pixels[3, 4, 1] = pixels[..., 1].max() + 1
    more = np.dstack([found.pixels, found.pixels[..., :1]])
    for own in (pixels, more, found.pixels[..., :2]):
        with pytest.raises(ArchiveError, match="ranks"):
            rebuild(found.recipe, np.ascontiguousarray(own))
    number = 0  # which is not exact
    other = found.recipe._replace(description=bytes([number]) + found.recipe.description[1:])
    with pytest.raises(ArchiveError, match="ranks"):
        rebuild(other, found.pixels)
