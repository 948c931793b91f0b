"""Files with pictures inside come back: all of them, one of them, copies; and what damage costs."""

import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.api.archive import Archive
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import COPIES, EMBEDDED, Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, TILE
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.format.values.pieces import pack_pieces
from bitswap_cli.archive.reading.members import Members
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.blocks import Keeping
from bitswap_cli.archive.writing.pack import pack, pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.atomic import Scratch
from bitswap_cli.errors import ArchiveError, BitswapError, InputError, PartialError
from tests.archive.support import (
    ZlibCodec,
    bad_png,
    check,
    codec_for,
    encoded,
    header_for,
    rescue,
    smooth,
    tree,
    write,
)

PNGS = tuple(bad_png(40 + k, 40, seed=k) for k in range(3))
JPEG = encoded(smooth(60, 60), "JPEG")  # which no coder takes here
EXACT = header_for(ZlibCodec()).using(["described"])


def packed(folder: Path, path: Path, header: Header = EXACT) -> dict[str, int]:
    """Pack what is in a folder; return its kinds."""
    return dict(pack([folder], path, ZlibCodec(), header, force=True).kinds)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.binary(max_size=9), st.sampled_from([*PNGS, JPEG])), max_size=5),
        max_size=5,
    )
)
def test_all_come_back(tmp_path_factory: pytest.TempPathFactory, files: list[list[bytes]]) -> None:
    folder = tmp_path_factory.mktemp("hosts")
    write(folder / "in" / "note", b"kept as it is")
    for number, parts in enumerate(files):
        write(folder / "in" / f"{number}.bin", b"".join(parts), 1000 + number)
    for pixels in (False, True):
        header = header_for(ZlibCodec()) if pixels else EXACT
        packed(folder / "in", folder / "a", header)
        check(folder / "a", ZlibCodec())
        with ArchiveReader(folder / "a") as reader:
            hosted = EMBEDDED in reader.header.features
            assert hosted == bool(Catalogue([folder / "in"]).hosts)
            out = folder / f"out{pixels}"
            unpack(reader, codec_for(ZlibCodec()), out, threads=2)
        before, after = tree(folder / "in"), tree(out / "in")
        for name in before:
            if not before[name][1].startswith(b"\x89PNG"):
                assert after[name] == before[name]
        assert not pixels or before.keys() == after.keys()
        assert pixels or before == after


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Hosts that share pictures, a copy of one, a link to it, and a picture that lies in one."""
    write(tmp_path / "in" / "a.tar", b"head" + PNGS[0] + b"between" + JPEG + PNGS[1] + b"end", 5)
    write(tmp_path / "in" / "b.zip", b"zip" + PNGS[0] + PNGS[2], 6)
    write(tmp_path / "in" / "c.zip", PNGS[2][8:] + PNGS[1], 7)
    write(tmp_path / "in" / "copy.tar", (tmp_path / "in" / "a.tar").read_bytes(), 8)
    os.link(tmp_path / "in" / "a.tar", tmp_path / "in" / "link.tar")
    write(tmp_path / "in" / "outside.png", PNGS[2], 9)
    write(tmp_path / "in" / "text", b"text " * 99, 10)
    return tmp_path / "in"


def test_each_can_be_had_alone(folder: Path, tmp_path: Path) -> None:
    """By what it needs, and nothing else is written."""
    kinds = packed(folder, tmp_path / "a")
    assert kinds == {"host": 3, "copy": 1, "hard link": 1, "png-exact": 1, "file": 1}
    before = tree(folder)
    with ArchiveReader(tmp_path / "a") as reader:
        for name, told in before.items():
            out = tmp_path / "out" / os.fsdecode(name)
            unpack(reader, codec_for(ZlibCodec()), out, select=[os.fsdecode(b"in/" + name)])
            assert tree(out / "in") == {name: told}
        with pytest.raises(InputError, match="holds no entry"):
            unpack(reader, codec_for(ZlibCodec()), tmp_path / "x", select=["in/a.tar//000000"])
        names = [entry.name for entry in reader.entries()]
    assert sorted(names) == sorted(b"in/" + name for name in before)


def test_the_library_has_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(folder, tmp_path / "a")
    with Archive(tmp_path / "a") as archive:
        monkeypatch.setattr(archive, "_loaded", lambda need: codec_for(ZlibCodec())(EXACT, set()))
        assert dict(archive) == {
            f"in/{os.fsdecode(name)}": data for name, (_, data, _) in tree(folder).items()
        }
        assert "in/a.tar//000000" not in archive and len(archive) == len(list(archive)) == 7
        info = archive.info("in/a.tar")
        assert (info.kind, info.exact, info.size) == (
            "host",
            True,
            os.stat(folder / "a.tar").st_size,
        )
        with pytest.raises(KeyError):
            archive["in/a.tar//000000"]


def test_right_pixels_are_enough_for_files_only(folder: Path, tmp_path: Path) -> None:
    """Hosts come back byte for byte, whatever is enough, and whenever."""
    write(folder / "other.png", bad_png(30, 30, seed=8))
    before, paths = tree(folder), (tmp_path / "a", tmp_path / "b")
    packed(folder, paths[0], header_for(ZlibCodec()))
    packed(folder, paths[1])
    for path, others in zip(paths, ({b"other.png", b"outside.png"}, {b"other.png"}), strict=True):
        with ArchiveReader(path) as reader:
            out = tmp_path / f"out-{path.name}"
            unpack(reader, codec_for(ZlibCodec()), out, pixels=path == paths[1])
        after = tree(out / "in")
        assert {name for name in before if before[name] != after[name]} == others


def test_equal_folders_give_equal_archives(folder: Path, tmp_path: Path) -> None:
    for threads in (1, 3):
        pack([folder], tmp_path / str(threads), ZlibCodec(), EXACT, threads=threads)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()


def test_if_there_is_no_room_for_the_rest_what_no_coder_took_is_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what was coded would be there twice; if even so there is none, it is."""
    other = encoded(smooth(60, 60, seed=1), "JPEG")
    write(tmp_path / "in" / "a", b"xyz" + JPEG + b"between" + PNGS[0] + other + PNGS[1] + b"end")
    enough = 4 + 2 * 8 + 13 + len(JPEG + other)
    for room, kind in ((enough, "host"), (enough - 1, "host"), (40, "file")):
        monkeypatch.setattr("bitswap_cli.archive.writing.blocks.MAX_BLOCK", room)
        monkeypatch.setattr("bitswap_cli.archive.writing.blocks.MAX_CHUNK_BYTES", room)
        assert packed(tmp_path / "in", tmp_path / "a") == {kind: 1}
        check(tmp_path / "a", ZlibCodec())
        with ArchiveReader(tmp_path / "a") as reader:
            unpack(reader, codec_for(ZlibCodec()), tmp_path / str(room))
            tables = [reader.table(chunk) for chunk in reader.chunks]
        assert tree(tmp_path / str(room) / "in") == tree(tmp_path / "in")
        names = [one.name for table in tables for one in table.segments if b"//" in one.name]
        assert len(names) == (4 if room == enough - 1 else 2)


def test_a_member_that_is_kept_apart_may_be_larger_than_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And equal ones are kept each for itself; nothing that was coded is there twice."""
    monkeypatch.setattr("bitswap_cli.archive.writing.blocks.MAX_CHUNK_BYTES", len(JPEG) + 70)
    write(tmp_path / "in" / "a", b"xyz" + JPEG + PNGS[0] + JPEG + b"between" + PNGS[1] + b"end")
    small = Keeping(len(JPEG) // 2)
    kinds = pack([tmp_path / "in"], tmp_path / "a", ZlibCodec(), EXACT, keeping=small).kinds
    assert kinds == {"host": 1}
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(ZlibCodec()), tmp_path / "out")
        rows = [row for chunk in reader.chunks for row in reader.table(chunk).segments]
    assert tree(tmp_path / "out" / "in") == tree(tmp_path / "in")
    names = [row.name for row in rows if b"//" in row.name]
    assert sorted(names) == [b"in/a//%06d" % number for number in range(4)]


def test_a_host_that_changes_is_skipped(folder: Path, tmp_path: Path) -> None:
    catalogue = Catalogue([folder])
    write(folder / "b.zip", b"zap" + PNGS[0] + PNGS[2], 1)
    header = EXACT.using(catalogue.features())
    with ArchiveWriter(tmp_path / "a", header, catalogue.sources) as writer:
        report = pack_into(writer, catalogue, Codecs({0: ZlibCodec()}))
        writer.commit()
    assert [os.path.basename(path) for path in report.skipped] == ["b.zip"]
    check(tmp_path / "a", ZlibCodec())
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(ZlibCodec()), tmp_path / "out")
    assert tree(tmp_path / "out" / "in").keys() == tree(folder).keys() - {b"b.zip"}


def test_damage_to_a_picture_costs_its_hosts(folder: Path, tmp_path: Path) -> None:
    packed(folder, tmp_path / "a")
    data = bytearray((tmp_path / "a").read_bytes())
    with ArchiveReader(tmp_path / "a") as reader:
        for chunk in reader.chunks:
            data[chunk.offset + chunk.length] ^= chunk.tag == TILE
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged"):
        check(tmp_path / "a", ZlibCodec())
    with pytest.raises(PartialError) as error:
        rescue(tmp_path / "a", ZlibCodec(), tmp_path / "out")
    for name in ("a.tar", "b.zip", "c.zip", "copy.tar", "link.tar", "outside.png"):
        assert f"in/{name}" in str(error.value)
    assert "//" not in str(error.value)
    assert tree(tmp_path / "out" / "in").keys() == {b"text"}
    assert os.listdir(tmp_path / "out" / "in") == ["text"]


def row(
    name: bytes, kind: str, size: int, stored: bytes = b"", original: bytes = b""
) -> tuple[ByteSegment, bytes]:
    """Return a row of a table, and what is stored for it."""
    crc = {"file": zlib.crc32(stored), "copy": 0}.get(kind, zlib.crc32(b"-abc"))
    return ByteSegment(name, kind, size, 0, len(stored), 0, crc, original=original), stored


def hostile(path: Path, rows: Sequence[tuple[ByteSegment, bytes]], features: Sequence[str]) -> None:
    """Write an archive of one BYTE chunk that no writer would make."""
    header = Header.without_model().using(features)
    segments = [segment for segment, _ in rows]
    with ArchiveWriter(path, header, force=True) as writer:
        writer.add(BYTE, encode_bytes(segments, b"".join(own for _, own in rows)), len(rows))
        writer.finish(Totals(1, 1, 0, 0))
        writer.commit()


MEMBER = row(b"a//000000", "file", 3, b"abc")
RIGHT, LATER = pack_pieces([0], [1], b"-"), pack_pieces([7], [1], b"-")


def test_an_archive_by_hand(tmp_path: Path) -> None:
    """What the next test has, but right."""
    hostile(tmp_path / "a", [MEMBER, row(b"a", "host", 4, RIGHT)], [EMBEDDED])
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert tree(tmp_path / "out") == {b"a": ("file", b"-abc", 0)}
    with Archive(tmp_path / "a") as archive:
        assert dict(archive) == {"a": b"-abc"}


@pytest.mark.parametrize(
    ("why", "rows"),
    [
        ("lacks picture 1", [row(b"a", "host", 4, RIGHT)]),
        ("lacks picture 1", [row(b"a", "host", 4, RIGHT), MEMBER]),
        ("lacks picture 8", [MEMBER, row(b"a", "host", 4, LATER)]),
        ("pieces", [MEMBER, row(b"a", "host", 4)]),
        ("pieces", [MEMBER, row(b"a", "host", 4, b"\xff" * 40)]),
        ("pieces", [MEMBER, row(b"a", "host", 4, pack_pieces([0], [2], b"-"))]),
        ("come back as it was", [MEMBER, row(b"a", "host", 5, RIGHT)]),
        ("come back as it was", [MEMBER, row(b"a", "host", 4, pack_pieces([0], [0], b"-"))]),
        ("tells nested", [MEMBER, row(b"a//000001", "host", 4, RIGHT)]),
        ("lacks picture 1", [row(b"a//000000", "copy", 0, b"", b"a"), row(b"a", "host", 4, RIGHT)]),
        ("lacks picture 1", [row(b"a//000000", "copy", 0, b"", b"x"), row(b"a", "host", 4, RIGHT)]),
        ("is no file before it", [MEMBER, row(b"b", "copy", 0, b"", b"a//000000")]),
        ("twice", [MEMBER, MEMBER, row(b"a", "host", 4, RIGHT)]),
    ],
)
def test_hosts_that_no_writer_makes_are_refused(
    tmp_path: Path, why: str, rows: list[tuple[ByteSegment, bytes]]
) -> None:
    """Pictures that are not there, or later; hosts in themselves; pieces that do not fit."""
    hostile(tmp_path / "a", rows, [COPIES, EMBEDDED])
    with pytest.raises(BitswapError, match=why), ArchiveReader(tmp_path / "a") as reader:
        verify(reader, codec_for(None))
    with pytest.raises(BitswapError, match=why), ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert not (tmp_path / "out").exists() or not os.listdir(tmp_path / "out")
    with suppress(PartialError):
        rescue(tmp_path / "a", None, tmp_path / "rescued")
    assert why == "twice" or not tree(tmp_path / "rescued")
    if rows[-1] != MEMBER:  # the library may take pictures from behind their host
        with pytest.raises(ArchiveError), Archive(tmp_path / "a") as archive:
            dict(archive)


def test_a_host_in_itself_is_no_way_around(tmp_path: Path) -> None:
    """A picture that is a copy of a host, which would never end."""
    rows = [
        MEMBER, row(b"a", "host", 4, RIGHT),
        row(b"b//000000", "copy", 0, b"", b"a"), row(b"b", "host", 5, RIGHT),
    ]  # fmt: skip
    hostile(tmp_path / "a", rows, [COPIES, EMBEDDED])
    with pytest.raises(ArchiveError, match="lacks picture 1"):
        check(tmp_path / "a", None)
    with Archive(tmp_path / "a") as archive:
        assert archive["a"] == b"-abc"
        with pytest.raises(ArchiveError, match="lacks picture 1"):
            archive["b"]


def test_a_picture_in_parts_is_none(tmp_path: Path) -> None:
    """What is written as it comes is not kept for hosts."""
    parts = [
        (
            ByteSegment(b"a//000000", "file", 4, k, 2, 0, zlib.crc32(b"abcd"[: k + 2])),
            b"abcd"[k : k + 2],
        )
        for k in (0, 2)
    ]
    header = Header.without_model().using([EMBEDDED])
    with ArchiveWriter(tmp_path / "a", header) as writer:
        for segment, own in parts:
            writer.add(BYTE, encode_bytes([segment], own), 1)
        writer.finish(Totals(1, 1, 0, 0))
        writer.commit()
    with pytest.raises(ArchiveError, match="tells nested|too large a picture"):
        check(tmp_path / "a", None)


def test_the_feature_has_to_be_announced(tmp_path: Path) -> None:
    for rows in ([MEMBER], [row(b"a", "host", 4, RIGHT)]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bitswap_cli.archive.writing.writer.needed", lambda _: frozenset())
            hostile(tmp_path / "a", rows, [])
        with pytest.raises(ArchiveError, match="tells embedded though"):
            check(tmp_path / "a", None)


def test_no_room_for_pictures(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.file.close()
    scratch.file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115
    members = Members(lambda: scratch)
    with pytest.raises(InputError, match="a//000000: No space left"):
        members.keep(b"a//000000", b"x" * 99)
    members.close()
