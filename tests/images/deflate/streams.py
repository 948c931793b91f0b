"""Bytes to deflate, and streams of them, that tests of this room share."""

import zlib
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.images.deflate import reference, restore
from bitswap_cli.images.deflate.columns import COLUMNS, NOTHING
from bitswap_cli.images.deflate.inflated import PADDING
from bitswap_cli.images.deflate.reference.alphabet import FIXED, match_of
from bitswap_cli.images.deflate.reference.costs.matches import MatchFinder
from bitswap_cli.images.deflate.reference.costs.prices import Stretch

RAW: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "noise": lambda: _noise(3000, 256),
    "few": lambda: _noise(6000, 3),
    "zeros": lambda: bytes(3000),
    "rows": lambda: _rows(40, 25),
    "changing": lambda: changing(),
}


def _noise(count: int, values: int) -> bytes:
    """Bytes of a counter through SplitMix64, the same on every machine."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return ((x >> np.uint64(40)) % np.uint64(values)).astype(np.uint8).tobytes()


def _rows(height: int, width: int) -> bytes:
    """Rows of a smooth picture as PNG filters them: a filter byte, then differences."""
    y, x = np.mgrid[:height, :width]
    noise = np.frombuffer(_noise(height * width, 4), np.uint8).reshape(height, width)
    samples = (x * x // 9 + 3 * y + noise).astype(np.uint8)
    rows: NDArray[np.uint8] = np.diff(samples, axis=1, prepend=np.uint8(1)).astype(np.uint8)
    return rows.tobytes()


def changing() -> bytes:
    """Smooth rows, text of few letters, noise, zeros: where blocks end that a splitter ends."""
    return b"".join([_rows(90, 70), _noise(9000, 3), _rows(60, 100), bytes(7000), _noise(8000, 40)])


def flat() -> bytes:
    """Stretches of periods 1 to 20 of many lengths, some the same again, as in flat pictures."""
    values = _noise(20, 4) + _noise(20, 2)
    lengths = np.frombuffer(_noise(240, 90), np.uint8).astype(int)
    parts = []
    for at, length in enumerate(lengths):
        period = 1 if at % 3 else 1 + at % 20
        pattern = values[length % 20 :][:period]
        parts.append(
            (pattern * 300)[: 6 * length if at % 7 == 0 else length] + values[at % 5 :][:1]
        )
    return b"".join(parts)


def words() -> bytes:
    """Two words in no order: bytes of periods that would begin before them."""
    one, other = _noise(19, 256), _noise(25, 256)[19:]
    return b"".join([one, other][value] for value in _noise(900, 2))


def overlapping() -> bytes:
    """Bytes of which a long match begins nearer than it is long, behind another long one."""
    unit = b"abcdef1abcdef23abcdef4abcdef56abcdef7abcdef89abcdefGabcdefHIq"
    before = _noise(258 - len(unit) + 1, 250)
    shorter = b"Zq" + unit + unit[:12] + b"Y"
    return b"".join([_noise(9000, 30), before, unit[:-1], shorter, before, unit * 2, unit[:50]])


def by_libdeflate(raw: bytes, level: int) -> bytes:
    """What libdeflate makes of bytes, as the predictor has it: see golden.json."""
    return restore(raw, bytes([0x60 | level, 0x87, 0]))


def thrifty(raw: bytes) -> bytes:
    """A stream of one block by a deflater that looks for the cheapest tokens."""
    stretch = Stretch(raw, 0, len(raw), len(raw), MatchFinder(raw).find(0, len(raw)))
    stretch.foresee()
    tokens, p = list[int](), 0
    while p < len(raw):
        _, length, distance = stretch.candidates(p)[0]
        tokens.append(match_of(-length, distance) if distance else 0)
        p -= length
    data = np.frombuffer(raw + bytes(PADDING), np.uint8)
    rows = np.array([[FIXED, len(tokens), 0]], np.int32)
    none = [NOTHING] * COLUMNS
    body = reference.write(data, np.array(tokens, np.uint32), rows, 0, none, 2 * len(raw) + 999)
    return b"\x78\xda" + body + zlib.adler32(raw).to_bytes(4, "big")


def deflated(
    raw: bytes, level: int, window: int = 15, memory: int = 8, strategy: int = 0, feed: int = 0
) -> bytes:
    """A stream by the zlib at hand, given `feed` bytes at a time, or all at once."""
    maker = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
    step = feed or max(len(raw), 1)
    parts = [maker.compress(raw[at : at + step]) for at in range(0, len(raw), step)]
    return b"".join([*parts, maker.flush()])


def _repetitive(pattern: bytes, times: int, tail: bytes) -> bytes:
    return pattern * times + tail + pattern


raws = st.one_of(
    st.binary(max_size=300),
    st.builds(_repetitive, st.binary(max_size=40), st.integers(0, 60), st.binary(max_size=20)),
    st.builds(_rows, st.integers(1, 30), st.integers(1, 30)),
    st.builds(_noise, st.integers(0, 2000), st.integers(1, 5)),
    st.integers(0, 15_000).map(lambda at: flat()[at : at + 1500]),
)
settings = st.fixed_dictionaries(
    {
        "level": st.integers(0, 9),
        "window": st.integers(9, 15),
        "memory": st.integers(1, 9),
        "strategy": st.integers(0, 4),
        "feed": st.sampled_from([0, 0, 1, 31, 300]),
    }
)
