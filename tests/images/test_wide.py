"""Wide pictures: which files they are made of, by which pixels, and that they come back."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from PIL import Image

from bitswap_cli.images.inspection import inspect, inspect_wide, looks_like_picture, rebuild
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe
from tests.images.png_files import SAMPLES, chunk, damaged, opened, read_png, write_png

SHAPES = [(1, 1), (1, 7), (9, 1), (5, 3), (40, 33)]
FORMATS = [
    *[(depth, 0) for depth in (1, 2, 4, 16)],
    (16, 2),
    *[(depth, 3) for depth in (1, 2, 4, 8)],
    *[(depth, colour) for colour in (4, 6) for depth in (8, 16)],
]


def samples_of(shape: tuple[int, int], depth: int, colour: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    walk = rng.integers(0, 300, (*shape, SAMPLES[colour])).cumsum(axis=1)
    return walk % (1 << depth)


def palette_of(entries: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Return distinct random colours."""
    colours = np.random.default_rng(seed).integers(0, 256, (entries, channels))
    colours[:, 1] = np.arange(entries)
    return colours.astype(np.uint8)


def plte(colours: ArrayLike) -> bytes:
    return chunk(b"PLTE", np.asarray(colours, np.uint8)[:, :3].tobytes())


def expected(samples: np.ndarray, depth: int, colour: int) -> np.ndarray:
    """Return the pixels of the samples view, spelled out."""
    if depth == 16:
        return np.concatenate([samples >> 8, samples & 255], axis=2)
    return samples * {1: 255, 2: 85, 4: 17}[depth] if colour == 0 else samples


def assert_comes_back(picture: Picture, data: bytes) -> None:
    again = rebuild(picture.recipe, picture.pixels)
    samples, others = read_png(data)
    samples_again, others_again = read_png(again)
    assert np.array_equal(samples_again, samples)
    assert others_again == others
    assert opened(again)[:3] == opened(data)[:3]
    assert np.array_equal(opened(again)[3], opened(data)[3])


def kinds_of(data: bytes) -> list[str]:
    return [picture.recipe.kind for picture in inspect_wide(data)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("depth", "colour"), FORMATS)
@pytest.mark.parametrize("interlaced", [False, True])
def test_png_comes_back(shape: tuple[int, int], depth: int, colour: int, interlaced: bool) -> None:
    samples = samples_of(shape, depth, colour)
    before = chunk(b"tEXt", b"Title\0a title")
    palette = palette_of(1 << depth) if colour == 3 else None
    if palette is not None:
        before += plte(palette)
    data = write_png(samples, depth, colour, interlaced=interlaced, before=before)
    assert looks_like_picture(data[:8])
    assert inspect(data) is None
    found = inspect_wide(data)
    kinds = ["png-samples"] if palette is None else ["png-samples", "png-colours"]
    assert [picture.recipe.kind for picture in found] == kinds
    assert found[0].pixels.dtype == np.uint8
    assert np.array_equal(found[0].pixels, expected(samples, depth, colour))
    if palette is not None:
        assert found[1].pixels.dtype == np.uint8
        assert np.array_equal(found[1].pixels, palette[samples[:, :, 0]])
    for picture in found:
        assert picture.recipe.prefix.endswith(before)
        assert_comes_back(picture, data)


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(FORMATS),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 1 << 30),
    interlaced=st.booleans(),
)
def test_noise_comes_back(
    form: tuple[int, int], shape: tuple[int, int], seed: int, interlaced: bool
) -> None:
    depth, colour = form
    samples = np.random.default_rng(seed).integers(0, 1 << depth, (*shape, SAMPLES[colour]))
    before = plte(palette_of(1 << depth)) if colour == 3 else b""
    data = write_png(samples, depth, colour, interlaced=interlaced, before=before, seed=seed)
    found = inspect_wide(data)
    assert len(found) == (2 if colour == 3 else 1)
    for picture in found:
        assert_comes_back(picture, data)


def test_bytes_of_a_pixel_are_in_the_order_that_is_promised() -> None:
    def first(samples: list[int], depth: int, colour: int) -> list[int]:
        data = write_png(np.array([[samples]]), depth, colour)
        pixel: list[int] = inspect_wide(data)[0].pixels[0, 0].tolist()
        return pixel

    assert first([0x0102], 16, 0) == [1, 2]
    assert first([0x0102, 0x0304], 16, 4) == [1, 3, 2, 4]
    assert first([0x0102, 0x0304, 0x0506], 16, 2) == [1, 3, 5, 2, 4, 6]
    assert first([0x0102, 0x0304, 0x0506, 0x0708], 16, 6) == [1, 3, 5, 7, 2, 4, 6, 8]
    assert first([9, 7], 8, 4) == [9, 7]
    assert first([1, 2, 3, 4], 8, 6) == [1, 2, 3, 4]
    assert first([2], 2, 0) == [170]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1"])
def test_rebuilt_png_is_about_as_short(mode: str) -> None:
    y, x = np.mgrid[:120, :160]
    wave = 128 + 100 * np.sin(x / 9) * np.cos(y / 7)
    image = Image.fromarray(wave.astype(np.uint8))
    image = image.convert("RGB").quantize(32) if mode == "P" else image.convert(mode)
    out = io.BytesIO()
    image.save(out, "PNG")
    found = inspect_wide(out.getvalue())
    assert found
    for picture in found:
        again = rebuild(picture.recipe, picture.pixels)
        assert len(again) <= 1.25 * len(out.getvalue())


def test_deep_png_is_filtered() -> None:
    y, x = np.mgrid[:60, :80]
    ramp = np.stack([300 * x + 500 * y, 400 * x + 100 * y, 700 * x], axis=2)
    (picture,) = inspect_wide(write_png(ramp, 16, 2))
    assert len(rebuild(picture.recipe, picture.pixels)) < picture.pixels.size // 10


def test_short_transparency_leaves_the_other_colours_opaque() -> None:
    palette = palette_of(16)
    samples = samples_of((12, 9), 4, 3)
    data = write_png(samples, 4, 3, before=plte(palette) + chunk(b"tRNS", bytes([0, 7, 255])))
    by_samples, by_colours, *_ = inspect_wide(data)
    alpha = np.array([0, 7, *[255] * 14], np.uint8)
    assert np.array_equal(by_samples.pixels, samples)
    assert np.array_equal(by_colours.pixels[..., :3], palette[samples[..., 0]])
    assert np.array_equal(by_colours.pixels[..., 3], alpha[samples[..., 0]])
    for picture in (by_samples, by_colours):
        assert_comes_back(picture, data)
        assert opened(rebuild(picture.recipe, picture.pixels))[1]["transparency"] == bytes(
            [0, 7, 255]
        )


@pytest.mark.parametrize(
    ("indices", "colours", "alpha", "by_colours"),
    [
        ([0, 1, 3], [1, 2, 1, 3], None, True),  # the double is not used
        ([0, 1, 2], [1, 2, 1, 3], None, False),  # both are
        ([1, 2, 3], [1, 2, 1, 3], None, False),  # only the later one is
        ([0, 1, 2], [1, 2, 1, 3], [9], True),  # alpha tells them apart
        ([0, 1, 2], [1, 2, 1, 3], [9, 9, 9], False),
        ([0, 1, 4], [1, 2, 1, 3], None, False),  # outside of the palette
        ([0, 1, 4], [1, 2, 1, 3], [9, 9, 9], False),
    ],
)
@pytest.mark.parametrize("depth", [4, 8])
def test_colours_are_a_view_only_where_indices_can_be_found_again(
    indices: list[int], colours: list[int], alpha: list[int] | None, by_colours: bool, depth: int
) -> None:
    before = plte(np.repeat(colours, 3).reshape(-1, 3))
    if alpha is not None:
        before += chunk(b"tRNS", bytes(alpha))
    data = write_png(np.array(indices).reshape(1, -1, 1), depth, 3, before=before)
    assert kinds_of(data) == ["png-samples", "png-colours"][: 1 + by_colours]
    for picture in inspect_wide(data):
        assert_comes_back(picture, data)


@settings(max_examples=80, deadline=None)
@given(
    colours=st.lists(st.sampled_from([0, 5, 9, 255]), min_size=1, max_size=6),
    indices=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    alpha=st.lists(st.sampled_from([0, 255]), max_size=6),
)
def test_any_small_palette(colours: list[int], indices: list[int], alpha: list[int]) -> None:
    alpha = alpha[: len(colours)]
    before = plte([(v, 0, 0) for v in colours]) + (chunk(b"tRNS", bytes(alpha)) if alpha else b"")
    data = write_png(np.array(indices).reshape(-1, 1, 1), 4, 3, before=before)
    entries = list(zip(colours, alpha + [255] * (len(colours) - len(alpha)), strict=True))
    found_again = all(k < len(entries) and entries.index(entries[k]) == k for k in indices)
    opaque = bool(alpha) and found_again and all(colours.index(colours[k]) == k for k in indices)
    assert (
        kinds_of(data) == ["png-samples", "png-colours", "png-opaque"][: 1 + found_again + opaque]
    )
    for picture in inspect_wide(data):
        assert_comes_back(picture, data)


FOUR = plte(palette_of(4))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (chunk(b"PLTE"), b""),
        (chunk(b"PLTE", bytes(4)), b""),
        (chunk(b"PLTE", bytes(3 * 257)), b""),
        (FOUR + FOUR, b""),
        (b"", FOUR),
        (FOUR, FOUR),
        (FOUR + chunk(b"tRNS"), b""),
        (FOUR + chunk(b"tRNS", bytes(5)), b""),
        (FOUR + chunk(b"tRNS", b"a") + chunk(b"tRNS", b"a"), b""),
        (chunk(b"tRNS", b"a") + FOUR, b""),
        (FOUR, chunk(b"tRNS", b"a")),
        (FOUR + chunk(b"acTL", bytes(8)), b""),
        (FOUR, chunk(b"fdAT", bytes(8))),
        (chunk(b"CgBI", bytes(4)) + FOUR, b""),
        (FOUR + chunk(b"ABCD"), b""),
    ],
)
def test_palette_that_is_damaged_or_more_than_one_frame_is_no_picture(
    before: bytes, after: bytes
) -> None:
    indices = samples_of((3, 4), 2, 3)
    assert len(inspect_wide(write_png(indices, 2, 3, before=FOUR))) == 2
    assert inspect_wide(write_png(indices, 2, 3, before=before, after=after)) == []


@pytest.mark.parametrize(("depth", "colour"), [(d, c) for d, c in FORMATS if c != 3])
def test_hints_and_transparent_colours_are_refused_without_a_palette(
    depth: int, colour: int
) -> None:
    samples = samples_of((3, 4), depth, colour)
    assert len(inspect_wide(write_png(samples, depth, colour))) == 1
    for before in (FOUR, chunk(b"tRNS", bytes(2 * SAMPLES[colour]))):
        assert inspect_wide(write_png(samples, depth, colour, before=before)) == []


@pytest.mark.parametrize(("depth", "colour"), FORMATS)
def test_damaged_png_is_no_picture(depth: int, colour: int) -> None:
    before = plte(palette_of(1 << depth)) if colour == 3 else b""
    data = write_png(samples_of((20, 20), depth, colour), depth, colour, before=before)
    assert inspect_wide(data)
    for how, broken in damaged(data):
        assert inspect_wide(broken) == [], how


@pytest.mark.parametrize(("depth", "colour"), FORMATS)
def test_png_of_another_size_than_its_header_tells_is_no_picture(depth: int, colour: int) -> None:
    before = plte(palette_of(1 << depth)) if colour == 3 else b""
    good = write_png(samples_of((9, 8), depth, colour), depth, colour, before=before)
    for width, height in ((8, 8), (8, 10), (16, 9), (1 << 31, 9)):
        head = good[12:16] + struct.pack(">II", width, height) + good[24:29]
        bad = good[:12] + head + struct.pack(">I", zlib.crc32(head)) + good[33:]
        assert inspect_wide(bad) == []


def test_unknown_filter_depth_or_colour_type_is_no_picture() -> None:
    head = struct.pack(">IIBBBBB", 1, 1, 8, 4, 0, 0, 0)

    def made(head: bytes, kind: int) -> bytes:
        idat = zlib.compress(bytes([kind, 1, 2]))
        chunks = chunk(b"IHDR", head) + chunk(b"IDAT", idat) + chunk(b"IEND")
        return b"\x89PNG\r\n\x1a\n" + chunks

    assert len(inspect_wide(made(head, 4))) == 1
    assert inspect_wide(made(head, 5)) == []
    for at, value in ((8, 3), (8, 4), (9, 1), (9, 5), (10, 1), (11, 1), (12, 2)):
        wrong = head[:at] + bytes([value]) + head[at + 1 :]
        assert inspect_wide(made(wrong, 0)) == []


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_plain_pictures_are_not_wide(mode: str, kind: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (7, 5), 9).save(out, kind)
    assert inspect(out.getvalue()) is not None
    assert inspect_wide(out.getvalue()) == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("magic", [b"P5", b"P6"])
@pytest.mark.parametrize("maxval", [256, 1000, 65535])
def test_pnm_comes_back(shape: tuple[int, int], magic: bytes, maxval: int) -> None:
    samples = samples_of(shape, 16, 0 if magic == b"P5" else 2)
    head = magic + b"\n# a comment\n%d %d\n%d\n" % (shape[1], shape[0], maxval)
    data = head + samples.astype(">u2").tobytes() + b"more"
    assert looks_like_picture(data[:8])
    assert inspect(data) is None
    ((pixels, recipe),) = inspect_wide(data)
    assert recipe == Recipe("pnm-16", head, b"more")
    assert np.array_equal(pixels, expected(samples, 16, 0))
    assert rebuild(recipe, pixels) == data
    assert inspect_wide(data[:-5]) == []


@pytest.mark.parametrize("maxval", [b"0", b"1", b"254", b"255", b"0255", b"65536", b"999999999"])
def test_pnm_of_another_range_is_not_wide(maxval: bytes) -> None:
    assert inspect_wide(b"P5 2 2 " + maxval + b"\n" + bytes(8)) == []


@pytest.mark.parametrize("data", [b"", b"P5", b"P6 1 1 256", b"P6 1 1 256\n12345", b"BM", b"text"])
def test_nonsense_is_not_wide(data: bytes) -> None:
    assert inspect_wide(data) == []


def test_huge_picture_is_not_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitswap_cli.images.formats.png.chunks.MAX_LARGE", 99)
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_PIXELS", 99)
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_LARGE", 99)
    for height, count in ((10, 0), (9, 1)):
        samples = samples_of((height, 11 if height == 9 else 10), 16, 2)
        assert len(inspect_wide(write_png(samples, 16, 2))) == count
        head = b"P6 %d %d 65535\n" % (samples.shape[1], height)
        assert len(inspect_wide(head + samples.astype(">u2").tobytes())) == count


def test_picture_with_huge_metadata_is_not_wide() -> None:
    data = b"P5 1 1 256\nxx"
    assert len(inspect_wide(data)) == 1
    assert inspect_wide(data + bytes(MAX_RECIPE)) == []
    samples = np.array([[[1, 2]]])
    assert len(inspect_wide(write_png(samples, 8, 4))) == 1
    assert inspect_wide(write_png(samples, 8, 4) + bytes(MAX_RECIPE)) == []
