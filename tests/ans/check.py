"""The codec law, checked from both sides."""

import numpy as np
from numpy.typing import ArrayLike

from bitswap_cli.ans import Codec, Message, Underflow, distributions, kernel, reference
from bitswap_cli.ans.parameters import FINE_PRECISION


def chosen() -> kernel.Engine:
    """The engine that the fixture has chosen."""
    engine: kernel.Engine = distributions.engine()  # type: ignore[attr-defined]
    return engine


def every_value(_: slice, cf: np.ndarray) -> reference.Interval:
    """Symbols for `reference._pop`: each value is one, of frequency 1."""
    return cf.astype(np.int64), cf.astype(np.int64), np.ones(len(cf), np.int64)


def random_message(rng: np.random.Generator, lanes: int, words: int) -> Message:
    """A message with random heads and a random tail of `words` words."""
    # Log-uniform, so that lanes near both ends of their range occur.
    head = np.exp2(rng.uniform(31, 63, lanes)).astype(np.uint64)
    head = np.clip(head, np.uint64(1 << 31), np.uint64((1 << 63) - 1))
    high = (head >> np.uint64(32)).astype(np.uint32)
    low = (head & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    tail = rng.integers(0, 1 << 32, words, dtype=np.uint32)
    return Message.from_words(np.concatenate([high, low, tail]), lanes)


def check_codec(codec: Codec, symbols: ArrayLike, message: Message) -> None:
    """pop undoes push, push undoes pop, and a pop that underflows changes nothing."""
    expected = np.asarray(symbols)
    before = message.copy()
    codec.push(message, symbols)
    assert np.all((message.head >= 1 << 31) & (message.head < 1 << 63))
    popped = codec.pop(message)
    assert popped.dtype == np.int32
    np.testing.assert_array_equal(popped, expected)
    assert message == before

    bits = codec.bits(symbols)
    assert bits.dtype == np.float64
    assert bits.shape == expected.shape
    assert np.all((bits >= 0) & (bits <= FINE_PRECISION))

    try:
        popped = codec.pop(message)
    except Underflow:
        assert message == before
    else:
        assert np.all((message.head >= 1 << 31) & (message.head < 1 << 63))
        codec.push(message, popped)
        assert message == before
