"""A slow PNG writer and reader of every depth and colour type, and ways to damage files."""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
PASSES = {False: [(0, 0, 1, 1)], True: [*ADAM7, (0, 1, 1, 2)]}


def chunk(tag: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def write_png(
    samples: np.ndarray,
    depth: int,
    colour: int,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    after: bytes = b"",
    seed: int = 0,
) -> bytes:
    """Write samples (H, W, S) with random filters, and ones for padding; chunks around IDAT."""
    rng = np.random.default_rng(seed)
    height, width, count = samples.shape
    assert count == SAMPLES[colour]
    unit = max(1, depth * count // 8)
    raw = b""
    for x, y, dx, dy in PASSES[interlaced]:
        plane = samples[y::dy, x::dx]
        above = bytes(plane.shape[1] * depth * count // 8 + 1)
        for row in plane if plane.size else ():
            line = _packed(row.ravel().tolist(), depth)
            kind = int(rng.integers(5))
            guesses = _guesses(kind, line, above, unit)
            raw += bytes([kind]) + bytes((v - next(guesses)) % 256 for v in line)
            above = line
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    squeezed = zlib.compress(raw)
    half = len(squeezed) // 2
    pixels = chunk(b"IDAT", squeezed[:half]) + chunk(b"IDAT", squeezed[half:])
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + before + pixels + after + chunk(b"IEND")


def read_png(data: bytes) -> tuple[np.ndarray, list[bytes]]:
    """Return samples (H, W, S), and every chunk but IDAT."""
    position, squeezed = 8, b""
    others: list[bytes] = []
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        whole = data[position : position + 12 + length]
        assert whole == chunk(whole[4:8], whole[8:-4])
        if whole[4:8] == b"IDAT":
            squeezed += whole[8:-4]
        else:
            others.append(whole)
        position += len(whole)
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", others[0][8:-4])
    count = SAMPLES[colour]
    unit = max(1, depth * count // 8)
    raw = io.BytesIO(zlib.decompress(squeezed))
    samples = np.full((height, width, count), -1)
    for x, y, dx, dy in PASSES[bool(interlaced)]:
        plane = samples[y::dy, x::dx]
        length = -(-plane.shape[1] * depth * count // 8)
        above = bytes(length)
        for row in plane if plane.size else ():
            line = bytearray()
            (kind,) = raw.read(1)
            guesses = _guesses(kind, line, above, unit)
            for value in raw.read(length):
                line.append((value + next(guesses)) % 256)
            row[:] = _unpacked(line, depth)[: row.size].reshape(row.shape)
            above = bytes(line)
    assert not raw.read()
    return samples, others


def file_of(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """Return a file by Pillow, of gray (H, W) or RGB (H, W, 3)."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def opened(
    data: bytes,
) -> tuple[str, dict[str | tuple[int, int], object], list[int] | None, np.ndarray]:
    """Return what Pillow sees: mode, metadata, palette, pixels."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, dict(image.info), image.getpalette(), np.asarray(image)


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "truncated", data[: len(data) // 2]
    yield "without its end", data[:-12]
    broken = bytearray(data)
    broken[len(data) // 2] ^= 1
    yield "with a flipped bit", bytes(broken)
    yield "cut to its signature", data[:8]
    yield "cut to its header", data[:33]


def _guesses(kind: int, line: Sequence[int], above: bytes, unit: int) -> Iterator[int]:
    """Yield the filter's guess for each byte of a line, of which those before it are read."""
    at = 0
    while True:
        a = line[at - unit] if at >= unit else 0
        b = above[at]
        c = above[at - unit] if at >= unit else 0
        near = min((a, b, c), key=lambda value: abs(a + b - c - value))
        yield (0, a, b, (a + b) // 2, near)[kind]
        at += 1


def _packed(values: list[int], depth: int) -> bytes:
    bits = "".join(format(value, f"0{depth}b") for value in values)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _unpacked(line: Sequence[int], depth: int) -> np.ndarray:
    bits = "".join(format(value, "08b") for value in line)
    return np.array([int(bits[k : k + depth], 2) for k in range(0, len(bits) - depth + 1, depth)])
