"""Large streams come back, in pieces; all at once, and alone."""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bitswap_cli.api.archive import Archive
from bitswap_cli.archive.format.header import PIECES
from bitswap_cli.archive.format.values.pieces import pack_pieces
from bitswap_cli.archive.format.values.streams import Folded, pack_streams
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.spool import Spool
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.deflate import Piece, describe_pieces
from bitswap_cli.images.inside import scanning
from tests.archive.reading.test_members import hostile, row
from tests.archive.support import bad_png, check, write
from tests.archive.writing.test_hosted import OTHER, PNG, TEXTS, archived, each_comes_back, zipped

TEXT = b"".join(TEXTS)
_PACKER = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 1)  # of short blocks
RAW = _PACKER.compress(TEXT) + _PACKER.flush()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Streams of which most are large, and pieces of which they have several."""
    monkeypatch.setattr("bitswap_cli.images.inside.streams.WHOLE", 5000)
    monkeypatch.setattr("bitswap_cli.images.deflate.pieces._ENOUGH", 6000)
    yield


def folder_of(tmp_path: Path) -> Path:
    """Pictures and documents in gzip, ZIP and zlib streams; a text; and noise."""
    noise = os.urandom(9000)
    pictures = [bad_png(40 + k, 40, seed=k) for k in range(5)]
    inside = b"".join(text + one for text, one in zip(TEXTS * 2, pictures, strict=False))
    write(tmp_path / "in" / "a.gz", gzip.compress(inside + zipped(TEXTS, picture=True), mtime=0), 5)
    write(tmp_path / "in" / "b.zip", zipped([TEXT, inside, TEXT[:99], noise]), 6)
    write(tmp_path / "in" / "c", b"-" + zlib.compress(inside) + PNG + zlib.compress(TEXT, 1), 7)
    write(tmp_path / "in" / "d.gz", gzip.compress(noise, mtime=0), 8)
    write(tmp_path / "in" / "e.gz", gzip.compress(TEXT, mtime=0), 9)
    write(tmp_path / "in" / "f.gz", gzip.compress(gzip.compress(inside, mtime=0) * 9, mtime=0), 9)
    write(tmp_path / "in" / "g.gz", gzip.compress(inside, mtime=0)[:-20] + OTHER, 9)
    return tmp_path


def test_they_come_back(tmp_path: Path) -> None:
    kinds = archived(folder_of(tmp_path))
    assert kinds["unfolded-large"] >= 4 and kinds["file"] >= 1
    with ArchiveReader(tmp_path / "a") as reader:
        assert PIECES in reader.header.features
    each_comes_back(tmp_path)


def test_they_pay(tmp_path: Path) -> None:
    """Of a text no more is kept than zstd leaves, and of noise that is deflated nothing is had."""
    write(tmp_path / "in" / "a.gz", gzip.compress(TEXT * 9, mtime=0))
    write(tmp_path / "in" / "b.gz", gzip.compress(os.urandom(9999), mtime=0))
    assert list(Catalogue([tmp_path / "in"]).hosts) == [b"in/a.gz"]


def test_a_full_disk_leaves_them_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(spool: Spool, data: bytes) -> int:
        raise InputError("cannot write a temporary file: No space left on device")

    monkeypatch.setattr(Spool, "add", full)
    assert "unfolded-large" not in archived(folder_of(tmp_path))


def told(pieces: Sequence[Piece]) -> bytes:
    """Return what is stored of a file of such a stream between two bytes."""
    rows = [Folded(int(not k), one.size, scanning.RAW, one.description, one.last)
            for k, one in enumerate(pieces)]  # fmt: skip
    return pack_streams(rows) + pack_pieces([], [], b"<" + TEXT + b">")


def test_an_archive_by_hand(tmp_path: Path) -> None:
    """And such as no writer makes."""
    with (tmp_path / "raw").open("wb+") as file:
        file.write(RAW)
        pieces = describe_pieces(file, b"\x78\x9c", lambda _: None)
    assert pieces and len(pieces) > 1
    right, (first, *others) = told(pieces), pieces

    def read(stored: bytes, features: Sequence[str] = (PIECES,)) -> dict[str, bytes]:
        segment, stored = row(b"a", "unfolded-large", len(RAW) + 2, stored)
        segment = segment._replace(crc=zlib.crc32(b"<" + RAW + b">"))
        hostile(tmp_path / "a", [(segment, stored)], features)
        check(tmp_path / "a", None)
        with Archive(tmp_path / "a") as archive:
            return dict(archive)

    assert read(right) == {"a": b"<" + RAW + b">"}
    for wrong, why in (
        (told(others), "."), (told(pieces[:-1]), "does not end"), (told(pieces[::-1]), "."),
        (told([first._replace(last=0), *others]), "."), (told([first] * 2 + others), "."),
        (told([first._replace(size=(1 << 24) + 1), *others]), "."),
        (told([first._replace(description=b""), *others]), "damaged"),
    ):  # fmt: skip
        with pytest.raises(ArchiveError, match=why):
            read(wrong)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitswap_cli.archive.writing.writer.needed", lambda _: frozenset())
        with pytest.raises(ArchiveError, match="tells pieces though|unfolded-large"):
            read(right, ())
