"""Where a chunk begins: as a file tells it."""

import numpy as np

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import tables
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.state import loaded, saved, untrained


def test_what_is_saved_is_loaded_in_eight_bits() -> None:
    state = untrained(Config())
    random = np.random.default_rng(1)
    state.hit[:] = random.integers(1 << 12, 1 << 32, state.hit.shape, np.uint32)
    state.colour_by_rank[:] = random.integers(-(1 << 17), 1 << 17, state.colour_by_rank.shape)
    found = loaded(Config(), Stored(saved(state)))
    logits = tables().logit.astype(int)
    assert abs(logits[found.hit >> 16] - logits[state.hit >> 16]).max() <= 13
    assert abs(found.colour_by_rank - state.colour_by_rank).max() <= 1 << 10
    assert all(own.nbytes < 1 << 16 for own in saved(state).values())


def test_a_memory_is_as_large_as_pictures_need_and_a_model_says() -> None:
    assert [Config().bits([(h, 512, 3)]) for h in (1, 64, 512, 513, 4096)] == [12, 15, 18, 19, 19]
    assert Config(18, 2).bits([(513, 512, 3)]) == 18
    odd = Config(20), Config(11), Config(18, 0), Config(18, 3), Config(18, 2, 7), Config(asked=-1)
    assert all(one.sound() for one in (Config(18, 2), Config(18, 2, 6, 128)))
    assert not any(one.sound() for one in odd)


def test_a_chunk_changes_a_state_of_its_own() -> None:
    state = untrained(Config())
    twin = state.copy()
    twin.flat[:] = 0
    assert state.flat.any()


def test_tables_are_those_of_the_logistic_function() -> None:
    known = tables()
    x = np.arange(-LIMIT, LIMIT + 1) / 256
    exact = 65536 / (1 + np.exp(-x))
    assert abs(known.squashed - exact.clip(1, 65535)).max() <= 0.5001
    p = (np.arange(65536) + 0.5) / 65536
    below = np.log(p / (1 - p)) * 256 - known.logit
    assert below[40:-40].min() > -1e-3 and below[40:-40].max() < 1.001
    costs = -np.log2((np.arange(4096) + 0.5) / 4096) * 4096
    assert abs(known.cost - costs).max() < 2
