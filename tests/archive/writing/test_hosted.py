"""Files with deflate streams come back: all of them, one of them; and what a hostile one is."""

import base64
import gzip
import io
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.api.archive import Archive
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format import header
from bitswap_cli.archive.format.header import EMBEDDED, LARGE, NESTED, STREAMS
from bitswap_cli.archive.format.names import host_of
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.format.values.pieces import pack_pieces
from bitswap_cli.archive.format.values.streams import Folded, pack_streams
from bitswap_cli.archive.reading.entries import EntryInfo
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.pack import pack, pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, BitswapError, PartialError
from bitswap_cli.images import deflate
from bitswap_cli.images.inside import scanning
from tests.archive.reading.test_members import EXACT, hostile, packed, row
from tests.archive.support import (
    ZlibCodec,
    bad_png,
    check,
    codec_for,
    encoded,
    rescue,
    smooth,
    tree,
    write,
)

TEXTS = tuple(
    b"".join(b"%d is a number, %d is another\n" % (k, k * k % q) for k in range(400))
    for q in (101, 1009, 9973)
)
PNG = bad_png(40, 40)


OTHER = bad_png(41, 40, seed=1)
JPEG = encoded(smooth(60, 60), "JPEG")  # which no coder takes here
BMP = encoded(smooth(50, 60), "BMP")
# what streams may inflate to
INSIDE = (PNG, BMP, JPEG, b"head" + PNG + TEXTS[0] + OTHER, TEXTS[1] + JPEG, OTHER + JPEG + OTHER)


def zipped(texts: Sequence[bytes], level: int = 6, *, picture: bool = False) -> bytes:
    """Return a ZIP file of deflated texts, and a picture as it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as pack:
        for number, text in enumerate(texts):
            pack.writestr(zipfile.ZipInfo(f"{number}.txt"), text, zipfile.ZIP_DEFLATED)
        if picture:
            pack.writestr(zipfile.ZipInfo("picture.png"), PNG, zipfile.ZIP_STORED)
    return out.getvalue()


def archived(folder: Path) -> dict[str, int]:
    """Pack a folder, and see whether it comes back; return its kinds."""
    kinds = packed(folder / "in", folder / "a")
    check(folder / "a", ZlibCodec())
    with ArchiveReader(folder / "a") as reader:
        assert ("unfolded" in kinds) <= (STREAMS in reader.header.features)
        unpack(reader, codec_for(ZlibCodec()), folder / "out", threads=2, force=True)
    assert tree(folder / "in") == tree(folder / "out" / "in")
    return kinds


def each_comes_back(folder: Path) -> dict[str, EntryInfo]:
    """See whether each file of what was archived can be had alone, written and read; return what
    is told of them."""
    before = tree(folder / "in")
    with ArchiveReader(folder / "a") as reader:
        for name, told in before.items():
            out = folder / "alone" / os.fsdecode(name)
            unpack(reader, codec_for(ZlibCodec()), out, select=[os.fsdecode(b"in/" + name)])
            assert tree(out / "in") == {name: told}
    with Archive(folder / "a") as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "_loaded", lambda need: codec_for(ZlibCodec())(EXACT, set()))
        assert dict(archive) == {f"in/{os.fsdecode(k)}": data for k, (_, data, _) in before.items()}
        return {name: archive.info(name) for name in archive}


PARTS = st.one_of(
    st.binary(max_size=9),
    st.builds(zlib.compress, st.sampled_from(TEXTS), st.integers(0, 9)),
    st.builds(
        lambda text, level: gzip.compress(text, level, mtime=0),
        st.sampled_from(TEXTS), st.integers(1, 9),
    ),
    st.builds(
        lambda texts, level, picture: zipped(texts, level, picture=picture),
        st.lists(st.sampled_from(TEXTS), max_size=2), st.integers(1, 9), st.booleans(),
    ),
    st.sampled_from([PNG, zlib.compress(TEXTS[0])[:-9]]),
    st.builds(zlib.compress, st.sampled_from(INSIDE), st.sampled_from([0, 1, 6, 9])),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(PARTS, max_size=4), max_size=4))
def test_all_come_back(tmp_path_factory: pytest.TempPathFactory, files: list[list[bytes]]) -> None:
    folder = tmp_path_factory.mktemp("hosted")
    write(folder / "in" / "note", b"kept as it is")
    for number, parts in enumerate(files):
        write(folder / "in" / f"{number}.bin", b"".join(parts), 1000 + number)
    archived(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ZIP, a copy of it, and a gzip file of what lies in it; a text; one that is packed twice."""
    write(tmp_path / "in" / "a.zip", zipped(TEXTS, picture=True), 5)
    write(tmp_path / "in" / "b.gz", gzip.compress(TEXTS[1], mtime=0), 6)
    write(tmp_path / "in" / "c.zip", zipped(TEXTS, picture=True), 7)
    write(tmp_path / "in" / "d.gz.gz", gzip.compress(gzip.compress(TEXTS[2], mtime=0), mtime=0), 8)
    write(tmp_path / "in" / "text", TEXTS[0], 9)
    return tmp_path


def test_what_becomes_of_which_files(folder: Path) -> None:
    """Equal texts in them are kept once: in less than half the room that they take deflated."""
    assert archived(folder) == {"unfolded": 3, "copy": 1, "file": 1}
    with ArchiveReader(folder / "a") as reader:
        assert reader.header.features >= {EMBEDDED, STREAMS, NESTED}
    size = os.stat(folder / "a").st_size
    for path in (folder / "in").iterdir():
        write(folder / "plain" / "in" / path.name, path.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitswap_cli.archive.sources.inside.streams._PAYS", 0)
        assert packed(folder / "plain" / "in", folder / "b") == {"host": 1, "copy": 1, "file": 3}
    assert size < 0.7 * os.stat(folder / "b").st_size


def test_pictures_in_streams_are_coded(tmp_path: Path) -> None:
    """Once, wherever else they lie; a stream of which no picture is coded stays as it is."""
    write(tmp_path / "in" / "a", b"<".join(zlib.compress(one) for one in INSIDE), 5)
    write(tmp_path / "in" / "b", zlib.compress(PNG) + zlib.compress(OTHER) + b"rest", 6)
    noise = np.random.default_rng(1).integers(0, 256, (90, 90, 3), np.uint8)
    write(tmp_path / "in" / "c", zlib.compress(encoded(noise, "JPEG", quality=95)), 7)
    write(tmp_path / "in" / "d.png", OTHER, 8)
    assert archived(tmp_path) == {"unfolded": 2, "file": 1, "png-exact": 1}
    with ArchiveReader(tmp_path / "a") as reader:
        segments = [one for chunk in reader.chunks for one in reader.table(chunk).segments]
    inside = {one.name: one.kind for one in segments if host_of(one.name) is not None}
    assert Counter(inside.values()) == {"png-exact": 1, "bmp": 1, "copy": 6}


def test_a_picture_that_is_had_by_strips(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is coded so, and held where the file that it lies in is made again."""
    monkeypatch.setattr("bitswap_cli.images.strips.MAX_PIXELS", 999)
    write(folder / "in" / "large.gz", gzip.compress(BMP, mtime=0))
    assert archived(folder)["unfolded"] == 4
    with ArchiveReader(folder / "a") as reader:
        assert LARGE in reader.header.features
        segments = [one for chunk in reader.chunks for one in reader.table(chunk).segments]
    assert sum(one.name == b"in/large.gz//000000" for one in segments) > 1
    write(folder / "in" / "large.bmp", BMP)
    assert archived(folder)["bmp"] == 1


def test_each_can_be_had_alone(folder: Path) -> None:
    write(folder / "in" / "pictures", b"<".join(zlib.compress(one) for one in INSIDE), 10)
    archived(folder)
    assert each_comes_back(folder)["in/a.zip"].kind == "unfolded"


def test_equal_folders_give_equal_archives(folder: Path) -> None:
    for threads in (1, 3):
        pack([folder / "in"], folder / str(threads), ZlibCodec(), EXACT, threads=threads)
    assert (folder / "1").read_bytes() == (folder / "3").read_bytes()


def test_one_that_changes_is_skipped(folder: Path) -> None:
    """Before it is described, or afterwards, though it has the size and time that it had."""
    for name, change in (("a.zip", lambda data: data[:60] + b"x" + data[61:]), ("b.gz", bytes)):
        catalogue = Catalogue([folder / "in"])
        path = folder / "in" / name
        whole, mtime = path.read_bytes(), os.stat(path).st_mtime_ns
        write(path, change(whole), mtime if name == "a.zip" else mtime + 1)
        header = EXACT.using(catalogue.features())
        with ArchiveWriter(folder / "a", header, catalogue.sources, force=True) as writer:
            report = pack_into(writer, catalogue, Codecs({0: ZlibCodec()}))
            writer.commit()
        assert [os.path.basename(own) for own in report.skipped] == [name]
        check(folder / "a", ZlibCodec())
        write(path, whole, mtime)


def test_without_room_they_stay_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_BLOCK", "MAX_CHUNK_BYTES"):
        monkeypatch.setattr(f"bitswap_cli.archive.writing.blocks.{name}", 5000)
    # but for one with what is a file in parts itself then
    assert archived(folder) == {"copy": 1, "file": 3, "unfolded": 1}


RAW = zlib.compress(TEXTS[0])[2:-4]
TOLD = deflate.describe(b"\x78\x9c" + RAW, len(TEXTS[0]))
DESCRIPTION = TOLD.description if TOLD else b""
FILE = b"<" + RAW + b">"
RIGHT = Folded(1, len(TEXTS[0]), scanning.RAW, DESCRIPTION)
PIECES = pack_pieces([], [], b"<" + TEXTS[0] + b">")


def unfolded(
    told: Sequence[Folded],
    pieces: bytes = PIECES,
    size: int = len(FILE),
    crc: int = zlib.crc32(FILE),
) -> list[tuple[ByteSegment, bytes]]:
    """Return the row of a file, and what is stored for it."""
    segment, stored = row(b"a", "unfolded", size, pack_streams(told) + pieces)
    return [(segment._replace(crc=crc), stored)]


def test_base64_by_hand(tmp_path: Path) -> None:
    """Under its feature and kind only, and with the column that it has there."""
    text = base64.b64encode(TEXTS[0])
    file = b"<" + text + b">"
    told = [Folded(1, len(TEXTS[0]), scanning.BASE64, b"\0\0"), RIGHT._replace(gap=2)]
    pieces = pack_pieces([], [], b"<" + TEXTS[0] + b"><" + TEXTS[0])
    data = file + b"<" + RAW
    for kind, features, message in (
        ("unfolded-text", [header.TEXTS, STREAMS], ""),
        ("unfolded-text", [STREAMS], "does not announce it"),
        ("unfolded-large", [header.TEXTS, header.PIECES], "malformed"),
        ("unfolded", [header.TEXTS, STREAMS], "malformed"),
    ):
        segment, stored = row(b"a", kind, len(data), pack_streams(told) + pieces)
        hostile(tmp_path / "a", [(segment._replace(crc=zlib.crc32(data)), stored)], features)
        if not message:
            with Archive(tmp_path / "a") as archive:
                assert dict(archive) == {"a": data}
            continue
        with pytest.raises(ArchiveError, match=message), Archive(tmp_path / "a") as archive:
            dict(archive)


def test_an_archive_by_hand(tmp_path: Path) -> None:
    """What the next test has, but right."""
    hostile(tmp_path / "a", unfolded([RIGHT]), [STREAMS])
    check(tmp_path / "a", None)
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert tree(tmp_path / "out") == {b"a": ("file", FILE, 0)}
    with Archive(tmp_path / "a") as archive:
        assert dict(archive) == {"a": FILE}


@pytest.mark.parametrize(
    ("why", "rows"),
    [
        ("list of deflate streams", [row(b"a", "unfolded", 9, b"\xff" * 50)]),
        ("list of deflate streams", [row(b"a", "unfolded", 9, PIECES)]),
        ("pieces", unfolded([RIGHT], b"\1")),
        ("pieces", unfolded([RIGHT], pack_pieces([0], [9], b"-"))),
        ("lacks picture 1", unfolded([RIGHT], pack_pieces([0], [1], b"-"))),
        ("behind its file", unfolded([RIGHT._replace(length=1 << 20)])),
        ("behind its file", unfolded([RIGHT, RIGHT])),
        ("compressed data is damaged", unfolded([RIGHT._replace(description=b"")])),
        ("compressed data is damaged", unfolded([RIGHT._replace(description=b"\xff" * 9)])),
        ("come back as it was", unfolded([RIGHT._replace(packing=scanning.OWN)])),
        ("come back as it was", unfolded([RIGHT._replace(gap=0)])),
        ("come back as it was", unfolded([RIGHT], crc=1)),
        ("come back as it was", unfolded([RIGHT], size=1)),
        ("come back as it was", unfolded([RIGHT], size=1 << 40)),
        ("nested", [(unfolded([RIGHT])[0][0]._replace(name=b"a//000000"), PIECES)]),
    ],
)  # fmt: skip
def test_files_that_no_writer_makes_are_refused(
    tmp_path: Path, why: str, rows: list[tuple[ByteSegment, bytes]]
) -> None:
    rows = [(own._replace(length=len(stored)), stored) for own, stored in rows]
    hostile(tmp_path / "a", rows, [STREAMS])
    with pytest.raises(BitswapError, match=why), ArchiveReader(tmp_path / "a") as reader:
        verify(reader, codec_for(None))
    with pytest.raises(BitswapError, match=why), ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert not (tmp_path / "out").exists() or not os.listdir(tmp_path / "out")
    with suppress(PartialError):
        rescue(tmp_path / "a", None, tmp_path / "rescued")
    assert not tree(tmp_path / "rescued")
    with pytest.raises(ArchiveError), Archive(tmp_path / "a") as archive:
        dict(archive) or archive["a"]


def test_the_feature_has_to_be_announced(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitswap_cli.archive.writing.writer.needed", lambda _: frozenset())
        hostile(tmp_path / "a", unfolded([RIGHT]), [])
    with pytest.raises(ArchiveError, match="tells streams though|unfolded"):
        check(tmp_path / "a", None)
