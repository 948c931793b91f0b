"""Pictures of equal pixels in files of different bytes are coded once, and all come back."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.format.chunks import encode_tiles
from bitswap_cli.archive.format.header import TWINS
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.format.segments import MAX_TWINS, Extra, TileSegment, TileTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.twins import digest, find
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, PartialError
from bitswap_cli.images.tiles import cut
from tests.archive.support import (
    ZlibCodec,
    check,
    codec_for,
    encoded,
    header_for,
    rescue,
    smooth,
    tree,
    write,
)

Size = tuple[int, int]
FORMS = ("BMP", "PNG", "PPM", "TGA")
FILES = {
    f"in/{number}.{form.lower()}": encoded(smooth(41, 50, seed=number), form)
    for number in range(2)
    for form in FORMS
}
"""Two pictures of 42 tiles."""


def small() -> ZlibCodec:
    """A codec of tiles of which 20 fit in a chunk."""
    return ZlibCodec(chunk_tiles=20, factors=(1,))


def packed(where: Path, threads: int = 1, *, exact: bool = True) -> PackReport:
    header = header_for(small()).using(["described"] if exact else [])
    return pack([where / "in"], where / f"a{threads}", small(), header, threads=threads)


def tables(archive: Path) -> list[TileTable]:
    with ArchiveReader(archive) as reader:
        every = [reader.table(chunk) for chunk in reader.chunks]
    return [table for table in every if isinstance(table, TileTable)]


def twins(archive: Path) -> dict[str, str]:
    """Which entries are twins of which."""
    with ArchiveReader(archive) as reader:
        every = {entry.name.decode(): entry.twin for entry in reader.entries()}
    return {name: twin.decode() for name, twin in every.items() if twin}


def restored(where: Path, select: list[str] | None = None) -> dict[str, bytes]:
    out = where / "out"
    with ArchiveReader(where / "a1") as reader:
        unpack(reader, codec_for(small()), out, select=select)
    return {os.fsdecode(name): data for name, (_, data, _) in tree(out).items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        write(tmp_path / name, data)
    return tmp_path


@settings(deadline=None, max_examples=20)
@given(
    st.sets(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from([(17, 20), (20, 17), (41, 50)]),
            st.integers(0, 1),
            st.sampled_from(FORMS),
        ),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_they_come_back_and_are_coded_once(
    tmp_path_factory: pytest.TempPathFactory,
    found: set[tuple[int, Size, int, str]],
    exact: bool,
) -> None:
    """In folders, so that their order is any; large ones, which go on in other chunks."""
    where = tmp_path_factory.mktemp("twins")
    pixels, files = {}, {}
    for at, size, seed, form in found:
        name = f"in/{at}/{size}-{seed}.{form}"
        pixels[name], files[name] = (size, seed), encoded(smooth(*size, seed=seed), form)
        write(where / name, files[name])
    packed(where, exact=exact)
    check(where / "a1", small())
    back = restored(where)
    assert back.keys() == files.keys()
    for name, data in back.items():
        assert data == files[name] or (not exact and name.endswith("PNG")), name
    coded = [s.name.decode() for t in tables(where / "a1") for s in t.coded if s.begins]
    assert len({pixels[name] for name in coded}) == len(coded)
    packed(where, 3, exact=exact)
    assert (where / "a1").read_bytes() == (where / "a3").read_bytes()


def test_tables_tell_them_and_chunks_share_their_tiles(folder: Path) -> None:
    report = packed(folder)
    assert report.samples == len(FILES) * 41 * 50 * 3 and report.tile_entries == len(FILES)
    told = twins(folder / "a1")
    assert told == {f"in/{n}.{form}": f"in/{n}.bmp" for n in "01" for form in ("png", "ppm", "tga")}
    rows = [[(s.name[-3:], s.twin) for s in table.segments] for table in tables(folder / "a1")]
    assert rows == 6 * [[(b"bmp", 0), (b"png", 1), (b"ppm", 2), (b"tga", 3)]]
    with ArchiveReader(folder / "a1") as reader:
        assert TWINS in reader.header.features
        assert reader.totals and reader.totals.samples == report.samples
    for name in FILES:
        if name.startswith("in/1") or name.endswith("tga"):
            os.remove(folder / name)
    os.remove(folder / "a1")
    alone = packed(folder)
    assert alone.net_bits == pytest.approx(report.net_bits / 2, rel=0.2)


def test_what_has_one_digest_is_equal() -> None:
    pixels = smooth(4, 6)
    like = digest(pixels)
    assert digest(np.asfortranarray(pixels)) == like
    others = [pixels + 1, pixels.reshape(6, 4, 3), pixels.astype(np.int16)]
    assert len({like, *map(digest, others)}) == 4


def test_by_whatever_a_file_can_be_seen_as() -> None:
    told = [(b"a", [b"1", b"2"]), (b"b", []), (b"c", [b"3"]), (b"d", [b"2", b"3"]), (b"e", [b"3"])]
    assert find(told) == {b"d": b"a", b"e": b"c"}


@pytest.mark.parametrize("select", [["in/1.tga"], ["in/0.png", "in/1.bmp"], ["in"]])
def test_some_are_had_without_the_others(folder: Path, select: list[str]) -> None:
    packed(folder)
    wanted = {name for name in FILES if name in select or select == ["in"]}
    assert restored(folder, select) == {name: FILES[name] for name in wanted}


@pytest.mark.parametrize("chunk", range(3))
def test_damage_takes_twins_and_nothing_else(folder: Path, chunk: int) -> None:
    packed(folder)
    with ArchiveReader(folder / "a1") as reader:
        place = reader.chunks[chunk].offset + reader.chunks[chunk].length
    data = bytearray((folder / "a1").read_bytes())
    data[place] ^= 1
    (folder / "a1").write_bytes(data)
    with pytest.raises(PartialError) as error:
        rescue(folder / "a1", small(), folder / "out")
    assert all(f"in/0.{form}" in str(error.value) for form in ("bmp", "png", "ppm", "tga"))
    kept = {name: data for name, data in FILES.items() if name.startswith("in/1")}
    assert {os.fsdecode(name): one[1] for name, one in tree(folder / "out").items()} == kept


def test_one_of_many_is_coded_again(tmp_path: Path) -> None:
    """Behind `MAX_TWINS` twins; those that follow are its own."""
    pixels = encoded(smooth(17, 20), "PPM")
    for number in range(MAX_TWINS + 4):
        data = pixels.replace(b"P6", b"P6 #%02d\n" % number)
        write(tmp_path / "in" / f"{number:02}", data)
    packed(tmp_path)
    coded = [s.name for table in tables(tmp_path / "a1") for s in table.coded]
    assert coded == [b"in/00", b"in/%d" % (MAX_TWINS + 1)]
    check(tmp_path / "a1", small())
    assert restored(tmp_path).keys() == {f"in/{number:02}" for number in range(MAX_TWINS + 4)}


def test_no_other_kind_of_samples_is_a_twin(tmp_path: Path) -> None:
    """Gray and colour, other shapes of as many samples."""
    gray = smooth(20, 30, 1)
    write(tmp_path / "in" / "a.pgm", encoded(gray, "PPM"))
    write(tmp_path / "in" / "b.bmp", encoded(gray.repeat(3, axis=2), "BMP"))
    write(tmp_path / "in" / "c.bmp", encoded(gray.reshape(30, 20, 1), "BMP"))
    packed(tmp_path)
    assert twins(tmp_path / "a1") == {}
    with ArchiveReader(tmp_path / "a1") as reader:
        assert TWINS not in reader.header.features


PPM = encoded(smooth(16, 16), "PPM")


def written(where: Path, features: list[str], chunks: list[list[TileSegment]]) -> Path:
    """An archive of chunks that hold what these tables tell, all of it of one picture."""
    codec = small()
    with ArchiveWriter(where / "a1", header_for(codec).using(features)) as writer:
        for segments in chunks:
            begun = [Extra(0, PPM[: -16 * 16 * 3], b"") for one in segments if one.begins]
            first, count = segments[0].first, segments[0].tiles
            tiles, sizes = cut(smooth(16, 16), 8, 8, 3, first, count)
            body, _ = encode_tiles(codec, segments, tiles, sizes, begun)
            writer.add(TILE, body, len(segments))
        writer.finish(Totals(2, 2 * len(PPM), 2 * 768, 0))
        writer.commit()
    return where / "a1"


A = TileSegment(b"a", "pnm", 16, 16, 3, 0, 4, len(PPM), crc=zlib.crc32(PPM))
B = A._replace(name=b"b", twin=1)


def parts(segment: TileSegment) -> list[TileSegment]:
    """It in two chunks."""
    return [segment._replace(tiles=3), segment._replace(first=3, tiles=1)]


@pytest.mark.parametrize(
    ("features", "chunks", "why"),
    [
        ([], [[A, B]], "does not announce"),
        ([TWINS], [[A, B._replace(twin=2)]], "not before it"),
        ([TWINS], [[A, B._replace(width=8, height=32)]], "not before it"),
        ([TWINS], [[A, B._replace(crc=1)]], "b does not come back"),
        ([TWINS], [[A, B._replace(name=b"a")]], "twice"),
        ([TWINS], [[parts(A)[0]], [parts(A)[1], parts(B)[1]]], "only a part"),
        ([TWINS], [[parts(A)[0], parts(B)[0]], [parts(A)[1]]], "only a part"),
        ([TWINS], [[parts(A)[0], parts(B)[0]]], "only a part"),
    ],
)
def test_what_a_reader_refuses(
    tmp_path: Path, features: list[str], chunks: list[list[TileSegment]], why: str
) -> None:
    path = written(tmp_path, features, chunks)
    with pytest.raises(ArchiveError, match=why):
        check(path, small())
    with pytest.raises(PartialError):
        rescue(path, small(), tmp_path / "out")
    kept = {name: one[1] for name, one in tree(tmp_path / "out").items()}
    assert kept in ({}, {b"a": PPM})
    assert (kept != {}) == ("come back" in why or "twice" in why)


def test_what_a_reader_takes(tmp_path: Path) -> None:
    chunks = [list(own) for own in zip(parts(A), parts(B), strict=True)]
    path = written(tmp_path, [TWINS], chunks)
    check(path, small())
    assert restored(tmp_path) == {"a": PPM, "b": PPM}
