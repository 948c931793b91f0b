"""What can be archived, under which names, and what is left out, named or refused."""

import os
import socket
from pathlib import Path

import pytest

from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.walk import Found, collect
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import InputError
from tests.archive.support import ZlibCodec, codec_for, header_for, write


def names(found: Found) -> list[bytes]:
    """What is archived, without the folders that hold the rest."""
    return [source.name for source in found.sources if source.kind != "parent"]


def test_sources_that_are_refused(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x" / "same", b"1")
    write(tmp_path / "y" / "same", b"2")
    write(tmp_path / "z" / "same" / "inside", b"3")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for paths, message in (
        ([tmp_path / "none"], "No such file"),
        ([tmp_path / "x" / "same", tmp_path / "y" / "same"], "cannot both be archived as same"),
        ([tmp_path / "x" / "same", tmp_path / "z" / "same"], "cannot both be archived as same"),
        ([fifo], "fifo: it is a pipe"),
    ):
        with pytest.raises(InputError, match=message):
            pack(paths, tmp_path / "a", codec, header_for(codec))
        assert not (tmp_path / "a").exists()


def test_what_is_no_file_is_skipped(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a", b"1")
    os.mkfifo(tmp_path / "in" / "fifo")
    (tmp_path / "in" / "only").mkdir()
    os.mkfifo(tmp_path / "in" / "only" / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(tmp_path / "in", os.O_RDONLY)  # a socket's path has at most 107 bytes
        server.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    found = collect([tmp_path / "in", "/dev/null"])
    assert names(found) == [b"in/a", b"in/only"]
    assert {os.path.basename(path): why for path, why in found.skipped.items()} == {
        b"fifo": "it is a pipe", b"socket": "it is a socket", b"null": "it is a device",
    }  # fmt: skip
    with pytest.raises(InputError, match="cannot archive"):
        Catalogue([tmp_path / "in"], strict=True)


def test_deep_folders(tmp_path: Path, codec: ZlibCodec) -> None:
    deep = tmp_path / "in"
    deep.mkdir()
    for _ in range(1200):
        deep /= "d"
        deep.mkdir()
    write(deep / "file", b"deep down")
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    assert report.entries == 1
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert (tmp_path / "out" / deep.relative_to(tmp_path) / "file").read_bytes() == b"deep down"
    for base in (tmp_path, tmp_path / "out"):  # what pytest calls for that is recursive
        path = base / deep.relative_to(tmp_path)
        (path / "file").unlink()
        while path != base:
            path.rmdir()
            path = path.parent


def test_what_is_written_is_never_archived(tmp_path: Path) -> None:
    inside = tmp_path / "in" / "deep"
    for name in ("a.bsw", "b", "a.bsw.old", ".bitswap-0123456789abcdef.tmp", ".bitswap-x.tmp"):
        write(inside / name, b"1")
    write(tmp_path / "in" / "a.bsw", b"of the same name elsewhere")
    (tmp_path / "other").symlink_to("in", target_is_directory=True)
    for output in (inside / "a.bsw", tmp_path / "other" / "deep" / "a.bsw"):
        found = collect([tmp_path / "in"], without=[output])
        assert names(found) == [
            b"in/a.bsw", b"in/deep/.bitswap-x.tmp", b"in/deep/a.bsw.old", b"in/deep/b",
        ]  # fmt: skip
        assert sorted(line.rsplit("/", 1)[1] for line in found.notes) == [
            ".bitswap-0123456789abcdef.tmp is an unfinished file of bitswap: it is left out",
            "a.bsw is to be written: it is left out",
        ]
        assert not found.skipped
        with pytest.raises(InputError, match="is to be written"):
            collect([inside / "a.bsw"], without=[output])
    (inside / "link").symlink_to("a.bsw")
    found = collect([inside], without=[inside / "a.bsw"], dereference=True)
    assert b"deep/link" not in names(found)


def test_folders_are_told_once(tmp_path: Path) -> None:
    """Those of one name are one: the first of those that are not empty tells its attributes."""
    for name in ("a/x/1", "b/x/2", "a/y/1"):
        write(tmp_path / name, b"1")
    for name in ("c/x", "c/y", "c/z", "b/z"):
        (tmp_path / name).mkdir(parents=True)
    found = collect([tmp_path / n for n in ("c/x", "b/x", "a/x", "c/y", "a/y", "c/z", "b/z")])
    folders = {s.name: (s.path, s.kind) for s in found.sources if s.kind != "file"}
    top = bytes(tmp_path)
    assert folders == {
        b"x": (top + b"/a/x", "parent"), b"y": (top + b"/a/y", "parent"),
        b"z": (top + b"/b/z", "dir"),
    }  # fmt: skip
    write(tmp_path / "d" / "x", b"a file")
    with pytest.raises(InputError, match="cannot both be archived as x"):
        collect([tmp_path / "a" / "x", tmp_path / "d" / "x"])


def test_links_that_lead_out_are_named(tmp_path: Path) -> None:
    write(tmp_path / "hub" / "blobs" / "aa", b"1")
    write(tmp_path / "hub" / "snapshots" / "1" / "b", b"2")
    snapshot = tmp_path / "hub" / "snapshots" / "1"
    for name, target in {
        "blob": "../../blobs/aa",
        "far": "../../../x",
        "absolute": str(tmp_path),
        "beside": "b",
        "folder": "../1",
        "above": "..",
        "broken": "none",
        "through": "above/1/b",
    }.items():
        (snapshot / name).symlink_to(target)
    links = {b"snapshots/1/" + os.fsencode(path.name) for path in snapshot.iterdir()}

    def named(*paths: Path) -> dict[str, str]:
        found = collect(paths)
        assert {source.name for source in found.sources} >= links
        return {line.split(" is a link")[0].rsplit("/", 1)[1]: line for line in found.notes}

    notes = named(tmp_path / "hub" / "snapshots")
    assert sorted(notes) == ["absolute", "blob", "far"]
    assert "which is not archived" in notes["blob"]
    assert "refuse" in notes["far"] and "refuse" in notes["absolute"]
    both = named(tmp_path / "hub" / "snapshots", tmp_path / "hub" / "blobs")
    assert sorted(both) == ["absolute", "far"]


def test_dereference(tmp_path: Path) -> None:
    write(tmp_path / "blobs" / "aa", b"the blob")
    write(tmp_path / "in" / "b", b"2")
    (tmp_path / "in" / "file").symlink_to("../blobs/aa")
    (tmp_path / "in" / "folder").symlink_to("../blobs")
    (tmp_path / "in" / "loop").symlink_to(".")
    (tmp_path / "in" / "broken").symlink_to("none")
    found = collect([tmp_path / "in"], dereference=True)
    listed = [source for source in found.sources if source.kind != "parent"]
    assert [(s.name, s.kind, s.size) for s in listed] == [
        (b"in/b", "file", 1), (b"in/file", "file", 8), (b"in/folder/aa", "file", 8),
    ]  # fmt: skip
    assert {os.path.basename(path): why for path, why in found.skipped.items()} == {
        b"loop": "it leads to a folder that it lies in",
        b"broken": "No such file or directory",
    }
    assert not found.notes
