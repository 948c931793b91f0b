"""What can be archived, under which names, and what is refused."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bitswap_cli.archive.format.sections import Header
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.writing import sources
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import InputError
from tests.archive.support import ZlibCodec, bad_png, header_for, tree, write


def test_single_file_and_several_sources(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x" / "one.png", bad_png(9, 9))
    write(tmp_path / "y" / "two", b"2")
    pack([tmp_path / "x" / "one.png", tmp_path / "y"], tmp_path / "a", codec, header_for(codec))
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, lambda _: codec, tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == [b"one.png", b"y/two"]


def test_sources_that_cannot_be_archived(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x" / "same", b"1")
    write(tmp_path / "y" / "same", b"2")
    write(tmp_path / "z" / "same" / "inside", b"3")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for paths, message in (
        ([tmp_path / "none"], "No such file"),
        ([tmp_path / "x" / "same", tmp_path / "y" / "same"], "cannot both be archived as same"),
        ([tmp_path / "x" / "same", tmp_path / "z" / "same"], "cannot both be archived as same"),
        ([fifo], "pipe"),
        ([tmp_path], "pipe"),
    ):
        with pytest.raises(InputError, match=message):
            pack(paths, tmp_path / "a", codec, header_for(codec))
        assert not (tmp_path / "a").exists()


def test_source_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x", b"1234")
    real = sources.collect

    def collect_and_append(paths: Sequence[Path]) -> object:
        found = real(paths)
        write(tmp_path / "x", b"12345")
        return found

    monkeypatch.setattr(sources, "collect", collect_and_append)
    with pytest.raises(InputError, match="changed while it was read"):
        pack([tmp_path / "x"], tmp_path / "a", None, Header.without_model())
    assert os.listdir(tmp_path) == ["x"]
