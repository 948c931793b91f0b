"""Parts of the sections of an archive: bytes, values, what is compressed, and what is counted."""

import io
import random
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import zstandard

from bitswap_cli.archive.format.sections import CRC
from bitswap_cli.archive.format.values.repeats import pack_part
from bitswap_cli.mixing import octets
from bitswap_cli.mixing.state import NEWEST
from tests.fuzz.raw import spoilt_bytes
from tests.fuzz.values import packed, spoilt

_LENGTH = struct.Struct("<I")


@dataclass
class Node(ABC):
    """A part of a section; spoilt in place."""

    forged: bytes | None = None
    """What stands in its place."""

    def pack(self) -> bytes:
        """Return its bytes."""
        return self.honest() if self.forged is None else self.forged

    @abstractmethod
    def honest(self) -> bytes:
        """Return its bytes as they should be."""

    @abstractmethod
    def spoil(self, chance: random.Random) -> None:
        """Make something wrong."""

    def parts(self) -> "Iterator[Node]":
        """Yield it and what is in it."""
        yield self


@dataclass
class Plain(Node):
    """Bytes."""

    data: bytes = b""

    def honest(self) -> bytes:
        return self.data

    def spoil(self, chance: random.Random) -> None:
        self.data = spoilt_bytes(self.data, chance)


@dataclass
class Item(Node):
    """A value of MessagePack."""

    value: Any = None

    def honest(self) -> bytes:
        return packed(self.value)

    def spoil(self, chance: random.Random) -> None:
        self.value = spoilt(self.value, chance, spoilt_bytes)


@dataclass
class Blob(Node):
    """A method byte, and what is in it under zstd or as it is."""

    inner: Node = field(default_factory=Plain)

    def honest(self) -> bytes:
        data = self.inner.pack()
        if len(data) < 64:
            return b"\0" + data
        return b"\1" + zstandard.ZstdCompressor(level=1).compress(data)

    def spoil(self, chance: random.Random) -> None:
        data = self.inner.pack()
        frame = self.honest()
        unsized = zstandard.ZstdCompressor(write_content_size=False).compress(data)
        kept = bytes([chance.choice((0, 1, 2, 3, 255))]) + frame[1:]
        bomb = b"\1" + zeros(1 << chance.choice((10, 20, 24, 25, 27, 28)))
        self.forged = chance.choice(
            (kept, bomb, b"\1" + unsized, frame + frame, frame + b"\0", b"", b"\1")
        )

    def parts(self) -> Iterator[Node]:
        yield self
        yield from self.inner.parts()


@dataclass
class Packed(Node):
    """What is in it as a part of a chunk with repeats: its length, that of what follows, and it
    under zstd or by context mixing."""

    inner: Node = field(default_factory=Plain)

    def honest(self) -> bytes:
        return pack_part(self.inner.pack()[: octets.MOST])

    def spoil(self, chance: random.Random) -> None:
        data = self.honest()
        size, length = struct.unpack_from("<II", data)
        match chance.randrange(3):
            case 0:
                self.forged = spoilt_bytes(data, chance)
            case 1:  # another size
                size = chance.choice((0, 1, size + 1, octets.MOST, (1 << 32) - 1))
                self.forged = struct.pack("<II", size, length) + data[8:]
            case _:  # another method
                self.forged = data[:8] + bytes([chance.randrange(5)]) + data[9:]

    def parts(self) -> Iterator[Node]:
        yield self
        yield from self.inner.parts()


@dataclass
class Mixed(Node):
    """What is in it by context mixing: words, and its length before them where nothing else tells
    it."""

    inner: Node = field(default_factory=Plain)
    version: int = NEWEST
    counted: bool = True

    def honest(self) -> bytes:
        data = self.inner.pack()[: octets.MOST]
        words = octets.encode(data, len(data) + 64, self.version)
        assert words is not None
        return (_LENGTH.pack(len(data)) if self.counted else b"") + words.astype("<u4").tobytes()

    def spoil(self, chance: random.Random) -> None:
        data = bytearray(self.honest())
        match chance.randrange(4 if self.counted else 2):
            case 0:
                self.forged = spoilt_bytes(bytes(data), chance)
            case 1:
                self.forged = bytes(data[: 4 * chance.randrange(1 + len(data) // 4)])
            case _:  # another length
                length = chance.choice((0, 1, 1 << 16, octets.MOST, octets.MOST + 1, (1 << 32) - 1))
                self.forged = _LENGTH.pack(length) + data[4:]

    def parts(self) -> Iterator[Node]:
        yield self
        yield from self.inner.parts()


@dataclass
class Framed(Node):
    """A length, what it counts, and perhaps the CRC-32 of that."""

    inner: Node = field(default_factory=Plain)
    checked: bool = True

    def honest(self) -> bytes:
        data = self.inner.pack()
        end = CRC.pack(zlib.crc32(data)) if self.checked else b""
        return _LENGTH.pack(len(data)) + data + end

    def spoil(self, chance: random.Random) -> None:
        data = self.pack()
        length = chance.choice((0, 1, len(data), 1 << 24, 1 << 26, (1 << 31) - 1, (1 << 32) - 1))
        self.forged = _LENGTH.pack(length) + data[4:]
        if chance.random() < 0.3:
            self.forged = data[:-1] + bytes([data[-1] ^ 1])

    def parts(self) -> Iterator[Node]:
        yield self
        yield from self.inner.parts()


@cache
def zeros(size: int) -> bytes:
    """Return a zstd frame of little that unfolds to much."""
    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=3).stream_writer(out, size=size, closefd=False) as stream:
        for start in range(0, size, 1 << 20):
            stream.write(bytes(min(1 << 20, size - start)))
    return out.getvalue()
