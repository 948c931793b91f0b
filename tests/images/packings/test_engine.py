"""The compiled engine and the Python reference give the same, and give back what they took."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.packings import engine as engines
from bitswap_cli.images.packings import reference
from tests.images.packings.streams import greedy

BOTH = [one for one in (engines.compiled(), reference) if one is not None]
ROOM = 500


def pixels(values: list[int], seed: int) -> np.ndarray:
    """Pixels that are often near others, or equal to them."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-3, 4, (len(values), 4)) * rng.integers(0, 9, (len(values), 1))
    steps[:, 3] *= rng.random(len(values)) < 0.1
    walk = np.cumsum(steps * (np.array(values)[:, None] > 1), axis=0)
    walk[np.array(values) > 4] = rng.integers(0, 3, 4)
    return walk.astype(np.uint8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=300), st.integers(0, 1 << 20))
def test_qoi(values: list[int], seed: int) -> None:
    plain = pixels(values, seed)
    packed = {one.qoi_write(plain) for one in BOTH}
    assert len(packed) == 1
    (stream,) = packed
    for one in BOTH:
        found = one.qoi_read(stream + b"behind", len(plain))
        assert found is not None and found[1] == len(stream)
        assert np.array_equal(found[0], plain)
        assert one.qoi_read(stream[:-1], len(plain)) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(1, 90))
def test_both_read_the_same_of_nonsense(stream: bytes, size: int) -> None:
    seen = [one.qoi_read(stream, size) for one in BOTH]
    assert len({found and (found[0].tobytes(), found[1]) for found in seen}) == 1
    for tiff in (False, True):
        for least in (2, 3, 8):
            told = [one.lzw_read(stream, tiff, least, size, ROOM) for one in BOTH]
            assert len({found and tuple(map(_plain, found)) for found in told}) == 1


@settings(max_examples=200, deadline=None)
@given(
    data=st.lists(st.integers(0, 3), min_size=1, max_size=400),
    tiff=st.booleans(),
    least=st.sampled_from([2, 4, 8]),
    seed=st.integers(0, 1 << 20),
    whims=st.sampled_from([0, 0.02, 0.3, 1]),
)
def test_lzw(data: list[int], tiff: bool, least: int, seed: int, whims: float) -> None:
    """Packers that clear when they like, and take shorter strings when they like."""
    plain = np.array(data, np.uint8)
    stream = greedy(plain.tobytes(), tiff, least, seed, whims)
    told = [one.lzw_read(stream, tiff, least, len(plain), ROOM) for one in BOTH]
    assert len({found and tuple(map(_plain, found)) for found in told}) == 1
    found = told[0]
    if found is None:
        assert whims  # a string that occurs twice in the table
        return
    assert np.array_equal(found.data, plain)
    choices = (found.clears.tolist(), found.odds.tolist(), found.longest)
    for one in BOTH:
        body, bits, width = one.lzw_write(plain, tiff, least, *choices, 2 * len(plain) + 200)
        assert (bits, width) == (found.bits, found.width)
        assert body[: bits // 8] == stream[: bits // 8]
        with pytest.raises(ArchiveError, match="packed data is damaged"):
            one.lzw_write(plain, tiff, least, *choices, max(0, bits // 8 - 1))
        with pytest.raises(ArchiveError, match="packed data is damaged"):
            one.lzw_write(
                plain[:0] if least == 8 else plain | np.uint8(1 << least),
                tiff,
                least,
                [1],
                [],
                9,
                999,
            )


def test_a_long_stream_fills_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = np.random.default_rng(1).integers(0, 7, 60_000).astype(np.uint8)
    for tiff in (False, True):
        stream = greedy(plain.tobytes(), tiff, 8, 0, 0, full=4094)
        told = [one.lzw_read(stream, tiff, 8, len(plain), ROOM) for one in BOTH]
        assert told[0] and len(told[0].clears) > 2 and not len(told[0].odds)
        assert len({found and tuple(map(_plain, found)) for found in told}) == 1


def _plain(part: object) -> object:
    return part.tobytes() if isinstance(part, np.ndarray) else part


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("reference", *("c" for _ in BOTH[1:])):
        monkeypatch.setenv("BITSWAP_ENGINE", name)
        engines.engine.cache_clear()
        assert name == engines.engine().NAME
    monkeypatch.setenv("BITSWAP_ENGINE", "abacus")
    engines.engine.cache_clear()
    with pytest.raises(InputError, match="choose c or reference"):
        engines.engine()
    monkeypatch.undo()
    engines.engine.cache_clear()
