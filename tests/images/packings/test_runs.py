"""Packets of runs come back byte for byte from units and a description."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.packings import runs


def packed(units: np.ndarray, packets: list[int], tiff: bool) -> bytes:
    """What any packer may have written."""
    out, at = b"", 0
    for packet in packets:
        length = abs(packet)
        head = length - 1 if packet > 0 else 257 - length if tiff else 127 + length
        out += bytes([head]) + units[at : at + (1 if packet < 0 else length)].tobytes()
        at += length
    return out


def drawn(count: int, unit: int, seed: int) -> np.ndarray:
    """Units with runs."""
    rng = np.random.default_rng(seed)
    lengths = rng.choice([1, 1, 1, 2, 2, 3, 4, 150], count)
    values = rng.integers(0, 4, (count, unit))
    return np.repeat(values, lengths, axis=0)[:count].astype(np.uint8)


def any_packets(units: np.ndarray, seed: int, least: int) -> list[int]:
    rng = np.random.default_rng(seed)
    at, found = 0, []
    while at < len(units):
        equal = 1
        while at + equal < len(units) and np.array_equal(units[at + equal], units[at]):
            equal += 1
        run = rng.random() < 0.5
        most = min(128, equal if run else len(units) - at)
        run = run and most >= least
        length = int(rng.integers(least if run else 1, most + 1))
        found.append(-length if run else length)
        at += length
    return found


@settings(max_examples=200, deadline=None)
@given(
    count=st.integers(1, 60),
    rows=st.integers(1, 5),
    unit=st.integers(1, 4),
    seed=st.integers(0, 1 << 20),
    tiff=st.booleans(),
)
def test_any_packets_come_back(count: int, rows: int, unit: int, seed: int, tiff: bool) -> None:
    units = drawn(count * rows, unit, seed)
    stream = packed(units, any_packets(units, seed, 1 + tiff), tiff)
    found = runs.read(b"ab" + stream + b"cd", 2, len(units), unit, tiff=tiff)
    assert found is not None and found.end == 2 + len(stream)
    assert np.array_equal(found.units, units)
    description = runs.describe(units, found.packets, count)
    assert description is not None
    reader = Reader(description + b"more")
    assert runs.write(units, reader, count, tiff=tiff) == stream
    assert reader.rest() == b"more"
    assert runs.read(stream[:-1], 0, len(units), unit, tiff=tiff) is None


@pytest.mark.parametrize("rule", range(len(runs.RULES)))
@pytest.mark.parametrize("within", [False, True])
def test_rules_take_two_bytes(rule: int, within: bool) -> None:
    units = drawn(3000, 2, rule)
    stream = runs.write(units, Reader(bytes([2 * rule + within, 0])), 300, tiff=False)
    found = runs.read(stream, 0, len(units), 2, tiff=False)
    assert found is not None and np.array_equal(found.units, units)
    assert max(abs(found.packets)) <= runs.RULES[rule].most
    description = runs.describe(units, found.packets, 300)
    assert description is not None and len(description) == 2


@pytest.mark.parametrize(
    ("units", "packets"),
    [
        ("abbc", [4]),  # a pair among single units is taken with them
        ("abbcc", [1, -2, -2]),  # but not before a run
        ("abb", [1, -2]),  # nor at the end
        ("aabc", [-2, 2]),
        ("abbbc", [1, -3, 1]),
    ],
)
def test_the_rule_of_libtiff(units: str, packets: list[int]) -> None:
    found = np.frombuffer(units.encode(), np.uint8).reshape(-1, 1)
    description = runs.describe(found, np.array(packets, np.int32), len(found))
    number = runs.RULES.index(runs.Rule(2, 4, 128))
    stream = runs.write(found, Reader(bytes([2 * number + 1, 0])), len(found), tiff=True)
    assert stream == packed(found, packets, True)
    assert description is not None and description[1] == 0


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=9),
        st.lists(st.integers(0, 1 << 41), max_size=5).map(
            lambda values: b"\3" + b"".join(map(varint, values))
        ),
    )
)
def test_any_description_gives_packets_or_is_refused(description: bytes) -> None:
    units = drawn(90, 3, 1)
    try:
        for tiff in (True, False):
            assert len(runs.write(units, Reader(description), 9, tiff=tiff)) <= 4 * 90
    except ArchiveError as error:
        assert "data is damaged" in str(error)
