"""Bytes, as one zstd frame, as they are, or by context mixing."""

import threading
from collections.abc import Callable

import numpy as np
import zstandard

from bitswap_cli.archive.format.sections import LENGTH
from bitswap_cli.errors import ArchiveError
from bitswap_cli.mixing import octets
from bitswap_cli.mixing.state import NEWEST

_STORED, _ZSTD = 0, 1

Buffer = bytes | bytearray


class _Quick(threading.local):
    """A compressor for each thread: to make one takes longer than to squeeze a small file."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=3).compress


_QUICK = _Quick()


def squeezed(data: Buffer) -> int:
    """Return how many bytes some take under zstd, quickly."""
    return len(_QUICK.compress(data))


def pack_blob(data: Buffer, squeeze: Callable[[Buffer], bytes] | None = None) -> bytes:
    """Return a method byte and the data: as one zstd frame, or stored where zstd does not help.

    `squeeze` makes such a frame, which declares its content size; by default that of level 19.
    """
    squeezed = (squeeze or zstandard.ZstdCompressor(level=19).compress)(data)
    if len(squeezed) < len(data):
        return bytes([_ZSTD]) + squeezed
    return bytes([_STORED]) + data


def unpack_blob(blob: bytes | memoryview, limit: int, what: str) -> bytes:
    """Invert `pack_blob`; raise `ArchiveError` if malformed or longer than `limit` bytes."""
    method, data = blob[:1], blob[1:]
    if method == bytes([_STORED]) and len(data) <= limit:
        return bytes(data)
    if method == bytes([_ZSTD]):
        try:
            # The decompressor trusts the size a frame declares, so that is looked at first.
            size = zstandard.get_frame_parameters(data).content_size
            if size <= limit:
                return zstandard.ZstdDecompressor().decompress(data, max_output_size=limit)
        except (zstandard.ZstdError, MemoryError, ValueError) as error:
            raise ArchiveError(f"the archive's {what} is malformed") from error
    raise ArchiveError(f"the archive's {what} is malformed or too large")


def pack_mixed(data: Buffer, version: int = NEWEST) -> bytes | None:
    """Return the length of at most `octets.MOST` bytes, and them by context mixing; None if that
    takes more room than they do."""
    words = octets.encode(data, len(data) // 4, version)
    return None if words is None else LENGTH.pack(len(data)) + words.astype("<u4").tobytes()


def unpack_mixed(blob: bytes | memoryview, limit: int, what: str, version: int = NEWEST) -> bytes:
    """Invert `pack_mixed`; raise `ArchiveError` if malformed or longer than `limit` bytes."""
    size = LENGTH.unpack_from(blob)[0] if blob and len(blob) % 4 == 0 else limit + 1
    if size > min(limit, octets.MOST):
        raise ArchiveError(f"the archive's {what} is malformed or too large")
    return octets.decode(np.frombuffer(blob, "<u4", offset=LENGTH.size), size, version)
