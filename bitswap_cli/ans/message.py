"""The message of a vectorized rANS coder: a head of lanes over a tail of words.

The layout is craystack's (Townsend 2020, https://github.com/j-towns/craystack): each lane holds
a number in [2**31, 2**63); lanes that overflow in one row give 32-bit words to the shared tail,
lane by lane, and take them back in the same order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.bottom import Bottom
from bitswap_cli.ans.errors import Damaged, Underflow
from bitswap_cli.ans.parameters import MAX_LANES

HEAD_MIN = 1 << 31
HEAD_LIMIT = 1 << 63
GUARD = MAX_LANES + 1  # words that an engine may read past the bottom before it sees underflow
FIRST_EXTENSION = 512  # words of virtual bottom laid down the first time they are needed

T = TypeVar("T")


class Message:
    """A stack of symbols: what is pushed last is popped first.

    A message changes in place, and wholly or not at all: an operation that raises leaves it as
    it was. One message belongs to one thread at a time; different messages are independent.

    Parameters
    ----------
    lanes : int
        Lanes of the head, 1..32. Each starts at 2**31, the smallest state, over an empty tail.

    Attributes
    ----------
    head : uint64 array, shape (lanes,)
        State of each lane, in [2**31, 2**63).

    Raises
    ------
    ValueError
        If the number of lanes is not in 1..32.
    """

    def __init__(self, lanes: int) -> None:
        if not 1 <= lanes <= MAX_LANES:
            raise ValueError(f"a message has 1..{MAX_LANES} lanes, not {lanes}")
        self.head = np.full(lanes, HEAD_MIN, np.uint64)
        # The tail is words[top:end], its top first; it grows towards words[0].
        self._words = np.zeros(GUARD, np.uint32)
        self._top = 0
        self._end = 0
        self._bottom: Bottom | None = None
        self._untouched = 0  # words at the bottom that no pop has reached

    @classmethod
    def with_bottom(cls, payload: bytes, lanes: int) -> "Message":
        """Start a message to encode into, over a virtual bottom that supplies initial bits.

        Below its bottom the stack goes on with words that the decoder knows or gets for free:
        the payload's, mixed with a counter generator, then the generator's alone. Pops extend
        it as far as they need.

        Parameters
        ----------
        payload : bytes
            Data that the decoder recovers; as much of it travels as there are initial bits.
        lanes : int
            Lanes of the head, 1..32.

        Returns
        -------
        Message
            Finish it with `finish`; the decoder ends with `check_bottom`.
        """
        message = cls(lanes)
        message._bottom = Bottom(payload, lanes)
        message.head[:] = message._bottom.heads()
        return message

    @classmethod
    def from_words(cls, words: NDArray[np.uint32], lanes: int) -> "Message":
        """Read a message in craystack's flat order, the inverse of `to_words`.

        Parameters
        ----------
        words : uint32 array, shape (2 * lanes + n,)
            High words of the heads, low words of the heads, the tail from its top down.
        lanes : int
            Lanes of the head, 1..32.

        Returns
        -------
        Message
            A message of its own, which shares no memory with `words`.

        Raises
        ------
        Damaged
            If there are too few words, or a head that no encoder leaves.
        ValueError
            If the number of lanes is not in 1..32.
        """
        message = cls(lanes)
        flat = np.ascontiguousarray(words, dtype=np.uint32).ravel()
        if len(flat) < 2 * lanes:
            raise Damaged("the compressed data is damaged: too short for its lanes")
        high, low = flat[:lanes].astype(np.uint64), flat[lanes : 2 * lanes].astype(np.uint64)
        head = high << np.uint64(32) | low
        if np.any(head < np.uint64(HEAD_MIN)) or np.any(head >= np.uint64(HEAD_LIMIT)):
            raise Damaged("the compressed data is damaged: a lane is out of range")
        message.head = head
        tail = flat[2 * lanes :]
        message._words = np.zeros(len(tail) + GUARD, np.uint32)
        message._words[: len(tail)] = tail
        message._end = message._untouched = len(tail)
        return message

    def to_words(self) -> NDArray[np.uint32]:
        """Flatten in craystack's order: head high words, head low words, tail from its top.

        Returns
        -------
        uint32 array, shape (2 * lanes + len(message),)
        """
        high, low = self.head >> np.uint64(32), self.head & np.uint64(0xFFFFFFFF)
        return np.concatenate([high.astype(np.uint32), low.astype(np.uint32), self.tail])

    @property
    def lanes(self) -> int:
        """Lanes of the head."""
        return len(self.head)

    @property
    def tail(self) -> NDArray[np.uint32]:
        """A copy of the tail, from its top down, with all of the bottom laid so far."""
        return self._words[self._top : self._end].copy()

    def __len__(self) -> int:
        """Words in the tail, less those of the virtual bottom that nothing has reached."""
        return self._end - self._top - (self._untouched if self._bottom else 0)

    def __eq__(self, other: object) -> bool:
        """Whether two messages hold the same heads and the same tail."""
        if not isinstance(other, Message):
            return NotImplemented
        return np.array_equal(self.to_words(), other.to_words())

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> "Message":
        """Return a message of its own with the same content and the same virtual bottom."""
        twin = Message(self.lanes)
        twin.head = self.head.copy()
        twin._words = self._words.copy()
        twin._top, twin._end = self._top, self._end
        twin._bottom, twin._untouched = copy(self._bottom), self._untouched
        return twin

    def finish(self) -> tuple[NDArray[np.uint32], int]:
        """Flatten what a decoder needs: everything but the untouched part of the bottom.

        Returns
        -------
        words : uint32 array
            What `from_words` reads.
        payload_used : int
            Bytes of the payload that the words contain: a prefix, whole words of it.

        Raises
        ------
        ValueError
            If the message has no virtual bottom.
        """
        if self._bottom is None:
            raise ValueError("only a message with a virtual bottom can be finished")
        words = self.to_words()
        used = self._bottom.payload_bytes(self._bottom.laid - self._untouched)
        return words[: len(words) - self._untouched], used

    def check_bottom(self, payload_used: int | None = None) -> bytes:
        """After the decoder's last push, verify that only the bottom is left, and read it.

        Parameters
        ----------
        payload_used : int, optional
            What `finish` returned, where it is known: exactly so much is returned, and the rest
            of the bottom must be the generator's alone. Otherwise all of it is returned: the
            payload's prefix, and zeros after its end if it was used up.

        Returns
        -------
        bytes
            The prefix of the payload that the initial bits carried.

        Raises
        ------
        Damaged
            If the rest of the message is not a bottom.
        """
        damaged = "the compressed data is damaged: it does not end where it began"
        if np.any(self.head >> np.uint64(31) != np.uint64(1)):
            raise Damaged(damaged)
        found = Bottom.read(self.head, self.tail)
        if found is None:
            raise Damaged(damaged)
        if payload_used is None:
            return found
        if payload_used > len(found) or any(found[payload_used:]):
            raise Damaged(damaged)
        return found[:payload_used]

    @contextmanager
    def narrowed(self, lanes: slice) -> Iterator[None]:
        """Within the context, the message is only the given lanes over the same tail.

        Parameters
        ----------
        lanes : slice
            Consecutive lanes, at least one.

        Raises
        ------
        ValueError
            If the slice is empty or skips lanes.
        """
        whole = self.head
        part = whole[lanes]
        if not len(part) or not part.flags.c_contiguous:
            raise ValueError("a message is narrowed to consecutive lanes, at least one")
        self.head = part
        try:
            yield
        finally:
            self.head = whole

    def _reserve(self, words: int) -> None:
        """Make room for so many more words, and one of slack that an engine may scribble on."""
        if self._top > words:
            return
        used = self._end - self._top
        room = max(words + 1, used)
        grown = np.zeros(room + used + GUARD, np.uint32)
        grown[room : room + used] = self._words[self._top : self._end]
        self._words, self._top, self._end = grown, room, room + used

    def _popping(self, attempt: Callable[[], T]) -> T:
        """Run a pop, laying down more of the virtual bottom for as long as it underflows."""
        while True:
            try:
                result = attempt()
            except Underflow:
                if self._bottom is None:
                    raise
                self._extend(self._bottom)
            else:
                self._untouched = min(self._untouched, self._end - self._top)
                return result

    def _extend(self, bottom: Bottom) -> None:
        more = bottom.lay(max(FIRST_EXTENSION, bottom.laid))
        self._words = np.concatenate(
            [self._words[: self._end], more, np.zeros(GUARD, np.uint32)], dtype=np.uint32
        )
        self._end += len(more)
        self._untouched += len(more)
