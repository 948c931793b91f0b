"""Damaged descriptions end in one clear error, whatever engine reads them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate import Described, describe, engine, reference, restore, restoring
from bitswap_cli.images.deflate.inflated import PADDING
from bitswap_cli.images.deflate.parameters import COSTS, LIBDEFLATE, Parameters
from tests.images.deflate.streams import RAW, changing, deflated, flat, thrifty


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
    for raw in (flat()[:5000], changing()[5000:9000]):
        by_costs = describe(thrifty(raw), 1 << 20)
        assert by_costs is not None and by_costs.description[0] >> 4 == COSTS
        yield by_costs
    for level in (1, 4, 8, 12):
        yield _by_another(deflated(RAW["few"](), 6), level)


def _by_another(stream: bytes, level: int) -> Described:
    """The description of a stream by zlib as if libdeflate had made it."""
    maker = Parameters(LIBDEFLATE, level)
    how = maker.as_array()
    inflated = reference.inflate(stream[2:], 1 << 20)
    assert inflated is not None
    _, columns, *_ = reference.predict(inflated, how, 1 << 40, 1 << 40)
    blocks = reference.describe_blocks(inflated, int(how[-1]))
    both = [*columns[:13], *blocks[13:]]
    data = inflated.data[: len(inflated.data) - PADDING]
    tail = stream[2 + inflated.consumed :]
    description = restoring.pack(maker, stream[:2], tail, restoring.adler32(data), both)
    assert restore(data.tobytes(), description) == stream
    return Described(data.tobytes(), description)


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


@pytest.mark.parametrize(
    "description",
    [
        *(b"", b"\x26", b"\x26\x87", b"\xff\xff\xff", bytes(3)),
        *(b"\x60\x87\0", b"\x6d\x87\0", b"\x66\x86\0", b"\x66\x97\0"),
        *(b"\x79\x87\0", b"\x79\x87\0\0", b"\x79\x87\1\1", b"\x70\x87\0\1", b"\x79\x97\0\1"),
        *(b"\x66\x87\1", b"\x66\x87\2", b"\x66\x87\x20\1", b"\x66\x87\x40\1"),
    ],
)
def test_what_is_no_description_is_refused(description: bytes) -> None:
    with pytest.raises(ArchiveError):
        restore(b"abc", description)


def test_a_description_of_other_bytes_gives_another_stream() -> None:
    seed = describe(deflated(RAW["rows"](), 6), 1 << 20)
    assert seed is not None
    assert restore(RAW["few"](), seed.description) == deflated(RAW["few"](), 6)
