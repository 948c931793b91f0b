"""What several readers of one file may expect of each other."""

import os
from pathlib import Path

import pytest

from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.writing.pack import pack
from tests.archive.support import write


@pytest.mark.skipif(not hasattr(os, "pread"), reason="reading moves the place in a file here")
def test_reading_moves_no_place_in_the_file(tmp_path: Path) -> None:
    """Processes that fork share it."""
    write(tmp_path / "x", os.urandom(5000))
    pack([tmp_path / "x"], tmp_path / "a", None, Header.without_model())
    with ArchiveReader(tmp_path / "a") as reader:
        for chunk in reader.chunks:
            reader.table(chunk)
            assert len(reader.body(chunk)) == chunk.length
        assert os.lseek(reader._file.fileno(), 0, os.SEEK_CUR) == 0
