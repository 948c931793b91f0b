"""Every codec obeys the codec law, with both engines, from any state."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitswap_cli.ans import (
    Bernoulli,
    Categorical,
    Logistic,
    LogisticMixture,
    LogisticParameters,
    Message,
    MixtureParameters,
    Serial,
    Substack,
    Underflow,
    Uniform,
    distributions,
    kernel,
    quantize,
    reference,
)
from bitswap_cli.ans.parameters import sigma
from tests.ans.check import check_codec, chosen, every_value, random_message
from tests.ans.codecs import CODECS

CASES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
lanes_strategy = st.sampled_from([1, 8, 32, 5])
seeds = st.integers(0, 2**32)
counts = st.integers(0, 150)


@pytest.mark.parametrize("kind", CODECS)
@CASES
@given(seed=seeds, count=counts, lanes=lanes_strategy)
def test_push_and_pop_are_inverse(
    engine: str, kind: str, seed: int, count: int, lanes: int
) -> None:
    rng = np.random.default_rng(seed)
    codec = CODECS[kind](rng, count)
    # Popped from random bits, symbols come from the tails, too.
    symbols = codec.pop(random_message(rng, lanes, 2 * count))
    check_codec(codec, symbols, random_message(rng, lanes, int(rng.integers(0, 2 * count + 1))))


@pytest.mark.skipif(kernel.compiled() is None, reason="the kernel is not compiled")
@pytest.mark.parametrize("kind", CODECS)
@CASES
@given(seed=seeds, count=counts, lanes=lanes_strategy)
def test_engines_agree_on_every_bit(kind: str, seed: int, count: int, lanes: int) -> None:
    results = []
    for engine in (reference, kernel.compiled()):
        rng = np.random.default_rng(seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(distributions, "engine", lambda chosen=engine: chosen)
            codec = CODECS[kind](rng, count)
            message = random_message(rng, lanes, 2 * count)
            symbols = codec.pop(message)
            popped = message.to_words().tolist()
            message = random_message(rng, lanes, 3)
            codec.push(message, symbols)
        results.append((symbols.tolist(), popped, message.to_words().tolist()))
    assert results[0] == results[1]


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 1000, 1024])
def test_every_cumulative_value_pops_its_symbol(engine: str, size: int) -> None:
    """Each end of each interval of some logistics, tails of frequency 1 included."""
    rng = np.random.default_rng(size)
    for scale in (0, 20, 60, 127):
        mean = int(rng.integers(-16 * size, 32 * size))
        index = np.arange(size)
        parameters = LogisticParameters(np.full(size, mean), np.full(size, scale))
        freq = np.exp2(20 - Logistic(parameters, 0, size - 1).bits(index)).round().astype(int)
        assert freq.min() >= 1
        assert freq.sum() == 1 << 20
        ends = np.concatenate([[0], freq.cumsum()])
        cf = np.concatenate([ends[:-1], ends[1:] - 1])
        expected = np.concatenate([index, index])
        many = LogisticParameters(np.full(2 * size, mean), np.full(2 * size, scale))
        message = Message.with_bottom(b"", 32)
        Uniform(20, cf.shape).push(message, cf)
        before = message.copy()
        # What a uniform of 20 bits pushed is, row by row, what the logistic looks up.
        for first in reversed(range(0, 2 * size, 32)):
            row = slice(first, min(first + 32, 2 * size))
            part = Logistic(LogisticParameters(many.mean[row], many.scale[row]), 0, size - 1)
            np.testing.assert_array_equal(part.pop(message), expected[row])
            part.push(message, expected[row])
            Uniform(20, (row.stop - first,)).pop(message)
        for first in range(0, 2 * size, 32):
            row = slice(first, min(first + 32, 2 * size))
            Uniform(20, (row.stop - first,)).push(message, cf[row])
        assert message == before


@pytest.mark.parametrize(("low", "high"), [(-2048, 2047), (-512, 512), (1023, 2047)])
@pytest.mark.parametrize("components", [1, 4])
def test_every_value_pops_a_symbol_of_a_large_alphabet(
    engine: str, low: int, high: int, components: int
) -> None:
    """Both ends of every interval; frequencies sum to 2^24 and are 1 far from the means."""
    rng = np.random.default_rng(components)
    symbols = np.arange(low, high + 1)
    size = len(symbols)
    for widest in (8, 60, 128):
        mean = np.tile(rng.integers(-32768, 32768, components), (2 * size, 1))
        scale = np.tile(rng.integers(0, widest, components), (2 * size, 1))
        weight = np.tile(rng.multinomial(256, [1 / components] * components), (2 * size, 1))
        codec = LogisticMixture(MixtureParameters(weight, mean, scale), low, high)
        starts, freqs = (part[:size] for part in codec.intervals(np.tile(symbols, 2)))
        assert freqs.min() >= 1
        assert starts[0] == 0 and int(starts[-1] + freqs[-1]) == 1 << 24
        assert np.array_equal(starts[1:], (starts + freqs)[:-1])
        cf = np.concatenate([starts, starts + freqs - np.uint32(1)])
        expected = np.tile(symbols, 2)
        for first in range(0, 2 * size, 32):  # a row at a time: the first lane is popped first
            row = slice(first, min(first + 32, 2 * size))
            message = random_message(rng, 32, 40)
            before = message.copy()
            chosen().push(message, cf[row], np.ones_like(cf[row]), 24)
            part = MixtureParameters(weight[row], mean[row], scale[row])
            popped = LogisticMixture(part, low, high).pop(message)
            assert popped.tolist() == expected[row].tolist()
            LogisticMixture(part, low, high).push(message, popped)
            reference._pop(message, len(popped), every_value, 24)
            assert message == before


def test_a_large_alphabet_costs_no_more_than_its_floor() -> None:
    """Bits a symbol over those of the real logistic: 4096 of 2^24 are .00035."""
    symbols = np.arange(-2048, 2048)
    for scale in (4, 30, 52, 90):
        mean = 16 * 100 + 5
        edges = (np.arange(-2048, 2049) - 0.5 - mean / 16) / sigma(scale)
        edges[0], edges[-1] = -700, 700
        edges = edges.clip(-700, 700)
        upper, lower = 1 / (1 + np.exp(-edges)), 1 / (1 + np.exp(edges))
        exact = np.where(edges[:-1] < 0, np.diff(upper), -np.diff(lower))
        parameters = LogisticParameters(np.full(4096, mean), np.full(4096, scale))
        bits = Logistic(parameters, -2048, 2047).bits(symbols)
        excess = float(np.sum(exact * (bits + np.log2(np.maximum(exact, 1e-300)))))
        assert -1e-9 < excess < 0.0005
        assert bits.max() <= 24


@pytest.mark.parametrize("state", [1 << 31, (1 << 63) - 1, 1 << 32, (1 << 43) - 1, 1 << 43])
@pytest.mark.parametrize("freq", [1, 2, 1 << 19, (1 << 20) - 1])
def test_boundary_states_follow_the_formula(engine: str, state: int, freq: int) -> None:
    words = np.array([state >> 32, state & 0xFFFFFFFF, 99], np.uint32)
    message = Message.from_words(words, 1)
    Bernoulli(np.array([freq])).push(message, np.array([1]))
    start = (1 << 20) - freq
    lane, tail = state, [99]
    if lane >= freq << 43:
        lane, tail = lane >> 32, [lane & 0xFFFFFFFF, *tail]
    lane = (lane // freq << 20) + lane % freq + start
    assert int(message.head[0]) == lane
    assert message.tail.tolist() == tail
    assert Bernoulli(np.array([freq])).pop(message).tolist() == [1]
    assert message.to_words().tolist() == words.tolist()


def test_a_certain_symbol_costs_nothing(engine: str) -> None:
    message = random_message(np.random.default_rng(0), 8, 5)
    before = message.copy()
    for codec in (Categorical([1 << 20], (50,)), Uniform(0, (50,))):
        codec.push(message, np.zeros(50, int))
        assert message == before
        assert not codec.pop(message).any()
        assert message == before
        assert not codec.bits(np.zeros(50, int)).any()


def test_underflow_changes_nothing(engine: str) -> None:
    rng = np.random.default_rng(3)
    for kind in CODECS.values():
        codec = kind(rng, 400)
        message = random_message(rng, 32, 20)
        for _ in range(100):  # until whatever is left does not do
            before = message.copy()
            try:
                codec.pop(message)
            except Underflow:
                assert message == before
                break


def test_golden_words(engine: str) -> None:
    """Numeric profile 1, frozen: if this fails, archives of earlier versions cannot be read."""
    index = np.arange(100)
    logistic = Logistic(LogisticParameters(index * 41 - 50, index % 128), 0, 255)
    wide = np.stack([index * 30, index * 10 + 500, 4000 - index * 40], axis=-1)
    weight = np.stack([index, 200 - index, np.full(100, 56)], axis=-1)
    mixture = LogisticMixture(MixtureParameters(weight, wide, (wide // 50) % 128), -100, 155)
    message = Message.with_bottom(bytes(range(256)), 8)
    popped = mixture.pop(message)
    logistic.push(message, (index * 37) % 256)
    Bernoulli(1 + index * 9999).push(message, index % 2)
    Categorical(quantize(1 + np.arange(50)), (100,)).push(message, index % 50)
    words, used = message.finish()
    assert popped[:8].tolist() == GOLDEN_SYMBOLS
    assert (len(words), used) == GOLDEN_LENGTHS
    assert words[:4].tolist() + words[-4:].tolist() == GOLDEN_WORDS
    assert int(words.astype(np.uint64).sum()) == GOLDEN_SUM


GOLDEN_SYMBOLS = [31, 155, 32, 155, 34, 155, 35, 35]
GOLDEN_LENGTHS = (92, 79)
GOLDEN_WORDS = [650, 1222317, 246955842, 7839, 2924478467, 2237011859, 2897217983, 4001404154]
GOLDEN_SUM = 227120672111


def test_golden_words_of_a_large_alphabet(engine: str) -> None:
    """Frozen as those above."""
    index = np.arange(200)
    mean = np.stack([index * 300 - 30000, 9000 - index * 11, index * 2 - 200], axis=-1)
    weight = np.stack([index, 220 - index, np.full(200, 36)], axis=-1)
    codec = LogisticMixture(MixtureParameters(weight, mean, abs(mean) // 9 % 128), -2048, 2047)
    message = Message.with_bottom(bytes(range(256)), 8)
    popped = codec.pop(message)
    codec.push(message, (popped + index) % 4096 - 2048)
    words, used = message.finish()
    assert (popped[:8].tolist(), len(words), used) == LARGE_SYMBOLS
    assert words[:4].tolist() + words[-4:].tolist() == LARGE_WORDS
    assert int(words.astype(np.uint64).sum()) == LARGE_SUM


LARGE_SYMBOLS = ([543, 619, 651, 532, -13, 592, 590, 532], 158, 183)
LARGE_WORDS = [12689366, 2320646, 5033984, 21, 3612411306, 660824970, 2554945148, 422562242]
LARGE_SUM = 176399942719


def test_bits_are_what_a_message_grows_by(engine: str) -> None:
    rng = np.random.default_rng(5)
    for kind in CODECS.values():
        codec = kind(rng, 4000)
        symbols = codec.pop(Message.with_bottom(b"", 32))
        message = Message(32)
        codec.push(message, symbols)
        grown = 32 * len(message) + np.log2(message.head.astype(float)).sum() - 31 * 32
        assert abs(grown - codec.bits(symbols).sum()) < 0.1


def test_arrays_of_any_shape_are_coded_in_c_order(engine: str) -> None:
    rng = np.random.default_rng(6)
    mean, scale = rng.integers(0, 4096, (3, 4, 5)), np.full((3, 4, 5), 50)
    symbols = rng.integers(0, 256, (3, 4, 5)).astype(np.uint8)
    one, other = Message(8), Message(8)
    Logistic(LogisticParameters(mean, scale), 0, 255).push(one, symbols)
    flat = LogisticParameters(mean.ravel(), scale.ravel())
    Logistic(flat, 0, 255).push(other, symbols.ravel())
    assert one == other
    turned = LogisticParameters(mean.T, scale.T)
    Logistic(turned, 0, 255).push(other, symbols.T)
    assert Logistic(turned, 0, 255).pop(other).shape == (5, 4, 3)
    assert one == other


def test_serial_pops_in_order_and_substack_leaves_other_lanes_alone(engine: str) -> None:
    rng = np.random.default_rng(7)
    message = random_message(rng, 32, 200)
    before = message.copy()
    codec = Serial([Uniform(3, (70,)), Substack(Uniform(20, (99,)), slice(8, 16))])
    parts = [rng.integers(0, 8, 70), rng.integers(0, 1 << 20, 99)]
    codec.push(message, parts)
    assert [part.tolist() for part in codec.pop(message)] == [part.tolist() for part in parts]
    assert message == before
    assert codec.bits(parts)[1].sum() == 99 * 20
    inner = Substack(Uniform(20, (99,)), slice(8, 16))
    inner.push(message, parts[1])
    assert np.array_equal(message.head[:8], before.head[:8])
    assert np.array_equal(message.head[16:], before.head[16:])
    with pytest.raises(ValueError, match="consecutive"):
        Substack(Uniform(1, (2,)), slice(0, 4, 2)).pop(message)


@pytest.mark.parametrize(
    ("counts", "freqs"),
    [
        ([0, 1], [1, (1 << 20) - 1]),
        ([5], [1 << 20]),
        ([[1, 1], [0, 9]], [[1 << 19, 1 << 19], [1, (1 << 20) - 1]]),
        ([1, 1, 1], [349526, 349525, 349525]),
        ([1 << 40, 0], [(1 << 20) - 1, 1]),
    ],
)
def test_quantize(counts: list[int], freqs: list[int]) -> None:
    assert quantize(counts).tolist() == freqs


def test_misuse_is_refused_and_changes_nothing(engine: str) -> None:
    rng = np.random.default_rng(8)
    message = random_message(rng, 8, 10)
    before = message.copy()
    zeros, ones = np.zeros(300, int), np.ones((300, 2), int)
    logistic = Logistic(LogisticParameters(zeros, zeros), -5, 5)
    uneven = LogisticMixture(MixtureParameters(ones * [100, 155], ones, ones), 0, 9)
    negative = LogisticMixture(MixtureParameters(ones * [-1, 257], ones, ones), 0, 9)
    for value in (-6, 6, 2**31, -(2**31), 2**40, -(2**63), 2**31 + 5):
        wrong = zeros.copy()
        wrong[-1] = value
        for codec in (logistic, Uniform(2, (300,)), Bernoulli(zeros + 9)):
            with pytest.raises(ValueError, match="symbols must be in"):
                codec.push(message, wrong)
            with pytest.raises(ValueError, match="symbols must be in"):
                codec.bits(wrong)
    for mixture in (uneven, negative):
        with pytest.raises(ValueError, match="sum to 256"):
            mixture.push(message, zeros)
        with pytest.raises(ValueError, match="sum to 256"):
            mixture.pop(message)
    with pytest.raises(ValueError, match="shape"):
        logistic.push(message, zeros[:-1])
    with pytest.raises(ValueError, match="integers"):
        logistic.push(message, zeros.astype(float))
    assert message == before


def test_bad_parameters_are_refused() -> None:
    zeros = np.zeros(3, int)
    for low, high in ((0, 2048), (1, 0), (-2049, 0), (2000, 2048), (-2048, 2048)):
        with pytest.raises(ValueError, match="alphabet"):
            Logistic(LogisticParameters(zeros, zeros), low, high)
    for mean in (zeros[:2], zeros.astype(float)):
        with pytest.raises(ValueError, match="shape|integers"):
            Logistic(LogisticParameters(mean, zeros), 0, 1)
    many = np.zeros((3, 17), int)
    with pytest.raises(ValueError, match="components"):
        LogisticMixture(MixtureParameters(many, many, many), 0, 1)
    with pytest.raises(ValueError, match="shapes"):
        LogisticMixture(MixtureParameters(many, many, zeros), 0, 1)
    for freqs in ([0, 1 << 20], [1, 2], [], [-5, (1 << 20) + 5], [0.5, 0.5]):
        with pytest.raises(ValueError, match="frequencies"):
            Categorical(freqs, (3,))
    for freq in (0, 1 << 20):
        with pytest.raises(ValueError, match="frequencies"):
            Bernoulli([freq])
    for counts in ([0, 0], [-1, 2], [], [0.5]):
        with pytest.raises(ValueError, match="counts"):
            quantize(counts)
    for bits in (-1, 21):
        with pytest.raises(ValueError, match="bits"):
            Uniform(bits, (1,))
