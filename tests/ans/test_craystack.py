"""Our words are craystack's: those kept in craystack_words.json, and live where it is installed."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitswap_cli.ans import Categorical, Message, Uniform, kernel, reference
from tests.ans.check import random_message

KEPT = json.loads(Path(__file__).with_name("craystack_words.json").read_text())
INSTALLED = importlib.util.find_spec("craystack") is not None


def codec_of(push: dict[str, Any]) -> Uniform | Categorical:
    shape = (len(push["symbols"]),)
    if push["codec"] == "uniform":
        return Uniform(push["bits"], shape)
    return Categorical(push["freqs"], shape)


@pytest.mark.parametrize("lanes", [1, 8, 32])
def test_kept_words(engine: str, lanes: int) -> None:
    """Every push leaves craystack's flat message, and pops lead back through all of them."""
    message, pushes = Message(lanes), KEPT["pushes"]
    flat = [message.to_words().tolist()]
    for push, digits in zip(pushes, KEPT["words"][str(lanes)], strict=True):
        codec_of(push).push(message, push["symbols"])
        flat.append([int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)])
        assert message.to_words().tolist() == flat[-1]
    for push in reversed(pushes):
        assert message.to_words().tolist() == flat.pop()
        assert codec_of(push).pop(message).tolist() == push["symbols"]
    assert message == Message(lanes)


if INSTALLED:

    @pytest.mark.parametrize("lanes", [1, 8, 32])
    @pytest.mark.parametrize("count", [1, 7, 32, 1000, 1023])
    def test_live_words(engine: str, lanes: int, count: int) -> None:
        from craystack import rans

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
        coder: kernel.Engine | None = kernel.compiled() if engine == "c" else reference
        assert coder is not None
        coder.push(ours, start.astype(np.uint32), freq.astype(np.uint32))
        assert rans.flatten(theirs).tolist() == ours.to_words().tolist()

        # And a pop: of uniform symbols, so that starts and frequencies are known beforehand.
        popped = coder.pop_uniform(ours, count, 12)
        for first in reversed(range(0, count, lanes)):
            row = slice(first, min(first + lanes, count))
            head, tail = theirs
            cf, pop = rans.pop((head[: row.stop - first], tail), 20)
            symbol = cf >> np.uint64(8)
            part, tail = pop(symbol << np.uint64(8), np.full_like(symbol, 256))
            theirs = np.concatenate([part, head[row.stop - first :]]), tail
            assert symbol.tolist() == popped[row].tolist()
        assert rans.flatten(theirs).tolist() == ours.to_words().tolist()
