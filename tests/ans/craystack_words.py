"""Print the words that craystack gives for some pushes; craystack_words.json keeps what it printed.

    git clone https://github.com/j-towns/craystack && cd craystack
    pip install numpy scipy autograd
    PYTHONPATH=. python .../tests/ans/craystack_words.py > .../tests/ans/craystack_words.json

It needs nothing of ours, so that both sides are independent.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import craystack
import numpy as np
from craystack.codecs import NonUniform, Uniform, substack
from craystack.rans import flatten
from numpy.typing import NDArray

PRECISION = 20
LANES = (1, 8, 32)

Numbers = NDArray[np.integer]

PUSHES: tuple[dict[str, Any], ...] = (
    {"codec": "uniform", "bits": 20, "symbols": [i * i * 40503 % (1 << 20) for i in range(75)]},
    {"codec": "uniform", "bits": 8, "symbols": [i * i * 151 % 256 for i in range(40)]},
    {
        "codec": "categorical",
        "freqs": [1, 524288, 1023, 262144, 200000, 61119, 1],
        "symbols": [i * i * 3 % 7 for i in range(101)] + [0, 6, 5],
    },
)


def codec_of(push: dict[str, Any]) -> Any:
    """Craystack's codec; one of fewer bits takes the high bits of 20, as ours does."""
    if push["codec"] == "uniform" and push["bits"] == PRECISION:
        return Uniform(PRECISION)
    freqs = push.get("freqs") or [1 << PRECISION - push["bits"]] * (1 << push["bits"])
    ends = np.cumsum([0, *freqs])

    def interval(symbol: Numbers) -> tuple[Numbers, Numbers]:
        return ends[symbol], ends[symbol + 1] - ends[symbol]

    def symbol_at(place: Numbers) -> Numbers:
        return np.searchsorted(ends, place, "right") - 1

    return NonUniform(interval, symbol_at, PRECISION)


def heads(count: int) -> Callable[[Numbers], Numbers]:
    """View of the first lanes."""
    return lambda head: head[:count]


def words_of(lanes: int) -> list[str]:
    """The flat message after each of the pushes, 8 hexadecimal digits a word."""
    message, found = craystack.base_message((lanes,)), []
    for push in PUSHES:
        codec, symbols = codec_of(push), np.array(push["symbols"])
        for first in range(0, len(symbols), lanes):
            row = symbols[first : first + lanes]
            (message,) = substack(codec, heads(len(row))).push(message, row)
        found.append("".join(f"{word:08x}" for word in flatten(message)))
    return found


def main() -> None:
    """Print them as JSON."""
    folder = Path(craystack.__file__).parent
    commit = subprocess.check_output(["git", "-C", folder, "rev-parse", "HEAD"], text=True).strip()
    table = {
        "source": "https://github.com/j-towns/craystack",
        "commit": commit,
        "pushes": PUSHES,
        "words": {str(lanes): words_of(lanes) for lanes in LANES},
    }
    lines = (f" {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())
    print("{", ",\n".join(lines), "}", sep="\n")


if __name__ == "__main__":
    main()
