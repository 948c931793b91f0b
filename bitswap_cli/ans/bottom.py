"""The virtual bottom of a message: where initial bits come from, and where they come back.

Bits-back coding pops before it has pushed anything. What it pops there is not invented: the
stack goes on below its bottom with known words, the payload's XOR a counter generator's, and the
decoder, left with exactly those that were used, checks them and has its payload back. Mixing
matters: runs of zeros would always pop the lowest symbol, the dearest one to code.
"""

import numpy as np
from numpy.typing import NDArray

HEAD_BITS = 31  # initial bits in each lane, below its leading one
HEAD_COUNTER = 1 << 40  # the generator's counter for lane 0; words count from 0


def splitmix64(counter: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Output number `counter` of the SplitMix64 generator with seed 0.

    Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".

    Parameters
    ----------
    counter : uint64 array

    Returns
    -------
    uint64 array of the same shape
    """
    z = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _mask(start: int, count: int) -> NDArray[np.uint32]:
    counters = np.arange(start, start + count, dtype=np.uint64)
    return (splitmix64(counters) >> np.uint64(32)).astype(np.uint32)


def _head_bytes(lanes: int) -> int:
    return HEAD_BITS * lanes // 8


class Bottom:
    """The words below the bottom of one message that is being encoded.

    Parameters
    ----------
    payload : bytes
        Carried by the initial bits: the heads take the first bytes, then words in order.
    lanes : int
        Lanes of the message.

    Attributes
    ----------
    laid : int
        Words handed out by `lay` so far.
    """

    def __init__(self, payload: bytes, lanes: int) -> None:
        self._payload = payload
        self._lanes = lanes
        self.laid = 0

    def heads(self) -> NDArray[np.uint64]:
        """Initial states of the lanes, shape (lanes,), in [2**31, 2**32)."""
        packed = int.from_bytes(self._payload[: _head_bytes(self._lanes)], "little")
        pieces = [packed >> HEAD_BITS * lane & (1 << HEAD_BITS) - 1 for lane in range(self._lanes)]
        mask = _mask(HEAD_COUNTER, self._lanes) >> np.uint32(1)
        leading = np.uint64(1 << HEAD_BITS)
        return leading | (np.array(pieces, np.uint64) ^ mask.astype(np.uint64))

    def lay(self, count: int) -> NDArray[np.uint32]:
        """The next `count` words downwards, shape (count,)."""
        start = _head_bytes(self._lanes) + 4 * self.laid
        piece = self._payload[start : start + 4 * count].ljust(4 * count, b"\0")
        words = np.frombuffer(piece, "<u4") ^ _mask(self.laid, count)
        self.laid += count
        return words.astype(np.uint32)

    def payload_bytes(self, words: int) -> int:
        """Bytes of the payload that the heads and the first `words` words carry."""
        return min(len(self._payload), _head_bytes(self._lanes) + 4 * words)

    @staticmethod
    def read(head: NDArray[np.uint64], tail: NDArray[np.uint32]) -> bytes | None:
        """Undo the mixing of initial heads and used words.

        Parameters
        ----------
        head : uint64 array, shape (lanes,)
            Initial states, in [2**31, 2**32).
        tail : uint32 array, shape (n,)
            The words that were used, from the top down.

        Returns
        -------
        bytes or None
            What they carry; None if the heads' spare bits are not the generator's.
        """
        lanes = len(head)
        mask = _mask(HEAD_COUNTER, lanes) >> np.uint32(1)
        pieces = (head & np.uint64((1 << HEAD_BITS) - 1)) ^ mask.astype(np.uint64)
        packed = sum(int(piece) << HEAD_BITS * lane for lane, piece in enumerate(pieces))
        if packed >> 8 * _head_bytes(lanes):
            return None
        words = (tail ^ _mask(0, len(tail))).astype("<u4")
        return packed.to_bytes(_head_bytes(lanes), "little") + words.tobytes()
