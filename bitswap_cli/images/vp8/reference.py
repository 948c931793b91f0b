"""VP8 key frames (RFC 6386), each decision of their boolean coder under a mixture of what is known:
the definition of what the kernel computes.

A frame's first ten bytes and the sizes of its partitions are carried as they are; all else is
decisions, in the order in which a decoder that goes from one macroblock to the next has need of
them, but that the mode of a block of luma comes just before its coefficients, and that of chroma
just before those.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.images.vp8.boolean import Reader, Writer
from bitswap_cli.images.vp8.coefficients import Blocks
from bitswap_cli.images.vp8.decisions import (
    AT_LEAST,
    CHECKING,
    DECODING,
    ENCODING,
    MOST,
    PER_BYTE,
    Decisions,
    TooMany,
)
from bitswap_cli.images.vp8.header import Header
from bitswap_cli.images.vp8.macroblocks import Macroblocks

HEAD = 10  # bytes before the first partition
START = b"\x9d\x01\x2a"

Words = NDArray[np.uint32]


class Frame:
    """Codes a frame, by `decisions`: `data` is the frame, or begins with what of it is carried."""

    def __init__(self, decisions: Decisions, data: bytes, size: int) -> None:
        self._decisions, self._data, self._size = decisions, data, size
        self.carried = HEAD
        """Bytes that are carried."""

    def coded(self) -> bytes:
        """The frame, or nothing of an encoder; raise `Damaged` if there is none."""
        d, data, size = self._decisions, self._data, self._size
        d.begin(size)
        if size < HEAD or len(data) < HEAD or data[0] & 1 or data[3:6] != START:
            raise Damaged
        width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (6, 8))
        first = int.from_bytes(data[:3], "little") >> 5
        if not width or not height or first > size - HEAD:
            raise Damaged
        self._begin(HEAD, first)
        blocks = Blocks(d)
        settings = Header(d).coded(blocks)
        sizes = [first, *self._begin_others(HEAD + first, settings.partitions)]
        Macroblocks(d, blocks, -(-height // 16), -(-width // 16), settings).code()
        if d.task == ENCODING:
            return b""
        found = [w.data(own) for w, own in zip(d.writers, sizes, strict=True)]
        if None in found:
            raise Damaged
        whole = [own for own in found if own is not None]
        return b"".join([data[:HEAD], whole[0], self._told, *whole[1:]])

    def _begin(self, at: int, size: int) -> None:
        """Where a partition begins."""
        d = self._decisions
        if not d.decoding:
            d.readers.append(Reader(self._data[at : at + size]))
        d.writers.append(Writer())

    def _begin_others(self, at: int, partitions: int) -> list[int]:
        """Begin the partitions of coefficients, whose sizes but that of the last one are told."""
        length = 3 * (partitions - 1)
        start = HEAD if self._decisions.decoding else at
        self._told = self._data[start : start + length]
        self.carried, at = HEAD + length, at + length
        if len(self._told) < length or at > self._size:
            raise Damaged
        sizes = list[int]()
        for i in range(partitions):
            own = self._size - at
            if i < partitions - 1:
                own = int.from_bytes(self._told[3 * i : 3 * i + 3], "little")
            if own > self._size - at:
                raise Damaged
            self._begin(at, own)
            sizes.append(own)
            at += own
        return sizes


def carried(frame: bytes) -> int:
    """How many bytes of a frame are carried; 0 if it does not come back."""
    own = Frame(Decisions(CHECKING, most=PER_BYTE * len(frame) + AT_LEAST), frame, len(frame))
    try:
        return own.carried if own.coded() == frame else 0
    except Damaged:
        return 0


def encode(frames: Sequence[bytes], most: int = MOST) -> Words:
    """Code frames that come back, one after the other; raise `TooMany` if these take more decisions
    than `most`."""
    decisions = Decisions(ENCODING, most=most)
    try:
        for frame in frames:
            Frame(decisions, frame, len(frame)).coded()
    except Damaged:
        raise TooMany from None
    return decisions.coder.words()


def decode(words: Words, rest: bytes, gaps: Sequence[int], size: int, most: int = MOST) -> bytes:
    """Find bytes, and the frames in them, as `engine.decode` does; raise `Damaged` if no encoder
    leaves these."""
    decisions, found, at = Decisions(DECODING, words, most), bytearray(), 0
    for gap in gaps:
        own = rest[at : at + gap]
        at += gap
        if gap < 4 or len(own) < gap:
            raise Damaged
        found += own
        length = int.from_bytes(own[-4:], "little")
        if length > size - len(found):
            raise Damaged
        frame = Frame(decisions, rest[at:], length)
        found += frame.coded()
        at += frame.carried
    found += rest[at:]
    if len(found) != size or len(decisions.coder.words()):
        raise Damaged
    return bytes(found)
