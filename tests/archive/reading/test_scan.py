"""Archives of versions without ids that hold others: damage to the outer one."""

import random
import zlib
from pathlib import Path

import pytest

from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.sections import (
    BYTE,
    CRC,
    END_MAGIC,
    HEAD,
    INDX,
    MAGIC,
    PREAMBLE,
    TRAILER,
    section,
)
from bitswap_cli.archive.format.values.columns import pack_column, pack_names
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.contract import TileCodec
from bitswap_cli.errors import ArchiveError, ModelError, PartialError
from tests.archive.support import codec_for, tree


def unneeded(header: Header) -> TileCodec:
    """A decoder that no file asks for."""
    raise ModelError(f"no model {header.models[0].name}")


def archive(files: dict[bytes, bytes]) -> bytes:
    """An archive of version 1 with a chunk for each file, nothing compressed."""
    data = PREAMBLE.pack(MAGIC, 1) + section(HEAD, pack_object([None, None, "", 1, 0, 0, 0]))
    lengths = []
    for name, content in files.items():
        size = len(content)
        row = [1, zlib.crc32(content), *pack_names([name]).values(), 0, size, 0, 0, 0, 0]
        table = b"\0" + pack_object(row)
        framed = CRC.pack(len(table)) + table + CRC.pack(zlib.crc32(table))
        lengths.append(len(framed) + 1 + size)
        data += section(BYTE, framed + b"\0" + content)
    columns = [1, pack_column(lengths), 1]
    totals = [len(files), sum(map(len, files.values())), 0, 0, len(files)]
    return data + section(INDX, pack_object(totals + columns)) + TRAILER.pack(len(data), END_MAGIC)


DRAW = random.Random(3)
INNER = archive({b"in/%d" % k: DRAW.randbytes(200) for k in range(5)} | {b"inner": b"secret"})
FILES = {
    b"in/0": b"the outer one's",
    b"in/first": DRAW.randbytes(300),
    b"in/inner.bsw": archive({b"in/1": b"within", b"in/inner.bsw": INNER, b"in/z": b"z"}),
    b"in/last": DRAW.randbytes(300),
}
OUTER = archive(FILES)


def rescued(path: Path, data: bytes, number: int, lost: str | None = None) -> dict[bytes, bytes]:
    """What `--keep-going` restores, which is never anything else than the outer archive's; what it
    names as lost."""
    (path / "bad").write_bytes(data)
    out = path / f"out{number}"
    with (
        pytest.raises((PartialError, ArchiveError), match=lost),
        ArchiveReader(path / "bad", recover=True) as reader,
    ):
        unpack(reader, codec_for(None), out, keep_going=True)
    found = {name: content for name, (_, content, _) in tree(out).items()} if out.exists() else {}
    assert found.items() <= FILES.items()
    return found


def test_the_undamaged_archive_is_right(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OUTER)
    with ArchiveReader(tmp_path / "a") as reader:
        assert (reader.version, verify(reader, codec_for(None)).entries) == (1, len(FILES))


def test_archives_that_end_too_soon(tmp_path: Path) -> None:
    for number, length in enumerate(range(len(OUTER) // 5, len(OUTER), 41)):
        found = rescued(tmp_path, OUTER[:length], number)
        assert length < OUTER.index(b"in/inner.bsw") or {b"in/0", b"in/first"} <= found.keys()
    rescued(tmp_path, OUTER[: OUTER.index(INNER)], 999, "; in/inner.bsw$")
    rescued(tmp_path, OUTER[: OUTER.index(b"in/inner.bsw") - 1], 1000, "no names could be read$")


def test_what_follows_a_damaged_chunk_comes_back(tmp_path: Path) -> None:
    """Wherever it is damaged, but for the length: nothing is taken from within."""
    start = OUTER.index(b"in/inner.bsw")
    bad = bytearray(OUTER)
    bad[-3] ^= 1  # so that there is no index
    for number, place in enumerate(range(start, OUTER.index(b"in/last") - 30, 31)):
        bad[place] ^= 1
        # The name is read if that and its checksum are whole.
        named = place > start + len(b"in/inner.bsw") + 40
        lost = "scanning; in/inner.bsw$" if named else None
        found = rescued(tmp_path, bytes(bad), number, lost)
        assert found.keys() == FILES.keys() - {b"in/inner.bsw"}
        bad[place] ^= 1


def test_flips_anywhere(tmp_path: Path) -> None:
    """A chunk's length and tag, too: then an archive's magic and trailer show where it ends."""
    draw = random.Random(4)
    start = OUTER.index(BYTE, OUTER.index(b"in/first"))
    for number in range(150):
        bad = bytearray(OUTER)
        bad[-3] ^= 1
        place = start + number % 8 if number < 40 else draw.randrange(10, len(OUTER))
        bad[place] ^= 1 << draw.randrange(8)
        found = rescued(tmp_path, bytes(bad), number)
        if number < 40:
            assert {b"in/0", b"in/first"} <= found.keys()
