"""A slow TIFF writer of every layout that is read."""

import struct
import zlib
from collections.abc import Callable

import numpy as np

from tests.images.packings.streams import greedy


def packbits(data: bytes) -> bytes:
    """Nothing but packets of up to 100 bytes as they are."""
    parts = [data[at : at + 100] for at in range(0, len(data), 100)]
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


PACKERS: dict[int, Callable[[bytes], bytes]] = {
    1: bytes,
    5: lambda data: greedy(data, True, 8, full=4094),
    8: zlib.compress,
    32946: lambda data: zlib.compress(data, 9),
    32773: packbits,
}


def write_tiff(
    samples: np.ndarray,
    depth: int = 8,
    *,
    compression: int = 1,
    big: bool = False,
    tile: tuple[int, int] | None = None,
    rows: int = 7,
    separate: bool = False,
    differences: bool = False,
    more: dict[int, list[int]] | None = None,
    gap: bytes = b"",
) -> bytes:
    """Write samples (H, W, S) below 2^depth; the directory comes first, and the gap is between
    segments."""
    height, width, count = samples.shape
    order = ">" if big else "<"
    tall, wide = tile or (min(rows, height), width)
    planes = [samples[..., k : k + 1] for k in range(count)] if separate else [samples]
    segments = []
    for plane in planes:
        for top in range(0, height, tall):
            for left in range(0, width, wide):
                part = plane[top : top + tall, left : left + wide]
                if tile:
                    below, beside = tall - part.shape[0], wide - part.shape[1]
                    part = np.pad(part, ((0, below), (0, beside), (0, 0)), "edge")
                segments.append(PACKERS[compression](packed(part, depth, order, differences)))
    tags: dict[int, list[int]] = {
        256: [width], 257: [height], 258: [depth] * count, 259: [compression],
        262: [2 if count > 2 else 1], 277: [count], 284: [2 if separate else 1],
        **({317: [2]} if differences else {}),
        **({322: [wide], 323: [tall]} if tile else {278: [rows]}),
        **(more or {}),
    }  # fmt: skip
    places, sizes = (324, 325) if tile else (273, 279)
    tags[sizes] = [len(segment) for segment in segments]
    tags[places] = [0] * len(segments)
    start = 8 + len(directory(tags, order, 8))
    starts = np.cumsum([start, *(len(segment) + len(gap) for segment in segments)])[:-1]
    tags[places] = starts.tolist()
    head = (b"MM\0*" if big else b"II*\0") + struct.pack(order + "I", 8)
    return head + directory(tags, order, 8) + b"".join(segment + gap for segment in segments)


def directory(tags: dict[int, list[int]], order: str, at: int, following: int = 0) -> bytes:
    """A directory of 32-bit values, and the values behind it."""
    entries, behind = b"", b""
    after = at + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        body = struct.pack(f"{order}{len(values)}I", *values)
        place = body if len(values) == 1 else struct.pack(order + "I", after + len(behind))
        behind += body if len(values) > 1 else b""
        entries += struct.pack(order + "HHI", tag, 4, len(values)) + place
    return (
        struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", following) + behind
    )


def packed(part: np.ndarray, depth: int, order: str, differences: bool) -> bytes:
    """Rows of samples as bytes, the bits behind them zero."""
    if differences:
        part = np.concatenate([part[:, :1], part[:, 1:].astype(int) - part[:, :-1]], axis=1)
        part = part % (1 << depth)
    if depth >= 8:
        return part.astype(f"{order}u{depth // 8}").tobytes()
    bits = np.unpackbits(part[..., 0].astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
    return np.packbits(bits.reshape(len(part), -1), axis=1).tobytes()
