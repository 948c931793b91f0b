"""Bytes of what is to be archived; what cannot be read, or changes meanwhile, is skipped."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.sources import source as source_files
from bitswap_cli.archive.sources import walk
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.source import SourceError
from bitswap_cli.archive.writing.blocks import Keeping
from bitswap_cli.archive.writing.pack import pack, pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from tests.archive.rights import without_rights
from tests.archive.support import (
    ZlibCodec,
    bad_png,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)

_BLOCK = 1 << 14


def plain_pack(folder: Path, out: Path, *, strict: bool = False) -> dict[str, str]:
    """Pack a folder; return what was skipped."""
    header = Header.without_model()
    catalogue = Catalogue([folder], strict=strict)
    with ArchiveWriter(out, header, catalogue.sources, force=True) as writer:
        report = pack_into(writer, catalogue, Codecs(), keeping=Keeping(_BLOCK))
        writer.commit()
    with ArchiveReader(out) as reader:
        assert verify(reader, codec_for(ZlibCodec())).entries == report.entries
    return report.skipped


def restored(archive: Path, folder: Path) -> dict[bytes, bytes]:
    """What is in an archive without pictures."""
    with ArchiveReader(archive) as reader:
        unpack(reader, codec_for(ZlibCodec()), folder)
    return {name: data for name, (kind, data, _) in tree(folder).items() if kind == "file"}


def test_single_file_and_several_sources(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x" / "one.png", bad_png(9, 9))
    write(tmp_path / "y" / "two", b"2")
    pack([tmp_path / "x" / "one.png", tmp_path / "y"], tmp_path / "a", codec, header_for(codec))
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == [b"one.png", b"y/two"]


def test_unreadable_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # others may not come here from above
    tmp_path.chmod(0o755)
    for name in ("in/a", "in/secret", "in/z", "in/closed/inside"):
        write(tmp_path / name, name.encode())
    (tmp_path / "in" / "secret").chmod(0)
    (tmp_path / "in" / "closed").chmod(0)
    with without_rights():
        for paths in (["in"], ["in/closed"]):
            with pytest.raises(SourceError, match="in/closed: Permission denied"):
                Catalogue(paths, strict=paths == ["in"])
    with without_rights():
        catalogue = Catalogue(["in"])
    with ArchiveWriter(tmp_path / "a", Header.without_model(), catalogue.sources) as writer:
        with without_rights():
            skipped = pack_into(writer, catalogue, Codecs()).skipped
        writer.commit()
    assert skipped == {"in/secret": "Permission denied", "in/closed": "Permission denied"}
    assert restored(tmp_path / "a", tmp_path / "out") == {b"in/a": b"in/a", b"in/z": b"in/z"}


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"5")


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def rewrite(path: Path) -> None:
    path.write_bytes(b"!" * path.stat().st_size)
    os.utime(path, ns=(1, 1))


def replace(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [append, shorten, rewrite, replace, Path.unlink])
@pytest.mark.parametrize("size", [4, 2 * _BLOCK + 4])
def test_a_file_that_changes_is_skipped_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], size: int
) -> None:
    for name in ("a", "b", "z"):
        write(tmp_path / "in" / name, name.encode() * (size if name == "b" else 3))
    real = walk.collect

    def collect_and_change(paths: Sequence[Path], **options: Any) -> walk.Found:
        found = real(paths, **options)
        change(tmp_path / "in" / "b")
        return found

    monkeypatch.setattr("bitswap_cli.archive.sources.catalogue.collect", collect_and_change)
    skipped = plain_pack(tmp_path / "in", tmp_path / "a")
    why = "No such file or directory" if change is Path.unlink else "it changed while it was read"
    assert skipped == {str(tmp_path / "in" / "b"): why}
    assert restored(tmp_path / "a", tmp_path / "out") == {b"in/a": b"aaa", b"in/z": b"zzz"}
    if change is not Path.unlink:
        (tmp_path / "in" / "b").unlink()
    write(tmp_path / "in" / "b", b"b" * size)
    with pytest.raises(SourceError, match=why):
        plain_pack(tmp_path / "in", tmp_path / "b", strict=True)
    assert not (tmp_path / "b").exists()


def test_a_picture_that_changes_after_it_was_looked_at(tmp_path: Path, codec: ZlibCodec) -> None:
    for name in ("a", "b"):
        write(tmp_path / "in" / f"{name}.ppm", encoded(smooth(20, 31), "PPM"))
    catalogue = Catalogue([tmp_path / "in"], room=0)
    for source in catalogue.candidates():
        assert catalogue.look(source)
    write(tmp_path / "in" / "b.ppm", encoded(smooth(20, 31, seed=7), "PPM"))
    with ArchiveWriter(tmp_path / "out", header_for(codec)) as writer:
        report = pack_into(writer, catalogue, Codecs({0: codec}))
    assert (report.entries, list(report.skipped)) == (1, [str(tmp_path / "in" / "b.ppm")])


def test_reading_gives_no_more_than_was_announced(tmp_path: Path) -> None:
    write(tmp_path / "x", b"1234")
    (source,) = walk.collect([tmp_path / "x"]).sources
    parts = source_files.read_parts(source, 3)
    assert next(parts) == b"123"
    append(tmp_path / "x")
    with pytest.raises(SourceError, match="changed while it was read"):
        next(parts)
