"""Streams told by what their tokens cost: whoever made them, they come back; and if their maker
looked for cheap ones, that takes next to nothing."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate import describe, describing, engine, reference, restore
from bitswap_cli.images.deflate.guess import foreign, guess
from bitswap_cli.images.deflate.inflated import Inflated
from bitswap_cli.images.deflate.makers import COSTS, noting
from bitswap_cli.images.deflate.parameters import COSTS as FAMILY
from bitswap_cli.images.deflate.reference.costs.coder import logarithm
from bitswap_cli.images.deflate.reference.costs.heads import smoothed
from tests.images.deflate.streams import (
    RAW,
    by_libdeflate,
    changing,
    deflated,
    flat,
    raws,
    settings,
    thrifty,
)

NEVER = 1 << 30


def _inflated(stream: bytes) -> Inflated:
    found = (engine.compiled() or reference).inflate(stream[2:], NEVER)
    assert found is not None
    return found


def _tell(by: engine.Engine, known: Inflated, room: int = NEVER >> 6) -> bytes | None:
    """What is told, of which it is proved that it is heard so."""
    told = by.tell(known, room)
    if told is None:
        return None
    assert _alike(by.hear(known.data, told.message, told.seen), known)
    return told.message


def _alike(one: Inflated, other: Inflated) -> bool:
    names = ("tokens", "blocks", "heads", "pad")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@limits(max_examples=60, deadline=None)
@given(raws, settings)
def test_both_engines_tell_and_hear_alike(raw: bytes, setting: dict[str, int]) -> None:
    kernel = engine.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    known = _inflated(deflated(raw, **setting))
    told = _tell(kernel, known)
    assert told == _tell(reference, known, NEVER)
    if told is None:  # it has too many blocks
        return
    for each in (kernel, reference):
        assert _alike(each.hear(known.data, told), known)
    for room in (1, len(told) // 2, len(told) - 1):
        assert _tell(kernel, known, room) == _tell(reference, known, room)


@pytest.mark.parametrize("level", [1, 9, None])
def test_both_engines_do_so_for_long_streams(level: int | None) -> None:
    kernel = engine.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    known = _inflated(by_libdeflate(changing(), level) if level else thrifty(changing()))
    told = _tell(kernel, known)
    assert told is not None and told == _tell(reference, known, NEVER)
    assert _alike(reference.hear(known.data, told), known)
    rooms = [len(told) // 4, len(told), 9 * len(told)]
    found = [_tell(kernel, known, room) for room in rooms]
    assert found == [_tell(reference, known, room) for room in rooms]
    assert found[0] is None and found[2] == told
    assert _alike(reference.hear(known.data, told), known)  # still


@limits(max_examples=20, deadline=None)
@given(raws)
def test_cheap_tokens_take_next_to_nothing(raw: bytes) -> None:
    stream = thrifty(raw)
    told = _tell(engine.compiled() or reference, _inflated(stream))
    assert told is not None and len(told) <= 20 + len(stream) // 4


@pytest.mark.parametrize("make", [flat, changing])
def test_they_are_described_so_where_that_is_shorter(make: Callable[[], bytes]) -> None:
    stream = thrifty(make())
    with noting() as makers:
        described = describe(stream + b"behind", 1 << 20)
    assert described is not None and makers == {COSTS}
    assert described.description[0] >> 4 == FAMILY
    assert len(described.description) < len(stream) // 50 + 20
    assert restore(*described) == stream + b"behind"
    with noting() as makers:
        other = describe(deflated(make(), 6), 1 << 20)
    assert other is not None and other.description[0] >> 4 != FAMILY and not makers


def test_no_maker_is_looked_for_whose_codes_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = thrifty(changing())
    known, other = _inflated(stream), _inflated(thrifty(changing()[::-1]))
    assert not foreign(known) and not foreign(_inflated(by_libdeflate(changing(), 12)))
    assert foreign(known._replace(heads=other.heads))
    plain = describe(stream, 1 << 20)

    def fails(*_: object) -> None:
        raise AssertionError("a maker was looked for")

    monkeypatch.setattr("bitswap_cli.images.deflate.guess._candidates", fails)
    with pytest.raises(AssertionError):
        describe(stream, 1 << 20)
    monkeypatch.setattr("bitswap_cli.images.deflate.guess.foreign", lambda _: True)
    assert plain is not None and describe(stream, 1 << 20) == plain


@pytest.mark.parametrize("told", [True, False])
def test_makers_are_given_up_only_where_costs_tell(*, told: bool) -> None:
    """All candidates are wrong about the first tokens; whether that is all is asked once."""
    stream, asked = thrifty(flat() + changing()), list[bool]()

    def otherwise() -> bool:
        asked.append(told)
        return told

    found = guess(_inflated(stream), stream[:2], [], otherwise)
    assert asked == [told] and (found is None) == told
    plain = deflated(flat() + changing(), 6)
    assert guess(_inflated(plain), plain[:2], [], otherwise) is not None and len(asked) == 1


def test_what_does_not_come_back_so_is_described_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> bytes:
        raise ArchiveError("it was not heard")

    monkeypatch.setattr("bitswap_cli.images.deflate.restoring.heard", fails)
    stream = thrifty(changing())
    with noting() as makers:
        described = describe(stream, 1 << 20)
    assert described is not None and COSTS not in makers
    assert restore(*described) == stream


def test_blocks_may_be_longer_than_what_is_searched_at_once() -> None:
    """By the kernel alone: the reference gives the same words, in a minute."""
    kernel = engine.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    raw = flat() * 4 + bytes(290_000) + flat()
    known = _inflated(deflated(raw, 9, memory=9))
    assert len(known.blocks) < 5
    told = _tell(kernel, known)
    assert told is not None and _alike(kernel.hear(known.data, told), known)
    assert hashlib.sha256(told).hexdigest()[:16] == "ec92d34efc21fb5c"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_smoothing_keeps_what_is_used(counts: list[int]) -> None:
    found = smoothed(counts)
    assert len(found) == len(counts)
    assert all(after > 0 for before, after in zip(counts, found, strict=True) if before)


@given(st.integers(1, (1 << 31) - 1))
def test_logarithms_are_in_sixteenths(x: int) -> None:
    found = logarithm(x)
    assert 1 << found <= x**16 < 1 << found + 1


@given(st.binary(max_size=60))
@example(b"G\xd2\x88\xec\xdeY\xba\xff")
@limits(deadline=None)
def test_no_message_is_heard_in_silence(told: bytes) -> None:
    """Whatever is heard can be told, and is heard so again."""
    data = np.frombuffer(RAW["few"]()[:500] + bytes(512), np.uint8)
    engines: list[engine.Engine] = [engine.compiled() or reference, reference]
    for each in engines:
        try:
            heard = each.hear(data, told)
        except ArchiveError:
            continue
        again = _tell(each, heard)
        assert again is not None and _alike(each.hear(data, again), heard)


def test_what_was_seen_otherwise_proves_nothing() -> None:
    """What a search saw stands for it: less of it, or something else, is refused or not alike."""
    kernel = engine.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    known = _inflated(thrifty(changing()))
    told = kernel.tell(known, NEVER >> 6)
    assert told is not None and len(told.seen)
    with pytest.raises(ArchiveError):
        kernel.hear(known.data, told.message, told.seen[: len(told.seen) // 2])
    wrong = told.seen.copy()
    wrong[-1] ^= 7
    try:
        heard = kernel.hear(known.data, told.message, wrong)
    except ArchiveError:
        return
    assert not _alike(heard, known)


@pytest.mark.parametrize("size", [600, 2000, 4000])
def test_what_costs_tell_in_less_is_not_proved_otherwise(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved, proves = list[int](), describing._proves

    def noted(known: Inflated, description: bytes, *how: Any) -> bool:
        proved.append(description[0] >> 4)
        return proves(known, description, *how)

    monkeypatch.setattr(describing, "_proves", noted)
    described = describe(thrifty(changing()[:size]), NEVER)
    assert described is not None and described.description[0] >> 4 == FAMILY
    assert proved == [FAMILY]
