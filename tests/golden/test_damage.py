"""Damage to a real archive, decoded with its real model: always an error, never other pixels."""

import random
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import pytest

from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.register import need_of
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import verify
from bitswap_cli.errors import ArchiveError, ModelError

NAMES = [
    "photo-bitswap",
    "natural32-bitswap",
    "photo-wide",
    "photo-bitswap-5",
    "photo-turned-5",
    "photo-jpeg-5",
    "photo-learning-5",
]


class Frozen(NamedTuple):
    """A golden archive and the codecs of its models."""

    content: bytes
    codecs: Codecs


@pytest.fixture(scope="module", params=NAMES)
def frozen(request: pytest.FixtureRequest) -> Frozen:
    path = Path(__file__).with_name(f"{request.param}.bsw")
    with ArchiveReader(path) as reader:
        needs = {need_of(chunk.tag, reader.table(chunk)) for chunk in reader.chunks}
        return Frozen(path.read_bytes(), decoder(None, 64)(reader.header, needs))


def check(content: bytes, codecs: Codecs, path: Path) -> None:
    path.write_bytes(content)
    with ArchiveReader(path) as reader:
        verify(reader, lambda header, tags: codecs)


def test_the_undamaged_archive_is_right(frozen: Frozen, tmp_path: Path) -> None:
    check(*frozen, tmp_path / "a.bsw")


def test_flips_and_truncations_are_errors(frozen: Frozen, tmp_path: Path) -> None:
    content, codecs = frozen
    draw = random.Random(0)
    damaged = [content[: len(content) * k // 20] for k in range(20)]
    for _ in range(300):
        flipped = bytearray(content)
        flipped[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    for bad in damaged:
        with pytest.raises((ArchiveError, ModelError)) as raised:
            check(bad, codecs, tmp_path / "a.bsw")
        assert "\n" not in str(raised.value)


def test_forged_words_are_errors(frozen: Frozen, tmp_path: Path) -> None:
    """The chunk's CRC-32 is made to fit, so the networks and the coder see the damage."""
    content, codecs = frozen
    draw = random.Random(1)
    start = content.index(b"TILE" if b"TILE" in content else b"JPEG")
    (length,) = struct.unpack_from("<I", content, start + 4)
    end = start + (16 if content[8] == 5 else 8) + length  # from version 5 on there is an id
    for _ in range(20):
        forged = bytearray(content)
        forged[end - 1 - draw.randrange(length // 2)] ^= 1 << draw.randrange(8)
        struct.pack_into("<I", forged, end, zlib.crc32(forged[start:end]))
        with pytest.raises(ArchiveError):
            check(bytes(forged), codecs, tmp_path / "a.bsw")
