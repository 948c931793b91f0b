"""Damage to a real archive, decoded with its real model: always an error, never other pixels."""

import random
import struct
import zlib
from pathlib import Path

import pytest

from bitswap_cli.archive.reader import ArchiveReader
from bitswap_cli.archive.unpack import verify
from bitswap_cli.coding import ChunkCodec, tile_codec
from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_models import model_file, zoo

CONTENT = zoo.GOLDEN_ARCHIVE.read_bytes()


@pytest.fixture(scope="module")
def codec() -> ChunkCodec:
    return tile_codec(model_file.load(zoo.find("natural32").path))


def check(content: bytes, codec: ChunkCodec, path: Path) -> None:
    path.write_bytes(content)
    with ArchiveReader(path) as reader:
        verify(reader, lambda header: codec)


def test_the_undamaged_archive_is_right(codec: ChunkCodec, tmp_path: Path) -> None:
    check(CONTENT, codec, tmp_path / "a.bsw")


def test_flips_and_truncations_are_errors(codec: ChunkCodec, tmp_path: Path) -> None:
    draw = random.Random(0)
    damaged = [CONTENT[: len(CONTENT) * k // 20] for k in range(20)]
    for _ in range(300):
        flipped = bytearray(CONTENT)
        flipped[draw.randrange(len(CONTENT))] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        with pytest.raises((ArchiveError, ModelError)) as raised:
            check(content, codec, tmp_path / "a.bsw")
        assert "\n" not in str(raised.value)


def test_forged_words_are_errors(codec: ChunkCodec, tmp_path: Path) -> None:
    """The chunk's CRC-32 is made to fit, so the networks and the coder see the damage."""
    draw = random.Random(1)
    start = CONTENT.index(b"TILE")
    (length,) = struct.unpack_from("<I", CONTENT, start + 4)
    end = start + 8 + length
    for _ in range(20):
        forged = bytearray(CONTENT)
        forged[end - 1 - draw.randrange(length // 2)] ^= 1 << draw.randrange(8)
        struct.pack_into("<I", forged, end, zlib.crc32(forged[start:end]))
        with pytest.raises(ArchiveError):
            check(bytes(forged), codec, tmp_path / "a.bsw")
