"""Large files are cut where nothing that lies in them is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.inside.scanning import OWN, Span, Stream
from bitswap_cli.images.inside.sections import sections

THINGS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12), st.one_of(st.none(), st.integers(0, 25)))
)


@given(THINGS, st.integers(0, 40), st.integers(5, 60))
def test_nothing_is_cut_nor_lost(
    things: list[tuple[int, int, int | None]], rest: int, most: int
) -> None:
    spans, end = list[Span](), 0
    for gap, length, size in things:
        stream = None if size is None else Stream(size, b"", OWN)
        spans.append(Span(end + gap, length, stream))
        end += gap + length
    cut = list(sections(spans, end + rest, most))
    assert [one.start for one in cut] == [
        sum(one.length for one in cut[:k]) for k in range(len(cut))
    ]
    assert sum(one.length for one in cut) == end + rest and all(one.length for one in cut)
    found = [span._replace(start=own.start + span.start) for own in cut for span in own.spans]
    assert found == spans
    for one in cut:
        assert all(0 <= span.start <= one.length - span.length for span in one.spans)
        weights = [span.stream.size if span.stream else span.length for span in one.spans]
        inflated = one.length + sum(weights) - sum(span.length for span in one.spans)
        assert inflated <= max(most, *weights, 0)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 25])
def test_bytes_in_which_nothing_lies(size: int) -> None:
    assert [one.length for one in sections([], size, 10)] == [
        *[10] * (size // 10), *[size % 10] * (size % 10 > 0),
    ]  # fmt: skip
