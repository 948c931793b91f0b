"""Codecs made of codecs, with craystack's meaning."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitswap_cli.ans.distributions import Codec, Symbols
from bitswap_cli.ans.message import Message


class Serial:
    """Several codecs, one after the other.

    The last is pushed first, so that symbols are popped in the order of the codecs.

    Parameters
    ----------
    codecs : sequence of codecs
    """

    def __init__(self, codecs: Sequence[Codec]) -> None:
        self._codecs = tuple(codecs)

    def push(self, message: Message, symbols: Sequence[ArrayLike]) -> None:
        """Push one array for each codec; ValueError if there are more or fewer."""
        for codec, part in reversed(list(zip(self._codecs, symbols, strict=True))):
            codec.push(message, part)

    def pop(self, message: Message) -> list[Symbols]:
        """Pop one array for each codec."""
        return [codec.pop(message) for codec in self._codecs]

    def bits(self, symbols: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
        """Information content of each array's symbols, in bits."""
        return [codec.bits(part) for codec, part in zip(self._codecs, symbols, strict=True)]


class Substack:
    """A codec that sees only some lanes of the message, over the same tail.

    Parameters
    ----------
    codec : codec
    lanes : slice
        Consecutive lanes, at least one.
    """

    def __init__(self, codec: Codec, lanes: slice) -> None:
        self._codec = codec
        self._lanes = lanes

    def push(self, message: Message, symbols: ArrayLike) -> None:
        """Push with only these lanes."""
        with message.narrowed(self._lanes):
            self._codec.push(message, symbols)

    def pop(self, message: Message) -> Symbols:
        """Pop with only these lanes."""
        with message.narrowed(self._lanes):
            return self._codec.pop(message)

    def bits(self, symbols: ArrayLike) -> NDArray[np.float64]:
        """Information content of each symbol, in bits."""
        return self._codec.bits(symbols)
