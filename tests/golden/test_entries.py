"""What the golden archive tells of its entries beside their bytes."""

import os
import stat
from pathlib import Path

from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.cli.main import run
from tests.golden.make import TIME
from tests.golden.make_entries import ARCHIVE, ATTRIBUTES


def test_what_is_told_is_read() -> None:
    with ArchiveReader(ARCHIVE) as reader:
        assert reader.header.features >= {
            "modes",
            "owners",
            "xattrs",
            "sparse",
            "folders",
            "copies",
        }
        rows = [row for chunk in reader.chunks for row in reader.table(chunk).segments]
    found = {os.fsdecode(row.name): row.attributes for row in rows}
    assert found == {f"golden/{name}".rstrip("/"): own for name, own in ATTRIBUTES.items()}


def test_modes_and_times_come_back(tmp_path: Path) -> None:
    assert run(["decompress", "-q", "--no-xattrs", str(ARCHIVE), "-o", str(tmp_path)]) == 0
    for name, own in ATTRIBUTES.items():
        status = (tmp_path / "golden" / name).lstat()
        assert status.st_mtime_ns == TIME, name
        if own.mode is not None:
            rights = 0o1777 if stat.S_ISDIR(status.st_mode) else 0o777
            narrow = 0o640 if name == "shared.ppm" else own.mode & rights
            assert stat.S_IMODE(status.st_mode) == narrow, name
