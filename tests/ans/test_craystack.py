"""Our words are craystack's for the same starts and frequencies."""

import numpy as np
import pytest

from bitswap_cli.ans import distributions
from tests.ans.check import random_message

rans = pytest.importorskip(
    "craystack.rans", reason="craystack is not installed: https://github.com/j-towns/craystack"
)


@pytest.mark.parametrize("lanes", [1, 8, 32])
@pytest.mark.parametrize("count", [1, 7, 32, 1000, 1023])
def test_words_equal(engine: str, lanes: int, count: int) -> None:
    rng = np.random.default_rng(count)
    ends = np.sort(rng.integers(0, 1 << 20, (count, 2)), axis=-1)
    start, freq = ends[:, 0], ends[:, 1] - ends[:, 0] + 1
    ours = random_message(rng, lanes, 500)
    theirs = rans.unflatten(ours.to_words(), (lanes,))
    for first in range(0, count, lanes):
        row = slice(first, min(first + lanes, count))
        head, tail = theirs
        part, tail = rans.push(
            (head[: row.stop - first], tail),
            start[row].astype(np.uint64),
            freq[row].astype(np.uint64),
            20,
        )
        theirs = np.concatenate([part, head[row.stop - first :]]), tail
    engine_module = distributions.engine()
    engine_module.push(ours, start.astype(np.uint32), freq.astype(np.uint32))
    assert rans.flatten(theirs).tolist() == ours.to_words().tolist()

    # And a pop: of uniform symbols, so that starts and frequencies are known beforehand.
    popped = engine_module.pop_uniform(ours, count, 12)
    for first in reversed(range(0, count, lanes)):
        row = slice(first, min(first + lanes, count))
        head, tail = theirs
        cf, pop = rans.pop((head[: row.stop - first], tail), 20)
        symbol = cf >> np.uint64(8)
        part, tail = pop(symbol << np.uint64(8), np.full_like(symbol, 256))
        theirs = np.concatenate([part, head[row.stop - first :]]), tail
        assert symbol.tolist() == popped[row].tolist()
    assert rans.flatten(theirs).tolist() == ours.to_words().tolist()
