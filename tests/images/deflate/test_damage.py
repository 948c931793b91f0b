"""Damaged descriptions end in one clear error, whatever engine reads them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate import Described, describe, engine, reference, restore, restoring
from tests.images.deflate.streams import RAW, deflated


def _described() -> Iterator[Described]:
    """Descriptions with all kinds of corrections: the predictor is led astray."""
    stored = deflated(RAW["noise"](), 6)
    for stream in (stored, deflated(RAW["rows"]() * 3, 9, 10, 2), deflated(RAW["few"](), 4)):
        found = describe(stream + b"behind", 1 << 20)
        assert found is not None
        yield found
        other = describe(stream[:1] + stream[1:], 1 << 20, [7])
        assert other is not None
        yield other


SEEDS = list(_described())


@limits(max_examples=200, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 1 << 12), st.integers(0, 255)), max_size=4),
    st.integers(0, 40),
    st.sampled_from(["c", "reference"]),
)
def test_damage_is_an_archive_error(
    seed: Described, changes: list[tuple[int, int]], cut: int, name: str
) -> None:
    kernel = engine.compiled() if name == "c" else reference
    if kernel is None:
        pytest.skip("no compiled kernel")
    data = bytearray(seed.description)
    for at, value in changes:
        data[at % len(data)] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoring, "engine", lambda: kernel)
        try:
            found = restore(seed.inflated, bytes(data[: len(data) - cut]))
        except ArchiveError as error:
            assert "damaged" in str(error)
        else:
            assert len(found) <= restoring.room_for(len(seed.inflated)) + len(data) + 6


@pytest.mark.parametrize("description", [b"", b"\x26", b"\x26\x87", b"\xff\xff\xff", bytes(3)])
def test_what_is_no_description_is_refused(description: bytes) -> None:
    with pytest.raises(ArchiveError):
        restore(b"abc", description)


def test_a_description_of_other_bytes_gives_another_stream() -> None:
    seed = describe(deflated(RAW["rows"](), 6), 1 << 20)
    assert seed is not None
    assert restore(RAW["few"](), seed.description) == deflated(RAW["few"](), 6)
