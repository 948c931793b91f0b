"""What tables tell of entries is kept only if it can be true."""

import tracemalloc
from pathlib import Path

import pytest

from bitswap_cli.api.archive import open_archive
from bitswap_cli.api.describe import entries
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, framed
from bitswap_cli.archive.format.values.blobs import pack_blob
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError


@pytest.mark.parametrize(
    "rows",
    [{"ends": b"\0" * 65535}, {"ends": b"a" + b"\0" * 65535, "shared": [0, b"\0" + b"\1" * 65535]}],
)
def test_few_bytes_that_tell_of_millions_of_entries(
    tmp_path: Path, rows: dict[str, object]
) -> None:
    """They are refused before they are kept: of 20 chunks, some entries take 2 MB."""
    table = framed(pack_blob(pack_object({"segments": 65536, "kind": 1, **rows})))
    with ArchiveWriter(tmp_path / "a", Header.without_model()) as writer:
        for _ in range(20):
            writer.add(BYTE, table + b"\0", 65536)
        writer.finish(Totals(20 << 16, 0, 0, 0))
        writer.commit()
    assert (tmp_path / "a").stat().st_size < 4000
    for reading in (open_archive, entries):
        tracemalloc.start()
        with pytest.raises(ArchiveError, match="twice"):
            reading(tmp_path / "a")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100 << 20
