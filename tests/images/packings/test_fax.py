"""Facsimiles come back byte for byte from rows and description; bad descriptions are refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader
from bitswap_cli.images.packings import engine as engines
from bitswap_cli.images.packings import fax, reference
from bitswap_cli.images.packings.fax_codes import CODES, LONGEST, MODES
from bitswap_cli.images.packings.fax_rows import Coding

BOTH = [one for one in (engines.compiled(), reference) if one is not None]
KINDS = (
    fax.T6, fax.T6._replace(aligned=True), fax.BYTES_OF_LENGTHS,
    fax.BYTES_OF_LENGTHS._replace(aligned=False), *fax.t4(tagged=False), *fax.t4(tagged=True),
)  # fmt: skip


def rows(height: int, width: int, seed: int) -> np.ndarray:
    """Rows of runs that are often like those of the row before."""
    rng = np.random.default_rng(seed)
    changes = rng.random((height, width)) < rng.choice([0.002, 0.05, 0.4])
    black = np.cumsum(changes, axis=1) % 2
    if seed % 2:
        black = np.cumsum(black * (rng.random((height, 1)) < 0.2), axis=0) % 2
    return black.astype(np.uint8)


def written(black: np.ndarray, coding: Coding, seed: int) -> bytes:
    """Rows by both engines, which write the same."""
    own = np.random.default_rng(seed).integers(0, 2, len(black)).astype(np.uint8)
    tags = own if coding.tagged else np.full(len(black), not coding.relative, np.uint8)
    told = [one.fax_write(black, tags, coding) for one in BOTH]
    assert len({(out.tobytes(), bits) for out, bits in told}) == 1
    out, bits = told[0]
    assert bits <= 8 * len(out) < bits + 8
    for one in BOTH:
        found = one.fax_read(out.tobytes() + b"behind", len(black), black.shape[1], coding)
        assert found is not None and found.bits == bits
        assert np.array_equal(found.black, black) and np.array_equal(found.tags, tags)
    return out.tobytes()


@pytest.mark.parametrize("codes", [*CODES, list(MODES)])
def test_no_code_begins_another(codes: list[str]) -> None:
    assert len(codes) in (64 + LONGEST // 64, 9)
    pairs = itertools.permutations(codes, 2)
    assert not any(one.startswith(other) for one, other in pairs)


@settings(max_examples=150, deadline=None)
@given(
    height=st.integers(1, 20), width=st.integers(1, 90), seed=st.integers(0, 1 << 20),
    coding=st.sampled_from(KINDS), low_first=st.booleans(), behind=st.binary(max_size=4),
)  # fmt: skip
def test_rows_come_back(
    height: int, width: int, seed: int, coding: Coding, low_first: bool, behind: bytes
) -> None:
    black = rows(height, width, seed)
    segment = written(black, coding, seed) + behind
    most = height if behind or coding != fax.T6 else height + 9
    found = fax.take(segment, most, width, [coding], low_first=low_first)
    if found is None:
        assert low_first  # bits that are turned around tell something else
        return
    seen, description = found
    reader = Reader(description + b"more")
    assert fax.give(seen, reader) == segment and reader.rest() == b"more"
    if not low_first:
        assert np.array_equal(seen, black)
        turned = np.packbits(np.unpackbits(np.frombuffer(segment, np.uint8))[::-1])[::-1].tobytes()
        again = fax.take(turned, most, width, [coding], low_first=True)
        assert again is not None and np.array_equal(again[0], black)
        assert fax.give(black, Reader(again[1])) == turned


def test_the_longest_runs_take_several_codes() -> None:
    for width, coding in itertools.product((63, 64, 2559, 2560, 2623, 2624, 9999, 70_000), KINDS):
        black = np.zeros((3, width), np.uint8)
        black[1] = 1
        black[2, 1:-1] = 1
        written(black, coding, 0)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=60), st.lists(st.sampled_from("01"), max_size=90)),
    st.integers(1, 9), st.integers(1, 40), st.sampled_from(KINDS),
)  # fmt: skip
def test_both_read_the_same_of_nonsense(
    told: bytes | list[str], height: int, width: int, coding: Coding
) -> None:
    bits = "".join(told) if isinstance(told, list) else ""
    stream = told if isinstance(told, bytes) else int(bits or "0", 2).to_bytes(12, "big")
    seen = [one.fax_read(stream, height, width, coding) for one in BOTH]
    assert len({f and (f.black.tobytes(), f.tags.tobytes(), f.bits) for f in seen}) == 1
    found = fax.take(stream, height, width, [coding])
    if found is not None:
        assert fax.give(found[0], Reader(found[1])) == stream


def test_a_mode_that_is_cut_begins_no_row() -> None:
    for one in BOTH:
        found = one.fax_read(b"\xfd", 9, 8, fax.T6)  # six white rows, and two bits of a mode
        assert found is not None and (found.black.shape, found.bits) == ((6, 8), 6)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 20), st.sampled_from(KINDS), st.data())
def test_spoilt_streams_come_back_or_are_not_taken(
    seed: int, coding: Coding, data: st.DataObject
) -> None:
    black = rows(9, 50, seed)
    segment = bytearray(written(black, coding, seed))
    at = data.draw(st.integers(0, len(segment) - 1))
    segment[at] ^= data.draw(st.integers(1, 255))
    cut = bytes(segment[: data.draw(st.integers(0, len(segment)))])
    for stream in (bytes(segment), cut):
        seen = [one.fax_read(stream, 9, 50, coding) for one in BOTH]
        assert len({f and (f.black.tobytes(), f.tags.tobytes(), f.bits) for f in seen}) == 1
        found = fax.take(stream, 9, 50, KINDS)
        assert found is None or fax.give(found[0], Reader(found[1])) == stream


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=9), st.integers(0, 1 << 20))
def test_any_description_gives_a_segment_or_is_refused(description: bytes, seed: int) -> None:
    black = rows(9, 33, seed)
    try:
        assert len(fax.give(black, Reader(description))) <= 2 * black.size + 16 * 9 + 9
    except ArchiveError as error:
        assert "damaged" in str(error)
