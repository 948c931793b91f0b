"""Chunks of JPEG files: tables come back, and bodies that no writer makes are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.archive.format import jpeg as chunk
from bitswap_cli.archive.format.jpeg import KIND, KINDS, decode_jpegs, encode_jpegs
from bitswap_cli.archive.format.register import read_table
from bitswap_cli.archive.format.sections import JPEG, LENGTH, framed
from bitswap_cli.archive.format.segments import DecodedFile, WholeSegment, WholeTable
from bitswap_cli.archive.format.tables import pack_whole_table, unpack_whole_table
from bitswap_cli.archive.format.values.blobs import pack_blob
from bitswap_cli.archive.format.values.columns import MAX_SIZE
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_cli.images.bands import bands
from bitswap_cli.images.formats.jpeg.codec import Jpeg, split
from bitswap_cli.images.formats.jpeg.outline import outline
from tests.archive.blocks import Memory
from tests.archive.format.test_attributes import attributes
from tests.images.formats.jpeg.files import photograph, pillow

TABLE = WholeTable([WholeSegment(b"a", KIND, 24, 40, 3, 1, 0, 0)])
SIZES = st.integers(0, MAX_SIZE - 1)
SEGMENTS = st.builds(
    WholeSegment,
    st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name),
    st.sampled_from(("one", "other")),
    SIZES, SIZES, SIZES, SIZES, st.integers(-MAX_SIZE, MAX_SIZE), st.integers(0, (1 << 32) - 1),
    attributes, st.integers(1, 2), st.just(0),
)  # fmt: skip


@given(st.lists(SEGMENTS, min_size=1, max_size=9))
def test_tables_come_back(segments: list[WholeSegment]) -> None:
    kinds = ("one", "other")
    table = WholeTable(segments)
    assert unpack_whole_table(pack_whole_table(table, kinds), kinds) == table


@pytest.mark.parametrize("places", [[1], [0, 2], [0, 1, 1], [0, 63]])
def test_twins_are_those_of_what_is_before_them(places: list[int]) -> None:
    rows = [TABLE.segments[0]._replace(name=b"%d" % k, twin=d) for k, d in enumerate(places)]
    with pytest.raises(ArchiveError, match="not before it"):
        unpack_whole_table(pack_whole_table(WholeTable(rows), KINDS), KINDS, twins=True)


def test_a_kind_of_chunks_may_know_no_twins() -> None:
    rows = [TABLE.segments[0], TABLE.segments[0]._replace(name=b"b", twin=1)]
    packed = pack_whole_table(WholeTable(rows), KINDS)
    assert unpack_whole_table(packed, KINDS, twins=True).segments == rows
    with pytest.raises(ModelError, match="twin"):
        unpack_whole_table(packed, KINDS)


def jpeg() -> Jpeg:
    found = split(pillow(photograph(24, 40)))
    assert found is not None
    return found


def body(codec: Memory, *, recipes: Any = None, messages: Any = None) -> bytes:
    """A chunk of one file, or with other recipes or messages."""
    one = jpeg()
    frame = outline(one.pictures[0].frame, one.pictures[0].quantization)
    assert len(bands(frame)) == 1
    told = codec.encode([frame], [one.pictures[0].coefficients], b"")
    table = pack_whole_table(TABLE, KINDS)
    made = pack_blob(pack_object([one.recipe] if recipes is None else recipes))
    excess = pack_blob(told.excess)
    rest = pack_object([[told.words, excess]] if messages is None else messages)
    return framed(table) + LENGTH.pack(len(made)) + made + rest


def decoded(content: bytes, codec: Memory) -> list[DecodedFile]:
    table = read_table(JPEG, content, 5)
    assert isinstance(table, WholeTable)
    return decode_jpegs(codec, table, content, map)()


def test_a_chunk_comes_back() -> None:
    codec, one = Memory(), jpeg()
    (found,) = decoded(body(codec), codec)
    assert found.file() == pillow(photograph(24, 40))
    assert found.held >= sum(x.nbytes for x in one.pictures[0].coefficients)
    frame = outline(one.pictures[0].frame, one.pictures[0].quantization)
    told = codec.encode([frame], [one.pictures[0].coefficients], b"")
    assert encode_jpegs(TABLE.segments, [one.recipe], [told]) == body(codec)


@pytest.mark.parametrize(
    "make",
    [
        lambda codec: body(codec, recipes=[]),
        lambda codec: body(codec, recipes=[1]),
        lambda codec: body(codec, recipes=[b"x"]),
        lambda codec: body(codec, recipes=[jpeg().recipe, b""]),
        lambda codec: body(codec, messages=[]),
        lambda codec: body(codec, messages=[[b"", b""]] * 2),
        lambda codec: body(codec, messages=[[b""]]),
        lambda codec: body(codec, messages=[[1, b""]]),
        lambda codec: body(codec, messages=[[b"", b"\x07"]]),
        lambda codec: body(codec, messages=[[b"unknown", b""]]),
        lambda codec: body(codec)[:-1],
        lambda codec: body(codec)[: len(pack_whole_table(TABLE, KINDS)) + 8],
    ],
)
def test_other_bodies_are_refused(make: Callable[[Memory], bytes]) -> None:
    codec = Memory()
    with pytest.raises(ArchiveError):
        decoded(make(codec), codec)


def test_twins_have_the_coefficients_of_their_originals() -> None:
    """But for a file of another frame, which cannot have them."""
    codec, one, other = Memory(), jpeg(), split(pillow(photograph(24, 64)))
    assert other is not None
    frame = outline(one.pictures[0].frame, one.pictures[0].quantization)
    told = codec.encode([frame], [one.pictures[0].coefficients], b"")
    rows = [TABLE.segments[0], TABLE.segments[0]._replace(name=b"b", twin=1)]
    first, twin = decoded(encode_jpegs(rows, [one.recipe] * 2, [told]), codec)
    assert first.file() == twin.file() == pillow(photograph(24, 40))
    with pytest.raises(ArchiveError, match="not before it"):
        decoded(encode_jpegs(rows, [one.recipe, other.recipe], [told]), codec)


def test_more_coefficients_than_memory_may_hold_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunk, "MAX_BLOCKS", 3)
    codec = Memory()
    with pytest.raises(ArchiveError, match="too many coefficients"):
        decoded(body(codec), codec)
