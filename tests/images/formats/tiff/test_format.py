"""TIFF files of every layout come back, by the samples that they hold; harm is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.tiff import format as tiff
from bitswap_cli.images.formats.tiff.pages import read_pages
from bitswap_cli.images.inspection import inspect_exact, rebuild
from bitswap_cli.images.picture import Picture
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn, files
from tests.images.formats.tiff.writer import PACKERS, directory, write_tiff

SHAPE = (23, 37)


def samples_of(depth: int, count: int, seed: int = 0) -> np.ndarray:
    values = drawn(*SHAPE, 4, seed)[..., :count].astype(int)
    return values * 251 if depth == 16 else values % (1 << depth)


def picture_of(data: bytes) -> Picture:
    return pictures(data)[0]


def expected(samples: np.ndarray, depth: int) -> np.ndarray:
    return samples * (255 // ((1 << depth) - 1)) if depth < 8 else samples


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16), (32, 48)])
def test_every_layout_comes_back(compression: int, big: bool, tile: tuple[int, int] | None) -> None:
    for depth, count in itertools.product((8, 16), (1, 2, 3, 4)):
        samples = samples_of(depth, count)
        for differences, separate in itertools.product((False, True), (False, count > 1)):
            data = write_tiff(
                samples, depth, compression=compression, big=big, tile=tile,
                separate=separate, differences=differences,
            )  # fmt: skip
            picture = picture_of(data)
            assert picture.recipe.kind == "tiff"
            assert np.array_equal(shown(picture), samples)
            height, width, channels = picture.pixels.shape
            assert channels == count * depth // 8 and (height, width) >= SHAPE


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_span_the_whole_range(compression: int, depth: int) -> None:
    samples = samples_of(depth, 1)
    for tile in (None, (16, 16)):
        picture = picture_of(write_tiff(samples, depth, compression=compression, tile=tile))
        assert np.array_equal(shown(picture), expected(samples, depth))


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)),
    compression=st.sampled_from(sorted(PACKERS)),
    rows=st.integers(1, 12),
    seed=st.integers(0, 1 << 20),
    gap=st.binary(max_size=3),
)
def test_noise_comes_back(
    shape: tuple[int, int, int], compression: int, rows: int, seed: int, gap: bytes
) -> None:
    samples = np.random.default_rng(seed).integers(0, 256, shape)
    data = write_tiff(samples, compression=compression, rows=rows, gap=gap)
    for picture in inspect_exact(data, None):  # small noise has long descriptions
        assert rebuild(picture.recipe, picture.pixels) == data
        assert np.array_equal(shown(picture), samples)


def test_a_palette_of_16_bits_is_seen_by_its_high_bytes() -> None:
    samples = samples_of(4, 1)
    colours = np.random.default_rng(0).permutation(48).reshape(3, 16) * 5
    data = write_tiff(samples, 4, more={262: [3], 320: (colours.ravel() * 256 + 9).tolist()})
    indices, by_colours = inspect_exact(data, None)
    assert (indices.recipe.kind, by_colours.recipe.kind) == ("tiff-indices", "tiff-colours")
    assert np.array_equal(indices.pixels, samples)
    assert np.array_equal(by_colours.pixels, colours.T[samples[..., 0]])
    assert np.array_equal(shown(indices), shown(by_colours))


def test_pages_that_are_alike_lie_one_below_the_other() -> None:
    data = files()["tiff pages"]
    pages = read_pages(data)
    picture = picture_of(data)
    assert len(pages) == 2
    assert picture.pixels.shape == (
        sum(page.height for page in pages), max(page.width for page in pages), 1
    )  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {259: [7]},  # JPEG
        {259: [4]},
        {339: [3]},  # floats
        {317: [3]},
        {266: [2]},
        {258: [8, 8, 16]},
        {277: [5]},
        {262: [6]},  # YCbCr, with two pixels a sample unless it says otherwise
        {257: [0]},
        {257: [1 << 30], 278: [1 << 30]},
        {278: [0]},
        {256: [36]},
    ],
)
def test_other_pages_are_kept(more: dict[int, list[int]]) -> None:
    assert list(inspect_exact(write_tiff(samples_of(8, 3)), None))
    assert list(inspect_exact(write_tiff(samples_of(8, 3), more=more), None)) == []


def test_strips_of_facsimiles_may_be_blank() -> None:
    """As margins are; but a file is not looked at whose facsimiles are hardly anything else."""
    for width, count in ((2000, 1), (20_000, 0)):
        strip = bytes([255] * 125)  # 1,000 white rows
        black = bytes([0b00100110, 0b10101000] + [0] * 4)
        head = {256: [width], 257: [1000], 258: [1], 259: [4], 262: [0], 277: [1], 278: [1000]}
        body = directory({**head, 273: [0], 279: [len(strip)]}, "<", 8)
        body = directory({**head, 273: [8 + len(body)], 279: [len(strip)]}, "<", 8)
        data = b"II*\0\x08\0\0\0" + body + strip + black
        assert len(list(inspect_exact(data, None))) == count


def test_segments_that_share_bytes_are_kept() -> None:
    data = bytearray(write_tiff(samples_of(8, 1)))
    (page,) = read_pages(bytes(data))
    first, second = (place.to_bytes(4, "little") for place in page.places[:2])
    at = data.index(first + second)
    data[at + 4 : at + 8] = first
    assert read_pages(bytes(data)) and list(inspect_exact(bytes(data), None)) == []


def test_directories_in_a_circle_or_of_many_values_end() -> None:
    body = {256: [1], 257: [1], 273: [8], 279: [1]}
    assert read_pages(b"II*\0\x08\0\0\0" + directory(body, "<", 8, following=8))
    many = {256: [1], 257: [1], 273: [8] * 200_000, 279: [1] * 200_000}
    found = b"II*\0\x08\0\0\0" + directory(many, "<", 8)
    assert read_pages(found) == []
    head = directory({256: [1]}, "<", 8)
    chain = b"".join(
        directory({256: [1], 257: [1], 273: [0], 279: [0]}, "<", 8, 8 + 54 * (k + 1))
        for k in range(9000)
    )
    assert len(head) == 18 and len(read_pages(b"II*\0\x08\0\0\0" + chain)) < 9000


def test_damaged_descriptions_are_refused() -> None:
    for name in ("tiff raw", "tiff packbits", "tiff tiff_lzw", "tiff alpha tiff_adobe_deflate"):
        pixels, recipe = picture_of(files()[name])
        told = recipe.description
        for other in (b"", told[:-1], told + b"x", b"\1" + told, b"\0\1\0\xff\xff\xff\xff\x07"):
            with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
                rebuild(recipe._replace(description=other), pixels)
        with pytest.raises(ArchiveError, match="damaged"):
            rebuild(recipe._replace(suffix=b"x"), pixels)
        with pytest.raises(ArchiveError, match="damaged|does not fit"):
            rebuild(recipe._replace(prefix=recipe.prefix[:20]), pixels)
    assert tiff.split(b"II*\0", "tiff") is None
