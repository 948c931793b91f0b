"""PNG files come back byte for byte, whoever wrote them, and damage is told."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.formats.png import format as png_format
from bitswap_cli.images.formats.png import stream as png_stream
from bitswap_cli.images.formats.png.chunks import (
    SIGNATURE,
    Head,
    chunk,
    find_pixels,
    lengths,
    read_head,
)
from bitswap_cli.images.formats.png.rows import read_rows
from bitswap_cli.images.inspection import (
    decode,
    describe,
    inspect,
    inspect_exact,
    inspect_wide,
    rebuild,
)
from bitswap_cli.images.packings.filters import filtered
from bitswap_cli.images.picture import Picture, Recipe
from tests.images.formats.png.files import FORMATS, PLTE, WRITERS, deflated, lines, png

EXACT = [kind.name for kind in png_format.KINDS if kind.exact]


def split(data: bytes) -> list[Picture]:
    """A file in every way in which it can be described, at whatever cost."""
    head = read_head(data)
    found = find_pixels(data, colours=True) if head else None
    stored = read_rows(found[2], head) if head and found else None
    if head is None or found is None or stored is None:
        return []
    start, end, idat = found
    told = png_stream.describe(idat, lengths(data[start:end]), stored, head)
    pictures = [decode(data, kind, told) for kind in EXACT] if told is not None else []
    return [picture for picture in pictures if picture is not None]


def seen(data: bytes) -> list[Picture]:
    """What a writer of archives sees in a file."""
    return list(inspect_exact(data, describe(data)))


def comes_back(data: bytes) -> list[Picture]:
    found = split(data)
    assert found
    for pixels, recipe in found:
        assert rebuild(recipe, pixels) == data
    return found


HEADS = st.builds(
    lambda size, form, interlaced: Head(size[0], size[1], form[0], form[1], interlaced),
    st.tuples(st.integers(1, 20), st.integers(1, 20)), st.sampled_from(FORMATS), st.booleans(),
)  # fmt: skip


@limits(max_examples=150, deadline=None)
@given(
    HEADS,
    st.sampled_from(WRITERS),
    st.integers(0, 9),
    st.lists(st.integers(0, 80), max_size=6),
    st.binary(max_size=20),
    st.integers(0, 9),
)
def test_files_come_back_byte_for_byte(
    head: Head, writer: str, level: int, cuts: list[int], tail: bytes, seed: int
) -> None:
    stream = deflated(lines(head, writer, seed), level) + tail
    data = png(head, stream, [min(cut, len(stream)) for cut in cuts])
    found = comes_back(data)
    plain = inspect(data)
    same = [plain] if plain else inspect_wide(data)
    assert [one.recipe.kind + "-exact" for one in same] == [one.recipe.kind for one in found]
    for one, other in zip(same, found, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert one.recipe[1:3] == other.recipe[1:3]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(("depth", "colour"), [(8, 2), (8, 6), (16, 0), (4, 3)])
def test_what_a_predictor_knows_takes_few_bytes(writer: str, depth: int, colour: int) -> None:
    head = Head(300, 70, depth, colour, interlaced=False)
    raw = lines(head, writer)
    for _, recipe in comes_back(png(head, deflated(raw, 6))):
        told = len(recipe.description)
        random = 300 // 3 if writer == "mixed" else 40 if writer == "runs" else 0
        unused = 300 * 2 // 8 if depth < 8 and 70 % 2 else 0
        assert told < 40 + random + unused


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_filters_of_pillow_need_no_corrections(channels: int, optimize: bool) -> None:
    rng = np.random.default_rng(channels)
    noise = rng.integers(0, 64, (42, 52, channels))
    boxes = [noise[y : y + 40, x : x + 50] for y in range(3) for x in range(3)]
    pixels = (np.sum(boxes, axis=0) // 3).astype(
        np.uint8
    )  # of which the mean of two neighbours tells most
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(
        file, "PNG", optimize=optimize
    )
    ((_, recipe),) = comes_back(file.getvalue())
    predictor, told = recipe.description[0], recipe.description[1:3]
    assert predictor == (6 if optimize else 7) and told == bytes(2)


@pytest.mark.parametrize("level", range(10))
def test_pillow_and_zlib_at_every_level(level: int) -> None:
    ramp = np.add.outer(np.arange(90), np.arange(120)).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 9, (90, 120, 3)).astype(np.uint8)
    for array in (ramp, ramp[:, :, None] + noise):
        file = io.BytesIO()
        Image.fromarray(array).save(file, "PNG", compress_level=level)
        (picture,) = seen(file.getvalue())
        assert rebuild(picture.recipe, picture.pixels) == file.getvalue()
    head = Head(90, 120, 8, 2, interlaced=True)
    comes_back(png(head, deflated(lines(head, "least"), level, memLevel=9)))


def test_bytes_behind_the_checksum_come_back() -> None:
    head = Head(64, 64, 8, 2, interlaced=False)
    stream = deflated(lines(head, "mixed"), 9) + b"a secret that no decoder sees"
    data = png(head, stream, [100, len(stream) - 7])
    (picture,) = seen(data)
    assert b"a secret" in picture.recipe.description
    assert rebuild(picture.recipe, picture.pixels) == data


def test_a_description_is_shorter_than_what_it_describes() -> None:
    tiny = png(Head(1, 1, 8, 2, interlaced=False), deflated(b"\0abc", 9))
    ((pixels, recipe),) = split(tiny)
    assert rebuild(recipe, pixels) == tiny
    assert len(recipe.description) < len(deflated(b"\0abc", 9))
    assert seen(tiny) != []
    cut = png(Head(1, 1, 8, 2, interlaced=False), deflated(b"\0abc", 9), [1, 4, 5, 8, 10])
    ((pixels, recipe),) = split(cut)
    assert rebuild(recipe, pixels) == cut
    assert len(recipe.description) >= len(deflated(b"\0abc", 9))
    assert seen(cut) == []


@pytest.mark.parametrize(("depth", "colour"), [(8, 0), (8, 2), (2, 0), (16, 2), (8, 6)])
def test_suggested_palettes_and_transparent_colours_come_back(depth: int, colour: int) -> None:
    head = Head(20, 31, depth, colour, interlaced=False)
    stream = deflated(lines(head, "least"), 6)
    for before in (PLTE, chunk(b"tRNS", bytes(6)), PLTE + chunk(b"tRNS", b"")):
        data = png(head, stream, [40], before)
        assert inspect(data) is None
        assert inspect_wide(data) == []
        (picture,) = seen(data)
        assert np.array_equal(picture.pixels, split(png(head, stream))[0].pixels)
        assert rebuild(picture.recipe, picture.pixels) == data
    assert seen(png(head, stream, before=chunk(b"acTL", bytes(8)))) == []


@pytest.mark.parametrize("step", [1, 2, 1000, 1 << 20])
def test_chunks_of_one_length_take_a_number(step: int) -> None:
    head = Head(50, 50, 8, 0, interlaced=False)
    stream = deflated(lines(head, "sub"), 6)
    one, many = png(head, stream), png(head, stream, range(step, len(stream), step))
    (whole,), (cut,) = comes_back(one), comes_back(many)
    assert len(cut.recipe.description) <= len(whole.recipe.description) + 2


def test_empty_chunks_come_back() -> None:
    head = Head(50, 50, 8, 0, interlaced=False)
    stream = deflated(lines(head, "sub"), 6)
    for cuts in ([0], [len(stream)], [0, 0, 5, 5, 9, len(stream), len(stream)]):
        comes_back(png(head, stream, cuts))


def test_what_is_no_picture_is_not_described() -> None:
    head = Head(20, 20, 8, 2, interlaced=False)
    stream = deflated(lines(head, "up"), 6)
    data = png(head, stream)
    broken = bytearray(data)
    broken[60] ^= 1
    for other in (bytes(broken), data[:-30], png(head, deflated(b"\5" + lines(head, "up")[1:], 6))):
        assert split(other) == []
    crc = data.index(stream[-8:]) + 8
    assert split(data[:crc] + bytes(4) + data[crc + 4 :]) == []


def test_too_many_lines_with_bits_in_them_are_not_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(png_stream, "_MOST_LINES", 9)
    for height, unused, count in ((9, 1, 1), (10, 1, 0), (10, 0, 1)):
        head = Head(height, 7, 1, 0, interlaced=False)
        rows = np.full((height, 1), 0b1010100 << 1 | unused, np.uint8)
        raw = filtered(rows, 1, np.zeros(height, np.uint8)).tobytes()
        assert len(split(png(head, deflated(raw, 6)))) == count


def seeds() -> list[Picture]:
    """Pictures whose descriptions have everything in them."""
    found = []
    for depth, colour, interlaced, cuts in ((8, 2, True, [9, 50, 60]), (2, 0, False, [8, 16])):
        head = Head(30, 21, depth, colour, interlaced)
        for writer in ("mixed", "runs", "least"):
            stream = deflated(lines(head, writer), 6) + b"tail"
            found += split(png(head, stream, cuts))
    return found


SEEDS = seeds()


@limits(max_examples=300, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=3),
    st.integers(0, 40),
)
def test_damaged_descriptions_are_archive_errors(
    seed: Picture, changes: list[tuple[int, int]], cut: int
) -> None:
    told = bytearray(seed.recipe.description)
    for at, value in changes:
        told[at % len(told)] = value
    recipe = seed.recipe._replace(description=bytes(told[: len(told) - cut]))
    try:
        found = rebuild(recipe, seed.pixels)
    except ArchiveError as error:
        assert "damaged" in str(error)
    else:
        assert found.startswith(SIGNATURE)


def test_descriptions_that_ask_for_too_much_are_refused() -> None:
    head = Head(300, 300, 8, 2, interlaced=False)
    data = png(head, deflated(lines(head, "mixed"), 0))
    ((pixels, recipe),) = split(data)
    told = recipe.description
    assert (told[0] >> 3, told[1]) == (0, 0)  # one chunk: its length is not told
    longer = recipe._replace(description=told[:1] + varint(1 << 41) + told[2:])
    assert rebuild(longer, pixels) == data
    starts = [bytes([first]) + told[1:] for first in (16 | told[0], 255)]
    for wrong in (told[:1] + varint(1) + told[2:], *starts, b"", told[:1], told[:2]):
        with pytest.raises(ArchiveError, match="damaged"):
            rebuild(recipe._replace(description=wrong), pixels)


@pytest.mark.parametrize("kind", EXACT)
def test_exact_kinds_need_a_description(kind: str) -> None:
    for seed in SEEDS:
        with pytest.raises(ArchiveError):
            rebuild(Recipe(kind, seed.recipe.prefix, seed.recipe.suffix), seed.pixels)


def test_a_description_that_does_not_hold_makes_no_picture() -> None:
    head = Head(20, 30, 8, 2, interlaced=False)
    data = png(head, deflated(lines(head, "up"), 6))
    ((pixels, recipe),) = seen(data)
    for wrong in (b"\6" + recipe.description[1:], b"", None):
        assert list(inspect_exact(data, wrong)) == []
    quick = rebuild(recipe._replace(description=b"\6"), pixels, quick=True)
    assert quick != data and len(quick) < pixels.size
    plain, again = inspect(data), inspect(quick)
    assert plain and again and np.array_equal(plain.pixels, again.pixels)


def test_one_description_serves_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    head = Head(20, 30, 8, 3, interlaced=False)
    alphas = PLTE + chunk(b"tRNS", b"\0")
    data = png(head, deflated(bytes(20 * 31), 6)).replace(PLTE, alphas)
    described: list[int] = []
    real = png_stream.describe

    def counted(stream: bytes, *more: Any) -> bytes | None:
        described.append(len(stream))
        return real(stream, *more)

    monkeypatch.setattr(png_format, "describe", counted)
    assert [picture.recipe.kind for picture in seen(data)] == EXACT[1:]
    assert len(described) == 1
