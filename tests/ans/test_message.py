"""Messages: their flat form, their virtual bottom, and what damage does to them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitswap_cli.ans import (
    Damaged,
    Logistic,
    LogisticParameters,
    Message,
    Uniform,
    distributions,
)
from bitswap_cli.ans.bottom import splitmix64
from tests.ans.check import random_message
from tests.ans.codecs import CODECS


@pytest.mark.parametrize("lanes", [1, 8, 32])
def test_words_are_heads_high_heads_low_tail_from_its_top(lanes: int) -> None:
    words = np.arange(2 * lanes + 3, dtype=np.uint32) + np.uint32(1 << 30)
    message = Message.from_words(words, lanes)
    assert (message.lanes, len(message)) == (lanes, 3)
    assert int(message.head[0]) == (1 << 30 << 32) + (1 << 30) + lanes
    assert message.tail.tolist() == words[2 * lanes :].tolist()
    assert message.to_words().tolist() == words.tolist()
    words[:] = 0  # the message is its own
    assert message.copy() == message != Message(lanes)


def test_only_possible_messages_are_read() -> None:
    for words in ([], [1 << 31], [1 << 31, 0], [0, (1 << 31) - 1], [(1 << 32) - 1, 0]):
        with pytest.raises(Damaged, match="damaged"):
            Message.from_words(np.array(words, np.uint32), 1)
    for lanes in (0, -1, 33):
        with pytest.raises(ValueError, match="lanes"):
            Message.from_words(np.zeros(999, np.uint32), lanes)
        with pytest.raises(ValueError, match="lanes"):
            Message(lanes)
    with pytest.raises(ValueError, match="virtual bottom"):
        Message(1).finish()


def test_the_generator_is_splitmix64() -> None:
    """The first outputs of the published generator with seed 0."""
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert splitmix64(np.arange(3, dtype=np.uint64)).tolist() == expected


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    lanes=st.sampled_from([1, 8, 32]),
    payload=st.binary(max_size=3000),
    count=st.integers(0, 900),
)
def test_the_bottom_comes_back(
    engine: str, seed: int, lanes: int, payload: bytes, count: int
) -> None:
    """Bits-back as a codec does it: pop, push, finish; then the same backwards."""
    rng = np.random.default_rng(seed)
    posterior, other = (CODECS[kind](rng, count) for kind in ("logistic", "mixture"))
    message = Message.with_bottom(payload, lanes)
    latent = posterior.pop(message)
    data = other.pop(Message.with_bottom(rng.bytes(16), lanes))
    other.push(message, data)
    words, used = message.finish()
    assert used <= len(payload)
    assert len(words) == 2 * lanes + len(message)

    decoder = Message.from_words(words, lanes)
    assert np.array_equal(other.pop(decoder), data)
    posterior.push(decoder, latent)
    recovered = decoder.check_bottom()
    assert recovered.rstrip(b"\0") == payload[:used].rstrip(b"\0")
    assert used in (len(recovered), len(payload))
    assert decoder.check_bottom(used) == payload[:used]
    with pytest.raises(Damaged):
        decoder.check_bottom(len(recovered) + 1)
    with pytest.raises(Damaged):
        Uniform(20, (40 * (len(decoder) + 4 * lanes),)).pop(decoder)


def test_no_more_of_the_bottom_is_kept_than_was_used(engine: str) -> None:
    message = Message.with_bottom(b"x" * 10_000, 32)
    symbols = Uniform(16, (2000,)).pop(message)
    Uniform(16, (2000,)).push(message, symbols)
    words, used = message.finish()
    assert used == 124 + 4 * len(message)
    assert abs(len(message) - 2000 * 16 / 32) <= 32
    assert message.check_bottom()[:used] == b"x" * used
    twin = message.copy()
    Uniform(16, (4000,)).pop(twin)
    assert message.finish()[1] == used < twin.finish()[1]
    Uniform(16, (3000,)).pop(message)
    assert used < message.finish()[1] < twin.finish()[1]
    assert len(words) > len(message.finish()[0]) == 64


def test_damage_is_seen_or_gives_other_symbols(engine: str) -> None:
    rng = np.random.default_rng(9)
    codec = Logistic(LogisticParameters(np.full(2000, 900), np.full(2000, 60)), 0, 255)
    message = Message.with_bottom(b"", 8)
    symbols = codec.pop(message)
    other = (symbols + 7) % 256
    codec.push(message, other)
    words, used = message.finish()
    caught = 0
    for trial in range(120):
        bad = words.copy()
        if trial % 2:
            bad[rng.integers(len(bad))] ^= np.uint32(1 << rng.integers(32))
        else:
            bad = bad[: rng.integers(len(bad))]
        try:
            decoder = Message.from_words(bad, 8)
            decoded = codec.pop(decoder)
            codec.push(decoder, symbols)
            decoder.check_bottom(used)
        except Damaged:
            caught += 1
        else:
            assert not np.array_equal(decoded, other)
    assert caught == 120


def test_random_words_pop_to_symbols_of_the_alphabet(engine: str) -> None:
    rng = np.random.default_rng(10)
    for _ in range(10):
        for kind in CODECS.values():
            codec, message = kind(rng, 200), random_message(rng, 32, 300)
            before = message.copy()
            symbols = codec.pop(message)
            codec.push(message, symbols)  # would refuse any other
            assert message == before


def test_two_threads_work_on_two_messages(engine: str) -> None:
    count = 200_000 if engine == "c" else 2000
    mean = np.arange(count) % 4096
    codec = Logistic(LogisticParameters(mean, mean % 90), 0, 255)

    def work(seed: int) -> list[int]:
        message = Message.with_bottom(bytes([seed]) * 9999, 32)
        for _ in range(5):
            symbols = codec.pop(message)
            codec.push(message, symbols[::-1])
        return message.to_words().tolist()

    alone = [work(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, range(4))) == alone


def test_a_message_does_not_equal_other_things() -> None:
    assert Message(1) != 1
    assert distributions.TOTAL == 1 << 20
