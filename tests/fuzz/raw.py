"""Bytes, spoilt: as they are, as MessagePack, or as the chunks of a PNG file."""

import random
import struct
import zlib
from collections.abc import Sequence

from tests.fuzz.values import NUMBERS, packed, spoilt, unpacked

PNG = b"\x89PNG\r\n\x1a\n"
CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"tEXt", b"acTL", b"eXIf", b"abCD")


def spoilt_bytes(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with something wrong, as what they are if that can be seen."""
    if data.startswith(PNG) and chance.random() < 0.8:
        return spoilt_png(data, chance)
    if len(data) > 3 and chance.random() < 0.6:
        try:
            value = unpacked(data)
        except ValueError:
            value = None
        if isinstance(value, list | dict):
            return packed(spoilt(value, chance, spoilt_bytes))
    return scratched(data, chance)


def scratched(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Return bytes with some flipped, cut, put in, doubled, or taken from elsewhere."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(9):
            case 0 | 1 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case 2 if at < len(found):
                found[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256)))
            case 3:
                del found[at : at + chance.choice((1, 2, 4, 8, 64))]
            case 4:
                found[at:at] = chance.randbytes(chance.choice((1, 2, 4, 8, 64)))
            case 5:
                del found[at:]
            case 6:
                start = chance.randrange(len(found) + 1)
                found[at:at] = found[start : start + chance.choice((1, 4, 16, 64, 999))]
            case 7:
                number = chance.choice(NUMBERS) & (1 << 64) - 1
                width = chance.choice((1, 2, 4, 8))
                order = chance.choice(("little", "big"))
                told = (number & (1 << 8 * width) - 1).to_bytes(width, order)  # type: ignore[arg-type]
                found[at : at + width] = told
            case _ if others:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                found[at : at + chance.choice((0, 8, 64))] = other[start : start + 64]
    return bytes(found)


def spoilt_png(data: bytes, chance: random.Random) -> bytes:
    """Return a PNG file with a chunk spoilt, moved, doubled or left out, and its CRC right."""
    parts, position = [], len(PNG)
    while position + 8 <= len(data):
        length, tag = struct.unpack_from(">I4s", data, position)
        parts.append((tag, data[position + 8 : position + 8 + length]))
        position += 12 + length
    rest = data[min(position, len(data)) :]
    if not parts:
        return scratched(data, chance)
    at = chance.randrange(len(parts))
    tag, body = parts[at]
    match chance.randrange(9):
        case 0:
            del parts[at]
        case 1:
            parts.insert(chance.randrange(len(parts) + 1), (tag, body))
        case 2:
            parts[at] = (chance.choice(CHUNKS), body)
        case 3:
            parts.insert(at, (chance.choice(CHUNKS), chance.randbytes(chance.randrange(20))))
        case 4:
            middle = chance.randrange(len(body) + 1)
            parts[at : at + 1] = [(tag, body[:middle]), (tag, body[middle:])]
        case 5:
            parts = _other_stream(parts, chance)
        case 6:
            rest = scratched(rest, chance)
        case 7:
            parts = _other_head(parts, chance)
        case _:
            parts[at] = (tag, scratched(body, chance))
    return PNG + b"".join(_chunk(*part) for part in parts) + rest


def _other_head(
    parts: list[tuple[bytes, bytes]], chance: random.Random
) -> list[tuple[bytes, bytes]]:
    """Change a field of IHDR."""
    found = []
    for tag, body in parts:
        if tag == b"IHDR" and len(body) == 13:
            fields = list(struct.unpack(">IIBBBBB", body))
            at = chance.randrange(7)
            large = (0, 1, 2, 3, 17, 4096, (1 << 31) - 1, (1 << 32) - 1, fields[at] + 1)
            fields[at] = chance.choice(large if at < 2 else (0, 1, 2, 3, 4, 6, 8, 16, 255))
            body = struct.pack(">IIBBBBB", *fields)
        found.append((tag, body))
    return found


def _other_stream(
    parts: list[tuple[bytes, bytes]], chance: random.Random
) -> list[tuple[bytes, bytes]]:
    """Deflate the lines anew after they were spoilt, in any way, with more behind them."""
    stream = b"".join(body for tag, body in parts if tag == b"IDAT")
    try:
        lines = zlib.decompress(stream)
    except zlib.error:
        return parts
    if chance.random() < 0.7:
        lines = scratched(lines, chance)
    level, bits = chance.randrange(10), chance.choice((9, 12, 15))
    memory, strategy = chance.randrange(1, 10), chance.randrange(5)
    maker = zlib.compressobj(level, zlib.DEFLATED, bits, memory, strategy)
    again = bytearray()
    for start in range(0, len(lines), step := chance.choice((50, 1000, 1 << 20))):
        again += maker.compress(lines[start : start + step])
        if chance.random() < 0.1:
            again += maker.flush(chance.choice((zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH)))
    again += maker.flush() + chance.randbytes(chance.choice((0, 0, 0, 9)))
    first = next(k for k, (tag, _) in enumerate(parts) if tag == b"IDAT")
    others = [part for part in parts if part[0] != b"IDAT"]
    return [*others[:first], (b"IDAT", bytes(again)), *others[first:]]


def _chunk(tag: bytes, body: bytes) -> bytes:
    framed = struct.pack(">I", len(body)) + tag + body
    return framed + struct.pack(">I", zlib.crc32(framed[4:]))
