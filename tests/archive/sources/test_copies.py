"""Equal files are found by their content, and archived once."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import COPIES, Header
from bitswap_cli.archive.format.segments import ByteTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.sources import copies
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.copies import Copy, find
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.sources.walk import collect
from bitswap_cli.archive.writing import block
from bitswap_cli.archive.writing.pack import pack, pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from tests.archive.opened import opened
from tests.archive.support import ZlibCodec, bad_png, check, header_for, write

contents = st.lists(st.sampled_from([b"", b"a", b"b", b"a" * 9, b"a" * 8 + b"b", b"b" * 9]))


@settings(max_examples=30, deadline=None)
@given(contents)
def test_what_is_equal(tmp_path_factory: pytest.TempPathFactory, files: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("in")
    for number, data in enumerate(files):
        write(folder / f"{number:03}", data)
    sources, found = find(collect([folder]).sources)
    top = os.fsencode(folder.name) + b"/"
    for number, data in enumerate(files):
        first = files.index(data)
        expected = None if first == number or not data else Copy("copy", top + b"%03d" % first)
        assert found.get(top + b"%03d" % number) == expected
    originals = {copy.original for copy in found.values()}
    assert originals == {source.name for source in sources if source.crc is not None}


def test_few_files_are_read_to_the_end(tmp_path: Path) -> None:
    """Files of equal size differ early, as a rule."""
    size = 4 * copies._PART
    for name, data in (("a", b"1"), ("b", b"2"), ("other", b"22"), ("same", b"1")):
        write(tmp_path / name, data * size)
    with opened() as files:
        _, found = find(collect([tmp_path]).sources)
    assert [copy.original[-2:] for copy in found.values()] == [b"/a"]
    assert files == {"a": 2, "b": 1, "same": 2}


def test_hard_links(tmp_path: Path) -> None:
    """Those of an equal file stay links to each other."""
    for name in ("in/a", "in/c"):
        write(tmp_path / name, b"content")
        os.link(tmp_path / name, str(tmp_path / name) + "2")
    os.link(tmp_path / "in" / "a", tmp_path / "in" / "d")
    write(tmp_path / "in" / "empty", b"")
    os.link(tmp_path / "in" / "empty", tmp_path / "in" / "void")
    os.link(tmp_path / "in" / "a", tmp_path / "outside")
    _, found = find(collect([tmp_path / "in"]).sources)
    assert found == {
        b"in/a2": Copy("hard link", b"in/a"),
        b"in/c": Copy("copy", b"in/a"),
        b"in/c2": Copy("hard link", b"in/c"),
        b"in/d": Copy("hard link", b"in/a"),
        b"in/void": Copy("hard link", b"in/empty"),
    }


def test_an_original_that_changed_is_skipped_and_its_copies_stay(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / "in" / name, b"content", 7)
    catalogue = Catalogue([tmp_path / "in"])
    write(tmp_path / "in" / "a", b"CONTENT", 7)
    header = Header.without_model().using([COPIES])
    with ArchiveWriter(tmp_path / "x", header, catalogue.sources) as writer:
        report = pack_into(writer, catalogue, Codecs())
        writer.commit()
    assert list(report.skipped.values()) == ["it changed while it was read"]
    assert report.kinds == {"file": 2} and check(tmp_path / "x", None).entries == 2


def test_a_copy_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    write(tmp_path / "a", b"content")
    gone = Source(b"b", bytes(tmp_path / "b"), "file", 7, 1)
    sources, found = find([*collect([tmp_path / "a"]).sources, gone])
    assert found == {} and len(sources) == 2


def test_pictures_and_files_are_stored_once(tmp_path: Path, codec: ZlibCodec) -> None:
    picture, data = bad_png(40, 50), os.urandom(5000)
    write(tmp_path / "in" / "0.png", picture)
    write(tmp_path / "in" / "0", data)
    once = pack([tmp_path / "in"], tmp_path / "once", codec, header_for(codec))
    for number in range(1, 40):
        write(tmp_path / "in" / f"{number}.png", picture)
        write(tmp_path / "in" / f"{number}", data)
    report = pack([tmp_path / "in"], tmp_path / "all", codec, header_for(codec))
    assert report.kinds == {"png": 1, "file": 1, "copy": 78}
    assert report.samples == once.samples and report.bytes_before == 40 * once.bytes_before
    assert report.bytes_after < once.bytes_after + 1500
    with ArchiveReader(tmp_path / "all") as reader:
        assert COPIES in reader.header.features
        assert reader.totals and reader.totals.entries == 80
        listed = {entry.name: entry for entry in reader.entries()}
    first, entry = listed[b"in/0.png"], listed[b"in/17.png"]
    assert entry == first._replace(name=b"in/17.png", kind="copy", original=b"in/0.png")
    with ArchiveReader(tmp_path / "once") as reader:
        assert COPIES not in reader.header.features


def test_an_archive_without_the_feature_holds_no_copies(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "in" / name, b"content")
    with ArchiveWriter(tmp_path / "x", Header.without_model()) as writer:
        report = pack_into(writer, Catalogue([tmp_path / "in"]), Codecs())
        writer.commit()
    assert report.kinds == {"file": 2}


def test_copies_fill_as_many_chunks_as_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "MAX_SEGMENTS", 4)
    for number in range(11):
        write(tmp_path / "in" / f"{number:02}", b"content")
    pack([tmp_path / "in"], tmp_path / "x", None, Header.without_model())
    with ArchiveReader(tmp_path / "x") as reader:
        tables = [reader.table(chunk) for chunk in reader.chunks]
        assert [len(table.segments) for table in tables] == [4, 4, 4]
        assert all(isinstance(table, ByteTable) for table in tables)
        assert len(list(reader.entries())) == 11
