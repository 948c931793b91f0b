"""Archives by several models of tiles: each chunk names its own."""

from collections.abc import Set
from pathlib import Path

import pytest

from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.archive.codecs import Codecs, CodecsFor, Need
from bitswap_cli.archive.format.chunks import encode_tiles
from bitswap_cli.archive.format.header import MODELS, Header, Tiled
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, TILE
from bitswap_cli.archive.format.segments import Extra, TileSegment, TileTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, PartialError
from bitswap_cli.images.tiles import cut
from tests.archive.support import ZlibCodec, assert_same, bad_png, encoded, smooth, tree, write

TIME = 1_700_000_000_000_000_000


def codecs_of(*codecs: ZlibCodec, **genres: int) -> Codecs:
    named = {name.replace("_", " "): number for name, number in genres.items()}
    return Codecs(dict(enumerate(codecs)), genres=named)


def header_of(*codecs: ZlibCodec) -> Header:
    """One that names a model for each codec."""
    tiles = [(one.tile_height, one.tile_width, one.channels) for one in codecs]
    models = [Tiled(f"m{k}", f"{k:064x}", "bitswap", 1, tile) for k, tile in enumerate(tiles)]
    return Header(tuple(models), frozenset([MODELS]))


def serving(codecs: Codecs, asked: list[Need]) -> CodecsFor:
    """The codecs that are needed, noted when they are."""

    def find(_: Header, needs: Set[Need]) -> Codecs:
        asked.extend(sorted(needs))
        return codecs._replace(tiles={k: codecs.tiles[k] for tag, k in needs if tag == TILE})

    return find


@pytest.fixture
def three() -> tuple[ZlibCodec, ZlibCodec, ZlibCodec]:
    return ZlibCodec(3), ZlibCodec(1, tile=16), ZlibCodec(1, tile=28, factors=(1,))


@pytest.fixture
def packed(tmp_path: Path, three: tuple[ZlibCodec, ...]) -> Path:
    """Pictures of three genres, and one that takes several chunks."""
    for number in range(3):
        write(tmp_path / f"in/{number}.png", bad_png(30 + number, 40, seed=number), TIME)
        write(tmp_path / f"in/gray{number}.png", bad_png(60 + number, 40, 1, number), TIME)
        write(tmp_path / f"in/small{number}.png", bad_png(28, 28, 1, 9 + number), TIME)
    write(tmp_path / "in/large.pgm", encoded(smooth(300, 200)[..., :1], "PPM"), TIME)
    write(tmp_path / "in/notes.txt", b"kept as it is", TIME)
    codecs = codecs_of(*three, gray=1, small_gray=2)
    for threads in (1, 3):
        path = tmp_path / f"{threads}.bsw"
        catalogue = Catalogue([tmp_path / "in"], pixels=True)
        with ArchiveWriter(path, header_of(*three), catalogue.sources) as writer:
            report = pack_into(writer, catalogue, codecs, threads=threads)
            writer.commit()
        assert (report.model, report.tile_entries) == ("m0", 10)
        assert [model.name for model in report.models] == ["m0", "m1", "m2"]
    assert (tmp_path / "1.bsw").read_bytes() == (tmp_path / "3.bsw").read_bytes()
    return tmp_path / "1.bsw"


def test_each_genre_has_its_model(packed: Path) -> None:
    with ArchiveReader(packed) as reader:
        tables = [reader.table(chunk) for chunk in reader.chunks if chunk.tag == TILE]
    found: dict[bytes, set[int]] = {}
    for table in tables:
        assert isinstance(table, TileTable)
        for segment in table.segments:
            found.setdefault(segment.name, set()).add(table.model)
    large = {b"in/large.pgm": {1}}
    own = [(b"in/%d.png", 0), (b"in/gray%d.png", 1), (b"in/small%d.png", 2)]
    assert found == large | {name % k: {model} for name, model in own for k in range(3)}
    assert len(tables) > 4


def test_what_is_needed_is_asked_for(
    packed: Path, tmp_path: Path, three: tuple[ZlibCodec, ...]
) -> None:
    asked: list[Need] = []
    codecs_for = serving(codecs_of(*three), asked)
    with ArchiveReader(packed) as reader:
        verify(reader, codecs_for)
        assert asked == [Need(BYTE), *(Need(TILE, k) for k in range(3))]
        del asked[:]
        unpack(reader, codecs_for, tmp_path / "some", select=["in/gray1.png", "in/notes.txt"])
        assert asked == [Need(BYTE), Need(TILE, 1)]
        unpack(reader, codecs_for, tmp_path / "out")
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out/in"))


def test_a_genre_without_a_model_goes_to_the_first_that_can_code_it(tmp_path: Path) -> None:
    three = ZlibCodec(1, tile=16), ZlibCodec(1), ZlibCodec(3)
    write(tmp_path / "in/rgb.png", bad_png(40, 40))
    write(tmp_path / "in/gray.png", bad_png(40, 41, 1))
    catalogue = Catalogue([tmp_path / "in"], pixels=True)
    with ArchiveWriter(tmp_path / "a", header_of(*three), catalogue.sources) as writer:
        pack_into(writer, catalogue, codecs_of(*three, gray=2))
        writer.commit()
    with ArchiveReader(tmp_path / "a") as reader:
        models = [reader.table(chunk) for chunk in reader.chunks]
    assert [one.model for one in models if isinstance(one, TileTable)] == [2]


def hostile(path: Path, header: Header, codec: ZlibCodec, model: int, channels: int = 3) -> Path:
    """An archive of one picture, by a model of a number."""
    pixels = smooth(16, 16)[..., : codec.channels]
    segment = TileSegment(b"x", "pnm", 16, 16, channels, 0, 4, 0)
    extras = [Extra(0, b"P6 16 16 255\n", b"")]
    body, _ = encode_tiles(codec, [segment], *cut(pixels, 8, 8, codec.channels), extras, model)
    with ArchiveWriter(path, header) as writer:
        writer.add(TILE, body, 1)
        writer.finish(Totals(1, 900, 768, 0))
        writer.commit()
    return path


@pytest.mark.parametrize("model", [2, 7])
def test_a_number_of_no_model(tmp_path: Path, model: int) -> None:
    two = ZlibCodec(3), ZlibCodec(1)
    path = hostile(tmp_path / "a", header_of(*two), two[0], model)
    codecs_for = serving(codecs_of(*two), [])
    with ArchiveReader(path) as reader:
        with pytest.raises(ArchiveError, match="a model its header does not name"):
            verify(reader, codecs_for)
        with pytest.raises(ArchiveError, match="a model its header does not name"):
            list(reader.entries())
        with pytest.raises(PartialError):
            unpack(reader, codecs_for, tmp_path / "out", keep_going=True)
    single = Header(header_of(*two).models[:1])
    for header, number, find in ((single, 1, codecs_for), (Header(), 0, decoder(None, 64))):
        path = hostile(tmp_path / f"b{number}", header, two[0], number)
        with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="does not name"):
            verify(reader, find)


def test_a_number_beyond_all(tmp_path: Path) -> None:
    two = ZlibCodec(3), ZlibCodec(1)
    path = hostile(tmp_path / "a", header_of(*two), two[0], 8)
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="malformed"):
        list(reader.entries())


def test_a_model_of_other_channels(tmp_path: Path) -> None:
    two = ZlibCodec(3), ZlibCodec(1)
    path = hostile(tmp_path / "a", header_of(*two), two[1], 1)
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="3 channels but no mod"):
        verify(reader, serving(codecs_of(*two), []))


def test_parts_by_models_of_other_tiles(tmp_path: Path) -> None:
    """They do not belong together."""
    two = ZlibCodec(3), ZlibCodec(3, tile=16)
    pixels = smooth(32, 32)
    extras = [Extra(0, b"P6 32 32 255\n", b"")]
    with ArchiveWriter(tmp_path / "a", header_of(*two)) as writer:
        for model, (codec, first) in enumerate(zip(two, (0, 1), strict=True)):
            side, count = codec.tile_height, (1, 3)[model]
            segment = TileSegment(b"x", "pnm", 32, 32, 3, first, count, 0)
            tiles = cut(pixels, side, side, 3, first, count)
            body, _ = encode_tiles(codec, [segment], *tiles, [] if first else extras, model)
            writer.add(TILE, body, 1)
        writer.finish(Totals(1, 3085, 3072, 0))
        writer.commit()
    codecs_for = serving(codecs_of(*two), [])
    with ArchiveReader(tmp_path / "a") as reader, pytest.raises(ArchiveError, match="only a part"):
        verify(reader, codecs_for)
