"""xz of raw pixels, each less the one before it: what a general compressor makes of them."""

import lzma
from collections.abc import Iterator

import numpy as np

from benchmarks.data.pictures import Pixels
from benchmarks.peers.codecs.peer import Codec, Peer


def peers() -> Iterator[Peer]:
    """The one that Python brings."""
    yield Peer("xz -9e --delta", "Python's lzma", encode, decode)


def encode(pixels: Pixels) -> bytes:
    """Pixels behind their shape."""
    height, width, *channels = pixels.shape
    room = min(max(pixels.size, 4096), 1 << 26)  # else 64 MB are set up for every tiny image
    best = {"preset": 9 | lzma.PRESET_EXTREME, "dict_size": room, "lc": 0, "pb": 0}
    filters = [
        {"id": lzma.FILTER_DELTA, "dist": channels[0] if channels else 1},
        {"id": lzma.FILTER_LZMA2, **best},
    ]
    head = np.array([height, width, *channels, 0], "<u4")[:3].tobytes()
    return head + lzma.compress(pixels.tobytes(), check=lzma.CHECK_NONE, filters=filters)


def decode(data: bytes) -> Pixels:
    """The inverse of `encode`."""
    height, width, channels = np.frombuffer(data[:12], "<u4")
    pixels = np.frombuffer(lzma.decompress(data[12:]), np.uint8)
    return pixels.reshape((height, width, channels) if channels else (height, width))


XZ = Codec("xz", peers, {})
