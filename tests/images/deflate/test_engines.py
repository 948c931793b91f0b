"""The compiled engine and the Python reference give the same, whoever wrote a stream."""

import zlib
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.deflate import engine as engines
from bitswap_cli.images.deflate import reference
from bitswap_cli.images.deflate.columns import COLUMNS, NOTHING
from bitswap_cli.images.deflate.inflated import PADDING
from bitswap_cli.images.deflate.parameters import (
    FREE,
    LIBDEFLATE,
    LITERALS,
    RUN_LENGTHS,
    ZLIB,
    ZLIB_NG,
    ZLIB_NG_2_2,
    Parameters,
)
from bitswap_cli.images.deflate.restoring import room_for
from tests.images.deflate.streams import (
    by_libdeflate,
    changing,
    deflated,
    flat,
    raws,
    settings,
    words,
)

NEVER = 1 << 60


def _makers(families: list[int], levels: st.SearchStrategy[int]) -> st.SearchStrategy[Parameters]:
    searches = st.tuples(*[st.sampled_from([1, 3, 8, 258])] * 4)
    return st.builds(
        Parameters,
        family=st.sampled_from(families),
        level=levels,
        memory=st.integers(1, 9),
        window=st.integers(9, 15),
        filtered=st.booleans(),
        fixed=st.booleans(),
        feed=st.sampled_from([0, 1, 30, 500]),
        full=st.sampled_from([0, 0, 1, 50]),
        search=searches if families == [FREE] else st.just(()),
    )


makers = st.one_of(
    _makers([LITERALS, RUN_LENGTHS], st.just(0)),
    _makers([ZLIB, ZLIB_NG, ZLIB_NG_2_2], st.integers(1, 9)),
    _makers([FREE], st.just(0)),
    st.integers(1, 12).map(partial(Parameters, LIBDEFLATE)),
)


@limits(max_examples=60, deadline=None)
@given(raws, settings, makers)
def test_both_engines_agree(raw: bytes, setting: dict[str, int], maker: Parameters) -> None:
    kernel = engines.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    stream = deflated(raw, **setting)[2:]
    one, other = kernel.inflate(stream, NEVER), reference.inflate(stream, NEVER)
    assert one is not None and other is not None
    assert all(
        np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(one, other, strict=True)
    )

    how = maker.as_array()
    predicted = kernel.predict(one, how, NEVER, NEVER)
    columns = predicted.columns
    assert predicted.wrong == reference.predict(one, how, NEVER, NEVER).wrong
    for stop, budget in ((NEVER, NEVER), (20, NEVER), (NEVER, 3)):
        told = kernel.predict(one, how, stop, budget).wrong
        assert told == kernel.wrong(one, how, stop, budget)
        assert told == reference.wrong(one, how, stop, budget)
    expected = reference.predict(one, how, NEVER, NEVER).columns
    assert all(np.array_equal(a, b) for a, b in zip(columns, expected, strict=True))
    blocks = kernel.describe_blocks(one, int(how[-1]))
    expected = reference.describe_blocks(one, int(how[-1]))
    assert all(np.array_equal(a, b) for a, b in zip(blocks, expected, strict=True))

    both = [*columns[:13], *blocks[13:]]
    tokens, rows = kernel.replay(one.data, how, both, predicted)
    assert np.array_equal(tokens, one.tokens)
    assert np.array_equal(rows, kernel.restore(one.data, how, both)[1])
    for engine in (kernel, reference):
        tokens, rows = engine.restore(one.data, how, both)
        assert np.array_equal(tokens, one.tokens)
        assert (
            engine.write(one.data, tokens, rows, int(how[-1]), both, NEVER >> 30)
            == (stream[: one.consumed])
        )


@given(st.binary(max_size=20_000))
def test_checksums_are_adler32(raw: bytes) -> None:
    data = np.frombuffer(raw + b"behind", np.uint8)
    for engine in (engines.compiled(), reference):
        assert engine is None or engine.adler(data, len(raw)) == zlib.adler32(raw)


@limits(max_examples=60, deadline=None)
@given(raws, makers)
def test_what_is_made_at_once_is_made_alike(raw: bytes, maker: Parameters) -> None:
    """Without corrections, in one call or two, by either engine; and not beyond its room."""
    kernel = engines.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    data, how = np.frombuffer(raw + bytes(PADDING), np.uint8), maker.as_array()
    room, none = room_for(len(raw)), [NOTHING] * COLUMNS
    made = kernel.make(data, how, room)
    assert made == reference.make(data, how, room) == kernel.make(data, how, len(made))
    assert made == kernel.write(data, *kernel.restore(data, how, none), int(how[-1]), none, room)
    for engine in (kernel, reference):
        with pytest.raises(ArchiveError):
            engine.make(data, how, len(made) - 1)


@pytest.mark.parametrize("level", range(1, 13))
def test_both_engines_split_alike(level: int) -> None:
    """Long enough that blocks end, of which some are stored."""
    kernel = engines.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    raw, how = changing(), Parameters(LIBDEFLATE, level).as_array()
    one = kernel.inflate(by_libdeflate(raw, level)[2:], NEVER)
    assert one is not None and len(one.blocks) >= 1 + (level > 1)
    for engine in (kernel, reference):
        wrong, columns, *_ = engine.predict(one, how, NEVER, NEVER)
        assert wrong == 0 and not any(len(column) for column in columns)
        blocks = engine.describe_blocks(one, int(how[-1]))
        assert not any(column.any() for column in blocks)
    other = kernel.inflate(deflated(raw, 6)[2:], NEVER)
    assert other is not None
    expected = kernel.predict(other, how, NEVER, NEVER)
    found = reference.predict(other, how, NEVER, NEVER)
    assert expected.wrong == found.wrong > 0
    assert all(map(np.array_equal, expected.columns, found.columns))


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("window", [9, 15])
@pytest.mark.parametrize(
    "search",
    [
        (1, 3, 3, 64), (258, 258, 4, 100), (4, 16, 5, 300), (8, 16, 258, 257), (4, 9, 6, 80),
        (32, 258, 258, 40),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "raw", [changing()[-20_000:], flat(), words()], ids=["changing", "flat", "words"]
)
def test_long_chains_are_followed_alike(
    raw: bytes, window: int, search: tuple[int, ...], filtered: bool
) -> None:
    """Where the kernel looks into shorter chains instead, for what the stream has, and passes
    stretches of chains where data repeats itself."""
    kernel = engines.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    one = kernel.inflate(deflated(raw, 6, 12, 8, int(filtered))[2:], NEVER)
    assert one is not None
    how = Parameters(FREE, 0, 3, window, filtered, search=search).as_array()
    wrong, columns, *_ = kernel.predict(one, how, NEVER, NEVER)
    expected = reference.predict(one, how, NEVER, NEVER)
    assert wrong == expected.wrong
    assert all(map(np.array_equal, columns, expected.columns))


@pytest.mark.parametrize("feed", [0, 300])
@pytest.mark.parametrize("window", [9, 15])
@pytest.mark.parametrize("raw", [changing()[-20_000:], flat()], ids=["changing", "flat"])
def test_chains_are_changed_alike(raw: bytes, window: int, feed: int) -> None:
    """Where the kernel passes positions of chains of three bytes along chains of four."""
    kernel = engines.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    one = kernel.inflate(deflated(raw, 6, 12)[2:], NEVER)
    assert one is not None
    how = Parameters(ZLIB_NG, 9, 3, window, feed=feed).as_array()
    wrong, columns, *_ = kernel.predict(one, how, NEVER, NEVER)
    expected = reference.predict(one, how, NEVER, NEVER)
    assert wrong == expected.wrong
    assert all(map(np.array_equal, columns, expected.columns))
    data, room = one.data, room_for(len(raw))
    assert kernel.make(data, how, room) == reference.make(data, how, room)


@pytest.mark.parametrize("wanted", ["c", "reference"])
def test_the_environment_chooses(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if wanted == "c" and engines.compiled() is None:
        pytest.skip("no compiled kernel")
    monkeypatch.setenv("BITSWAP_ENGINE", wanted)
    engines.engine.cache_clear()
    try:
        assert wanted == engines.engine().NAME
    finally:
        engines.engine.cache_clear()


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", "fpga")
    engines.engine.cache_clear()
    try:
        with pytest.raises(InputError, match="fpga"):
            engines.engine()
    finally:
        engines.engine.cache_clear()
