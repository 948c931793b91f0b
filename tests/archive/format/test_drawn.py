"""Chunks of whole pictures."""

import io
import struct
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.drawn import (
    encode_paying,
    encode_pictures,
    kinds,
    pack_pictures,
)
from bitswap_cli.archive.format.header import MIXED_3, RECIPES
from bitswap_cli.archive.format.register import decode_chunk, read_table, told
from bitswap_cli.archive.format.sections import DRAW, NAMED_VERSION
from bitswap_cli.archive.format.segments import WholeSegment, WholeTable
from bitswap_cli.contract import BYTES, PictureCodec
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.register import kinds as all_kinds
from bitswap_cli.images.inspection import inspect_wide
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe
from bitswap_cli.mixing.state import NEWEST
from bitswap_models.families.drawn import kernel
from bitswap_models.families.drawn.reference import chunk as chunk_of_reference
from tests.models.families.drawn.pictures import flat, model


@dataclass
class Body:
    """A chunk of two pictures, and what it was made of."""

    table: WholeTable
    body: bytes


@pytest.fixture
def chunk() -> Body:
    random = np.random.default_rng(1)
    pictures = [
        Picture(flat(7, 9, 3, random), Recipe("bmp", b"before", b"behind")),
        Picture(flat(5, 4, 4, random), Recipe("png-samples", b"head", b"", b"")),
        Picture(flat(6, 5, 6, random), Recipe("pnm-16", b"deep", b"")),
    ]
    segments = [
        WholeSegment(b"a", "bmp", 7, 9, 3, 400, 5, 77),
        WholeSegment(b"b", "png-samples", 5, 4, 4, 0, 6, 0),
        WholeSegment(b"c", "pnm-16", 6, 5, 6, 9, 6, 7, depth=2),
    ]
    body, bits = encode_pictures(model(), segments, pictures)
    assert len(bits) == 3 and bits.sum() / 8 < len(body)
    table = read_table(DRAW, body, NAMED_VERSION)
    assert isinstance(table, WholeTable) and table.segments == segments
    return Body(table, body)


def decoded(codec: PictureCodec, table: WholeTable, body: bytes) -> list[Picture]:
    found = decode_chunk(DRAW, Codecs(pictures=codec), table, body)()
    assert isinstance(found, list)
    return [one.picture for one in found if hasattr(one, "picture")]


def test_pictures_and_recipes_come_back(chunk: Body) -> None:
    found = decoded(model(), chunk.table, chunk.body)
    random = np.random.default_rng(1)
    assert np.array_equal(found[0].pixels, flat(7, 9, 3, random))
    assert np.array_equal(found[1].pixels, flat(5, 4, 4, random))
    assert np.array_equal(found[2].pixels, flat(6, 5, 6, random))
    assert found[0].recipe == Recipe("bmp", b"before", b"behind")
    assert [segment.exact for segment in chunk.table.segments] == [True, False, True]


def test_recipes_come_back_by_context_mixing() -> None:
    random = np.random.default_rng(1)
    recipes = [Recipe("bmp", b"a header, then the colours", b"and words %d" % k) for k in range(6)]
    pictures = [Picture(flat(7, 9, 3, random), recipe) for recipe in recipes]
    segments = [WholeSegment(b"%d" % k, "bmp", 7, 9, 3, 400, 5, 77) for k in range(6)]
    words = encode_paying(model(), pictures, [1] * 6, [np.inf] * 6).words
    plain, body = (pack_pictures(segments, pictures, words, mixing=own) for own in (False, True))
    assert len(body) < len(plain)
    table, other = (read_table(DRAW, own, NAMED_VERSION) for own in (body, plain))
    assert isinstance(table, WholeTable) and table.mixed
    assert isinstance(other, WholeTable) and not other.mixed
    assert [one.recipe for one in decoded(model(), table, body)] == recipes
    assert told(DRAW, table, frozenset()) == told(DRAW, other, frozenset()) | {RECIPES, MIXED_3}
    for wrong in (table._replace(mixed=0), other._replace(mixed=NEWEST)):
        with pytest.raises(ArchiveError, match="malformed|damaged"):
            decoded(model(), wrong, body if wrong.mixed != table.mixed else plain)


def test_every_byte_behind_the_table_counts(chunk: Body) -> None:
    start = 4 + struct.unpack_from("<I", chunk.body)[0] + 4
    sound = [(p.pixels.tobytes(), p.recipe) for p in decoded(model(), chunk.table, chunk.body)]
    for place in range(start, len(chunk.body)):
        harmed = bytearray(chunk.body)
        harmed[place] ^= 0x11
        try:
            found = decoded(model(), chunk.table, bytes(harmed))
        except ArchiveError:
            continue
        # a recipe's bytes are checked with the file that they give
        assert [p.pixels.tobytes() for p in found] == [own for own, _ in sound]


@pytest.mark.parametrize(
    "shape",
    [(0, 9, 3), (7, 9, 5), (7, 9, 0), (MAX_PIXELS, 2, 1), (1, MAX_PIXELS, 1), (MAX_PIXELS, 1, 1)],
)
def test_shapes_that_no_writer_makes_are_refused(chunk: Body, shape: tuple[int, ...]) -> None:
    height, width, channels = shape
    segment = chunk.table.segments[0]._replace(height=height, width=width, channels=channels)
    table = WholeTable([segment, *chunk.table.segments[1:]])
    with pytest.raises(ArchiveError):
        decoded(model(), table, chunk.body)


@pytest.mark.parametrize(("channels", "depth"), [(4, 1), (6, 2), (3, 2)])
def test_a_palette_of_other_channels_is_refused(channels: int, depth: int) -> None:
    random = np.random.default_rng(2)
    indexed = Image.fromarray(flat(6, 7, 3, random)).quantize(8)
    buffer = io.BytesIO()
    indexed.save(buffer, "PNG")
    found = inspect_wide(buffer.getvalue())
    fits = [picture for picture in found if picture.recipe.kind == "png-colours"]
    segment = WholeSegment(b"a", "png-colours", 6, 7, 3, 0, 6, 0)
    body, _ = encode_pictures(model(), [segment], fits)
    assert np.array_equal(decoded(model(), WholeTable([segment]), body)[0].pixels, fits[0].pixels)
    table = WholeTable([segment._replace(channels=channels, depth=depth)])
    with pytest.raises(ArchiveError, match="malformed"):
        decoded(model(), table, body)


def test_a_chunk_without_its_codec_is_refused(chunk: Body) -> None:
    with pytest.raises(ArchiveError, match="whole pictures that its index does not announce"):
        decode_chunk(DRAW, Codecs(), chunk.table, chunk.body)


def test_kinds_keep_their_numbers_and_those_of_other_samples_have_none() -> None:
    names, known = kinds(), {kind.number: kind for kind in all_kinds()}
    assert {number for number, name in enumerate(names) if name} == {
        number for number, kind in known.items() if kind.alphabet == BYTES
    }
    assert all(known[number].name == name for number, name in enumerate(names) if name)


def eight(random: np.random.Generator) -> tuple[list[Picture], list[int]]:
    """Pictures of one byte a channel, and of two."""
    pictures = [
        Picture(flat(6 + k, 9, 3 + k % 2 * 3, random), Recipe("pnm-16", b"", b"")) for k in range(8)
    ]
    return pictures, [1 + k % 2 for k in range(8)]


@pytest.mark.parametrize("engine", ["c", "reference"])
@pytest.mark.parametrize("losers", [[], [0], [3], [7], [1, 2, 6], list(range(8))])
def test_pictures_that_do_not_pay_are_taken_back(
    monkeypatch: pytest.MonkeyPatch, engine: str, losers: list[int]
) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", engine)
    pictures, depths = eight(np.random.default_rng(3))
    limits = [0.0 if k in losers else 1e9 for k in range(8)]
    told = encode_paying(model(), pictures, depths, limits)
    again = encode_paying(model(), pictures, depths, limits, trusting=True)
    assert again.words == told.words and again.sound
    assert np.array_equal(again.bits, told.bits) and np.array_equal(again.stays, told.stays)
    kept = [k for k in range(8) if k not in losers]
    assert told.sound and np.flatnonzero(told.stays).tolist() == kept
    own = [pictures[k] for k in kept], [depths[k] for k in kept], [np.inf] * len(kept)
    alone = encode_paying(model(), *own)
    assert told.words == alone.words and told.bits[kept].tolist() == alone.bits.tolist()


def test_engines_take_back_the_same_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both, and only those that change no more than a kernel keeps."""
    pictures, depths = eight(np.random.default_rng(3))
    found = set()
    for most in (1, 300, 700, 1200, 1 << 19):
        for module in (kernel, chunk_of_reference):
            monkeypatch.setattr(module, "MOST_CHANGES", most)
        stays = []
        for engine in ("c", "reference"):
            monkeypatch.setenv("BITSWAP_ENGINE", engine)
            told = encode_paying(model(), pictures, depths, [0.0] * 8)
            stays.append((told.stays.tolist(), told.words))
        assert stays[0] == stays[1]
        found.add(sum(stays[0][0]))
    assert len(found) > 2 and {0, 8} <= found


def test_what_is_left_may_take_a_memory_of_another_size() -> None:
    random = np.random.default_rng(3)
    pictures = [Picture(flat(48, 49, 1, random), Recipe("pnm-few", b"", b"")) for _ in range(2)]
    told = encode_paying(model(), pictures, [1, 1], [np.inf, 0.0])
    assert told.stays.tolist() == [True, False] and not told.sound
