"""The words of every installed model under every scheme, as the version that brought it wrote them.

They hold whatever the archive around them looks like: formats may change, words may not.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.archive.format import chunks
from bitswap_cli.archive.format.register import need_of
from bitswap_cli.archive.format.segments import TileTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.coding import ChunkCodec, tile_codec
from bitswap_cli.images.tiles import cut, joined, tile_sizes
from bitswap_models import zoo
from bitswap_models.stored import model_file
from tests.golden.make import digits, photo

HERE = Path(__file__).parent
WORDS: dict[str, list[str]] = json.loads((HERE / "words.json").read_text())
PAYLOAD = b"payload"


def groups(channels: int) -> Iterator[list[NDArray[np.uint8]]]:
    """Pictures that are coded together: of all channels, and gray ones."""
    if channels == 3:
        yield [photo(45, 70, 1), photo(32, 32, 3)]
    yield [photo(40, 33, 2)[..., 1:2], digits(3)[..., None]]


def found_as(version: str) -> zoo.ModelFile:
    """A model, or an older version of one: its name, a slash, and how its SHA-256 begins."""
    name, _, start = version.partition("/")
    (sha256,) = (p.stem for p in (zoo.EMBEDDED / name).glob(f"{start}*.older")) if start else [None]
    return zoo.find(name, sha256)


@pytest.mark.parametrize("case", sorted(WORDS))
def test_words_are_frozen(case: str) -> None:
    version, scheme = case.split()
    codec = tile_codec(model_file.load(found_as(version)), scheme)
    shape = codec.tile_height, codec.tile_width, codec.channels
    found = []
    for pictures in groups(codec.channels):
        tiles, sizes = joined(cut(pixels, *shape) for pixels in pictures)
        words = codec.encode(tiles, sizes, PAYLOAD).words
        found.append(hashlib.sha256(words).hexdigest())
    assert found == WORDS[case]


def test_no_model_is_left_out() -> None:
    families = {name: model_file.family_in(zoo.find(name)) for name in zoo.embedded()}
    codable = {name for name, one in families.items() if one.codes and one.subject == "tiles"}
    versions = {case.split()[0] for case in WORDS}
    assert {version for version in versions if "/" not in version} == codable


@pytest.mark.parametrize("path", sorted(HERE.glob("*.bsw")), ids=lambda path: path.stem)
def test_golden_tiles_are_coded_again_as_they_were(path: Path) -> None:
    """Fitted, grown and turned ones among them: what is decoded gives the same words again."""
    with ArchiveReader(path) as reader:
        for chunk in reader.chunks:
            table = reader.table(chunk)
            if isinstance(table, TileTable):
                codecs = decoder(None, 64)(reader.header, {need_of(chunk.tag, table)})
                assert again(codecs.tiles[table.model], table, reader.body(chunk))


def again(codec: object, table: TileTable, body: bytes) -> bool:
    """Whether the words of a chunk come out of its tiles again."""
    assert isinstance(codec, ChunkCodec)
    own = codec.of(max(segment.channels for segment in table.segments))
    assert own is not None
    side = own.tile_height * table.factor
    laid = [tile_sizes(s.laid, side, side, s.first, s.tiles) for s in table.coded]
    sizes = np.concatenate(laid)
    rest, words = chunks.parts(body)
    tiles, payload = own.decode(words, sizes, table.factor)
    coded = own.encode(tiles, sizes, payload[: table.swallowed] + rest)
    return (coded.words, coded.payload_used) == (words, table.swallowed)
