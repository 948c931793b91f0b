"""Bytes come back, from either engine by the same words; damage is seen, or bounded."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zstandard import ZstdCompressor

from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.mixing import octets, reference
from bitswap_cli.mixing.decisions import SEGMENT
from bitswap_cli.mixing.state import NEWEST, VERSIONS

TEXT = Path(octets.__file__).read_bytes()
PLENTY = 1 << 16  # words
FROZEN = {
    1: "4c1a21e400a882bb4233f6f9e7d642731e6fa2d1f4e132be10d634dfe5df645f",
    2: "5a97b55f75fff3d780ebfcf85e76aba4e9117021c987c22ea4c8594fb35f0a54",
    3: "fafbd8af76b1c900877945855df2b24298139c45c2b82bce2992c0195175c682",
}


def contents() -> st.SearchStrategy[bytes]:
    """Bytes that say much, that repeat themselves, lines of a table, and records."""
    few = st.binary(max_size=40)
    repeated = st.tuples(few, few, st.integers(0, 9)).map(lambda t: (t[0] + t[1]) * t[2] + t[0])
    rows = st.lists(st.integers(0, 99), max_size=25).map(
        lambda row: b"".join(b"%d,Name %d\n" % (k, k // 3) for k in row)
    )
    return st.one_of(few, repeated, rows, st.tuples(rows, records()).map(b"".join))


def records() -> st.SearchStrategy[bytes]:
    """Records of the same length, that count."""
    many, length = st.integers(3, 40), st.integers(1, 9)
    return st.tuples(many, length).map(
        lambda t: b"".join(
            k.to_bytes(2, "little") + bytes(range(200, 200 + t[1])) for k in range(t[0])
        )
    )


versions = st.sampled_from(sorted(VERSIONS))


@given(contents(), versions)
@settings(deadline=None, max_examples=50)
def test_engines_give_the_same_words(data: bytes, version: int) -> None:
    shape = VERSIONS[version].of(len(data))
    words, own = reference.encode(shape, data), octets.encode(data, PLENTY, version)
    assert own is not None
    assert np.array_equal(own, words)
    assert reference.decode(shape, words, len(data)) == data
    assert octets.decode(words, len(data), version) == data


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ways", [1, 2])
def test_engines_agree_where_buckets_are_crowded(
    version: int, ways: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All contexts of some text in 16 buckets."""
    crowded = VERSIONS[version]._replace(bits=4, ways=ways)
    monkeypatch.setitem(VERSIONS, version, crowded)
    data = TEXT[:700] + np.random.default_rng(2).bytes(100) + TEXT[:200]
    words, own = reference.encode(crowded, data), octets.encode(data, PLENTY, version)
    assert own is not None
    assert np.array_equal(own, words)
    assert reference.decode(crowded, words, len(data)) == data
    assert octets.decode(words, len(data), version) == data


def test_versions_differ() -> None:
    words = [octets.encode(TEXT, PLENTY, version) for version in VERSIONS]
    sizes = [len(own) for own in words if own is not None]
    assert sizes == sorted(set(sizes), reverse=True) and len(sizes) == len(VERSIONS)
    for own in words[:-1]:
        with suppress(ArchiveError):
            assert own is not None and octets.decode(own, len(TEXT), NEWEST) != TEXT


def test_records_take_less() -> None:
    """Numbers of 32 bits that grow, each beside what changes seldom."""
    steps = np.random.default_rng(3).integers(1, 900, 3000).cumsum()
    table = np.zeros((3000, 3), "<u4")
    table[:, 0], table[:, 1], table[:, 2] = steps, 1 << 20, steps // 5000
    second, third = (octets.encode(table.tobytes(), PLENTY, version) for version in (2, 3))
    assert second is not None and third is not None
    assert len(third) < 0.9 * len(second)


@given(contents(), st.integers(1, 30), versions)
@settings(deadline=None, max_examples=60)
def test_bytes_come_back(data: bytes, times: int, version: int) -> None:
    whole = data * times
    words = octets.encode(whole, PLENTY, version)
    assert words is not None
    assert octets.decode(words, len(whole), version) == whole


@pytest.mark.skipif(not octets.quick(), reason="the reference takes twenty seconds")
@pytest.mark.parametrize(("version", "digest"), FROZEN.items())
def test_words_of_two_messages_are_frozen(version: int, digest: str) -> None:
    """The reference gives them, too: more bytes than others here, in more buckets."""
    rows = ((k, k // 3, k * k * 40503 >> 9 & 0xFFFF) for k in range(1900))
    data = b"".join(b"%d,Name %d,%x\n" % row for row in rows)
    assert 8 * len(data) > SEGMENT
    words = octets.encode(data, PLENTY, version)
    assert words is not None
    assert sha256(words.astype("<u4").tobytes()).hexdigest() == digest
    assert octets.decode(words, len(data), version) == data


def test_text_takes_less_than_zstd_makes_of_it() -> None:
    text = Path(reference.__file__).read_bytes()
    words = octets.encode(text, PLENTY)
    assert words is not None
    assert 4 * len(words) < 0.9 * len(ZstdCompressor(level=19).compress(text))


def test_more_than_its_room_is_refused() -> None:
    noise = np.random.default_rng(1).bytes(5000)
    assert octets.encode(noise, len(noise) // 4) is None
    assert octets.encode(TEXT, 10) is None
    assert octets.encode(b"", 0) is not None


def test_words_may_lie_anywhere() -> None:
    """As those of a file do; a sanitizer tells of one that is read where it must not lie."""
    words = octets.encode(TEXT[:600], PLENTY)
    assert words is not None
    for before in range(4):
        laid = np.frombuffer(bytes(before) + words.tobytes(), np.uint32, offset=before)
        assert octets.decode(laid, 600) == TEXT[:600]


def test_threads_change_nothing() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: octets.encode(TEXT, PLENTY), range(8)))
    assert found[0] is not None
    assert all(words is not None and np.array_equal(words, found[0]) for words in found)


@given(st.data(), versions)
@settings(deadline=None, max_examples=90)
def test_damage_is_an_error_or_other_bytes(data: st.DataObject, version: int) -> None:
    """What bytes say of themselves, a checksum, is another one's matter."""
    words = octets.encode(TEXT[:600], PLENTY, version)
    assert words is not None
    wrong = words.copy()
    wrong[data.draw(st.integers(0, len(words) - 1))] ^= 1 << data.draw(st.integers(0, 31))
    with suppress(ArchiveError):
        assert octets.decode(wrong, 600, version) != TEXT[:600]


@pytest.mark.parametrize("engine", ["c", "reference"])
def test_words_that_do_not_end_with_the_bytes_are_refused(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "c" and not octets.quick():
        pytest.skip("the kernel is not compiled")
    monkeypatch.setenv("BITSWAP_ENGINE", engine)
    words = octets.encode(TEXT[:200], PLENTY)
    assert words is not None
    for own, size in ((words[:-1], 200), (words[:0], 200), (words, 199), (words, 260)):
        with pytest.raises(ArchiveError, match="damaged"):
            octets.decode(own, size)
    longer = np.append(words, np.uint32(7))
    with pytest.raises(ArchiveError, match="damaged"):
        octets.decode(longer, 200)


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", "fortran")
    with pytest.raises(InputError, match="choose c or reference"):
        octets.encode(b"abc", 9)
