"""Copies and hard links come back, all or some of them; hostile ones do no harm."""

import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bitswap_cli
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import COPIES, Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, SECTION
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.reading import equal, restore
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, PartialError
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    bad_png,
    check,
    codec_for,
    header_for,
    rescue,
    tree,
    write,
)

TIME = 1_700_000_000_000_000_000
LARGE = os.urandom(3000) * 900


@pytest.fixture
def archive(tmp_path: Path, codec: ZlibCodec) -> Path:
    """Copies and hard links of a picture, a file, and one that is large."""
    files = {"picture": bad_png(40, 50), "file": b"content" * 9, "large": LARGE}
    for kind, data in files.items():
        write(tmp_path / "in" / f"{kind}.0", data, TIME)
        for number in ("1", "2"):
            write(tmp_path / "in" / f"copies of {kind}" / number, data, TIME + int(number))
        for number, first in (("9", f"{kind}.0"), ("8", f"copies of {kind}/1")):
            os.link(tmp_path / "in" / first, tmp_path / "in" / f"{kind}.{number}")
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    return tmp_path / "a"


def _restored(archive: Path, out: Path, codec: ZlibCodec, select: list[str] | None) -> int:
    with ArchiveReader(archive) as reader:
        return unpack(reader, codec_for(codec), out, select=select).entries


def _inodes(folder: Path) -> list[set[str]]:
    """The names of each file that has several."""
    found: dict[int, set[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found.setdefault(path.stat().st_ino, set()).add(path.name)
    return sorted((names for names in found.values() if len(names) > 1), key=sorted)


def test_everything_comes_back(tmp_path: Path, archive: Path, codec: ZlibCodec) -> None:
    assert check(archive, codec).entries == 15
    assert _restored(archive, tmp_path / "out", codec, None) == 15
    before, after = tree(tmp_path / "in"), tree(tmp_path / "out" / "in")
    assert_same(before, after)
    assert len(_inodes(tmp_path / "in")) == 6
    assert _inodes(tmp_path / "out") == _inodes(tmp_path / "in")


@pytest.mark.parametrize("kind", ["picture", "file", "large"])
@pytest.mark.parametrize(
    "names",
    [
        ["copies of {}/2"],
        ["copies of {}"],
        ["{}.8"],
        ["{}.9"],
        ["{}.8", "{}.9"],
        ["{}.0", "{}.8", "{}.9"],
        ["copies of {}/2", "{}.8"],
    ],
)
def test_some_of_them(
    tmp_path: Path, archive: Path, codec: ZlibCodec, kind: str, names: list[str]
) -> None:
    select = [f"in/{name.format(kind)}" for name in names]
    count = _restored(archive, tmp_path / "out", codec, select)
    before, after = tree(tmp_path / "in"), tree(tmp_path / "out" / "in")
    assert len(after) == count
    assert_same({name: before[name] for name in after}, after)
    inside = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    linked = [names & inside for names in _inodes(tmp_path / "in") if len(names & inside) > 1]
    assert sorted(linked, key=sorted) == _inodes(tmp_path / "out")


def test_as_a_mapping(tmp_path: Path, archive: Path, codec: ZlibCodec) -> None:
    with bitswap_cli.open(archive) as found:
        for name in found:
            info = found.info(name)
            path = tmp_path / name
            if "picture" not in name:
                assert found[name] == path.read_bytes()
                assert info.crc == zlib.crc32(path.read_bytes())
                assert info.mtime == found.mtime(name) == path.stat().st_mtime_ns
            else:
                assert (info.exact, info.shape) == (False, (40, 50, 3))
        assert found.info("in/picture.8").original == "in/copies of picture/1"
        assert found.info("in/file.0").original == "in/copies of file/1"
        kinds = [found.info(name).kind for name in found]
    assert (kinds.count("copy"), kinds.count("hard link")) == (6, 6)


def test_where_there_are_no_hard_links(
    tmp_path: Path, archive: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(restore, "_TOGETHER", 2)
    _restored(archive, tmp_path / "out", codec, None)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))
    assert _inodes(tmp_path / "out") == []
    assert not list((tmp_path / "out").rglob(".bitswap-*"))


def test_what_equals_something_lost_is_lost(
    tmp_path: Path, archive: Path, codec: ZlibCodec
) -> None:
    data = bytearray(archive.read_bytes())
    with ArchiveReader(archive) as reader:
        chunk = next(chunk for chunk in reader.chunks if chunk.tag == b"TILE")
    data[chunk.offset + SECTION.size + chunk.length - 3] ^= 1
    archive.write_bytes(data)
    with pytest.raises(PartialError) as error:
        rescue(archive, codec, tmp_path / "out")
    for name in ("copies of picture/1", "copies of picture/2", "picture.0", "picture.8"):
        assert f"in/{name} " in str(error.value) or f"in/{name};" in str(error.value)
    after = tree(tmp_path / "out" / "in")
    before = {name: row for name, row in tree(tmp_path / "in").items() if b"pict" not in name}
    assert after.pop(b"copies of picture")[0] == "dir", "the folder itself is not lost"
    assert_same(before, after)


def test_a_file_that_changes_before_it_is_copied(
    tmp_path: Path, archive: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = equal.parts_of

    def spoil(path: bytes, told: equal.Told) -> object:
        with open(path, "r+b") as file:
            file.write(b"!")
        return read(path, told)

    monkeypatch.setattr(restore, "parts_of", spoil)
    monkeypatch.setattr(equal, "parts_of", spoil)
    with pytest.raises(PartialError, match="changed since it was restored"):
        rescue(archive, codec, tmp_path / "out")
    assert not list((tmp_path / "out").rglob(".bitswap-*"))


@settings(max_examples=40, deadline=None)
@given(
    files=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=9),
    data=st.data(),
)
def test_any_selection(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Files of a few contents and inodes: what is asked for comes back, linked as it was."""
    top = tmp_path_factory.mktemp("any")
    first: dict[tuple[int, int], Path] = {}
    for number, one in enumerate(files):
        path = top / "in" / str(number)
        if one in first:
            os.link(first[one], path)
        else:
            first[one] = path
            write(path, b"content" * one[0] + b".", TIME + number)
    pack([top / "in"], top / "a", None, Header.without_model())
    names = [f"in/{number}" for number in range(len(files))]
    asked = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    with ArchiveReader(top / "a") as reader:
        assert unpack(reader, codec_for(None), top / "out", select=asked).entries == len(asked)
    before, after = tree(top / "in"), tree(top / "out" / "in")
    assert {f"in/{os.fsdecode(name)}" for name in after} == set(asked)
    assert_same({name: before[name] for name in after}, after)
    inside = {name[3:] for name in asked}
    linked = [names & inside for names in _inodes(top / "in") if len(names & inside) > 1]
    assert sorted(linked, key=sorted) == _inodes(top / "out")


Row = tuple[bytes, str, bytes]


def hostile(path: Path, rows: list[Row], *, features: tuple[str, ...] = (COPIES,)) -> Path:
    """Write an archive of rows (name, kind, content or original) that no writer would make."""
    segments, data = [], b""
    for name, kind, value in rows:
        if kind in ("copy", "hard link"):
            segments.append(ByteSegment(name, kind, 0, 0, 0, 5, 0, original=value))
        else:
            size = len(value)
            segments.append(ByteSegment(name, kind, size, 0, size, 5, zlib.crc32(value)))
            data += value
    with ArchiveWriter(path, Header.without_model().using(features)) as writer:
        writer.add(BYTE, encode_bytes(segments, data), len(rows))
        writer.finish(Totals(len(rows), len(data), 0, 0))
        writer.commit()
    return path


@pytest.mark.parametrize(
    "rows",
    [
        [(b"c", "copy", b"c")],
        [(b"c", "hard link", b"c")],
        [(b"c", "copy", b"missing")],
        [(b"c", "copy", b"x"), (b"x", "file", b"1")],
        [(b"c", "hard link", b"x"), (b"x", "file", b"1")],
        [(b"c", "copy", b"d"), (b"d", "copy", b"c")],
        [(b"c", "hard link", b"d"), (b"d", "hard link", b"c")],
        [(b"x", "file", b"1"), (b"d", "copy", b"x"), (b"c", "copy", b"d")],
        [(b"x", "file", b"1"), (b"d", "hard link", b"x"), (b"c", "copy", b"d")],
        [(b"x", "file", b"1"), (b"d", "hard link", b"x"), (b"c", "hard link", b"d")],
        [(b"d", "dir", b""), (b"c", "copy", b"d")],
        [(b"d", "link", b"/etc/passwd"), (b"c", "copy", b"d")],
        [(b"d", "link", b"/etc/passwd"), (b"c", "hard link", b"d")],
        [(b"c", "copy", b"../secret")],
        [(b"c", "hard link", b"/etc/passwd")],
    ],
)
def test_what_equals_no_file_before_it_is_refused(tmp_path: Path, rows: list[Row]) -> None:
    path = hostile(tmp_path / "a", rows)
    write(tmp_path / "secret", b"secret")
    with pytest.raises(ArchiveError, match="c equals|d equals"):
        check(path, None)
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="c equals|d equals"):
        verify(reader, codec_for(None))
    for name, select in (("all", None), ("one", ["c"])):
        with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="equals"):
            unpack(reader, codec_for(None), tmp_path / name, select=select)
        assert not os.path.lexists(tmp_path / name / "c")
    with pytest.raises(PartialError, match="c equals"):
        rescue(path, None, tmp_path / "out")
    assert not os.path.lexists(tmp_path / "out" / "c")
    later = [name for name, kind, _ in rows if kind == "file"] and rows[0][0] == b"c"
    with bitswap_cli.open(path) as found:
        if not later:  # a mapping has no order
            with pytest.raises(ArchiveError, match="equals"):
                found["c"]
            with pytest.raises(ArchiveError, match="equals"):
                found.info("c")


@pytest.mark.parametrize("rows", [[(b"d", "dir", b"")], [(b"d", "link", b"target")]])
def test_nothing_is_restored_that_was_not_asked_for(tmp_path: Path, rows: list[Row]) -> None:
    path = hostile(tmp_path / "a", [*rows, (b"c", "copy", b"d")])
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="c equals"):
        unpack(reader, codec_for(None), tmp_path / "out", select=["c"])
    assert not os.path.lexists(tmp_path / "out" / "d")


@pytest.mark.parametrize("kind", ["copy", "hard link"])
def test_unsafe_names(tmp_path: Path, kind: str) -> None:
    path = hostile(tmp_path / "a", [(b"x", "file", b"1"), (b"../c", kind, b"x")])
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="unsafe"):
        unpack(reader, codec_for(None), tmp_path / "out")
    through = hostile(
        tmp_path / "b", [(b"x", "file", b"1"), (b"d", "link", b"."), (b"d/c", kind, b"x")]
    )
    with ArchiveReader(through) as reader, pytest.raises(ArchiveError, match="no folder"):
        unpack(reader, codec_for(None), tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "y").symlink_to(tmp_path / "a")
    linked = hostile(tmp_path / "e", [(b"x", "file", b"1"), (b"y", kind, b"x")])
    with ArchiveReader(linked) as reader:
        unpack(reader, codec_for(None), tmp_path / "out", force=True)
    assert (tmp_path / "out" / "y").read_bytes() == b"1" != (tmp_path / "a").read_bytes()


def test_what_no_feature_allows(tmp_path: Path) -> None:
    rows: list[Row] = [(b"x", "file", b"1"), (b"c", "copy", b"x")]
    with pytest.raises(ArchiveError, match="does not announce"):
        check(hostile(tmp_path / "a", rows, features=()), None)


@pytest.mark.parametrize("field", ["size", "crc", "original"])
def test_malformed_rows(tmp_path: Path, field: str) -> None:
    good = ByteSegment(b"c", "copy", 0, 0, 0, 5, 0, original=b"x")
    bad = {"size": good._replace(size=1), "crc": good._replace(crc=1)}
    segment = bad.get(field, good._replace(original=b""))
    with ArchiveWriter(tmp_path / "a", Header.without_model().using([COPIES])) as writer:
        writer.add(BYTE, encode_bytes([segment], b""), 1)
        writer.finish(Totals(1, 0, 0, 0))
        writer.commit()
    with pytest.raises(ArchiveError, match="malformed"):
        check(tmp_path / "a", None)


def test_many_copies_take_little(tmp_path: Path) -> None:
    rows: list[Row] = [(b"x", "file", b"1" * 1000)]
    rows += [(b"%d" % number, "copy", b"x") for number in range(20_000)]
    path = hostile(tmp_path / "a", rows)
    assert path.stat().st_size < 100_000
    assert check(path, None).bytes == 1000 * len(rows)
