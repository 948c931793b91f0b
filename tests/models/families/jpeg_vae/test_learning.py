"""Decisions about symbols: they come back, and cost what a mixture says where nothing is learnt."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.ans import LogisticMixture, MixtureParameters
from bitswap_cli.mixing.logits import LIMIT
from bitswap_models.families.jpeg_vae import learning
from bitswap_models.families.jpeg_vae.learning import Around, Learner, Mixture
from bitswap_models.families.jpeg_vae.network import SYMBOLS

MIXTURES = st.builds(
    lambda first, means, scales: Mixture((first, 256 - first, 0), means, scales),
    st.integers(0, 256),
    st.tuples(*[st.integers(-32767, 32767)] * 3),
    st.tuples(*[st.integers(0, 127)] * 3),
)
AROUND = st.builds(Around, st.integers(-127, 127), st.integers(1, 63))
Told = list[tuple[int, int]]


def writer() -> tuple[Learner, Told]:
    """A learner, and the decisions that it will have told."""
    told: Told = []

    def code(one: int, bit: int) -> int:
        assert 0 < one < 1 << 16
        told.append((one, bit))
        return bit

    return Learner(code), told


def reader(told: Told) -> Learner:
    """A learner to which the same decisions come back."""
    rest = iter(told)

    def code(one: int, bit: int) -> int:
        expected, found = next(rest)
        assert one == expected
        return found

    return Learner(code)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(MIXTURES, AROUND, st.integers(0, 63), st.integers(-2047, 2047))))
def test_values_come_back(cases: list[tuple[Mixture, Around, int, int]]) -> None:
    cases = [(of, around, min(k, around.last), v) for of, around, k, v in cases]
    cases = [case for case in cases if case[3] or case[2] != case[1].last]
    encoder, told = writer()
    encoder.begin()
    for of, around, k, value in cases:
        assert encoder.value(k, of, around, value) == value
    decoder = reader(told)
    decoder.begin()
    assert [decoder.value(k, of, around, 0) for of, around, k, _ in cases] == [c[3] for c in cases]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(MIXTURES, st.tuples(*[st.integers(0, 63)] * 4), st.integers(0, 63))))
def test_indices_of_last_coefficients_come_back(
    cases: list[tuple[Mixture, tuple[int, ...], int]],
) -> None:
    encoder, told = writer()
    encoder.begin()
    for of, around, value in cases:
        assert encoder.last(of, around, value) == value
    assert len(told) == 6 * len(cases)
    decoder = reader(told)
    decoder.begin()
    assert [decoder.last(of, around, 0) for of, around, _ in cases] == [c[2] for c in cases]


def test_first_decisions_cost_what_the_mixture_says() -> None:
    of = Mixture((100, 100, 56), (3, -20, 40), (70, 80, 75))
    parameters = MixtureParameters(*(np.array([part], np.int32) for part in of))
    for value in (-16, -15, -3, -1, 0, 1, 2, 14, 15, 30):
        learner, told = writer()
        learner.value(5, of, Around(0, 9), value)
        bits = -sum(np.log2((one if bit else 65536 - one) / 65536) for one, bit in told)
        expected = LogisticMixture(parameters, *SYMBOLS).bits(np.array([value], np.int32))[0]
        assert abs(bits - expected) < 0.1 + 0.02 * expected, value


def test_combs_cost_less_and_less() -> None:
    of = Mixture((256, 0, 0), (0, 0, 0), (70, 70, 70))
    learner, told = writer()
    learner.begin()
    random = np.random.default_rng(3)
    bits = []
    for value in 4 * random.integers(-3, 4, 600):
        before = len(told)
        learner.value(3, of, Around(0, 9), int(value))
        new = told[before:]
        bits.append(-sum(np.log2((one if bit else 65536 - one) / 65536) for one, bit in new))
    assert np.mean(bits[-200:]) < np.log2(7) + 0.3 < np.mean(bits[:10])


@given(st.integers(1, 1 << 29), st.integers(1, 1 << 29))
def test_logits_are_near(yes: int, no: int) -> None:
    exact = 256 * np.log(yes / no)
    assert abs(learning.logit(yes, no) - np.clip(exact, -LIMIT, LIMIT)) < 3
