"""Frames come back, from either engine by the same words; damage is seen, or bounded."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.vp8 import engine, reference
from bitswap_cli.images.vp8.decisions import TooMany
from bitswap_cli.images.vp8.reference import HEAD
from tests.images.vp8.webp_files import frame_of, frames, scene, webp

Parts = tuple[bytes, list[int], bytes]
needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="the reference takes minutes")


def apart(some: list[bytes]) -> Parts:
    """What no decisions tell of frames of one partition of coefficients, how many bytes lie before
    each, and all bytes: the size of each frame before it."""
    sizes = [len(frame).to_bytes(4, "little") for frame in some]
    rest = b"".join(size + frame[:HEAD] for size, frame in zip(sizes, some, strict=True))
    whole = b"".join(size + frame for size, frame in zip(sizes, some, strict=True))
    return rest + b"end", [4] * len(some), whole + b"end"


@given(st.lists(frames(most=20), min_size=1, max_size=2))
@settings(deadline=None, max_examples=12)
def test_engines_give_the_same_words(some: list[bytes]) -> None:
    assert [reference.carried(frame) for frame in some] == [HEAD] * len(some)
    assert [engine.carried(frame) for frame in some] == [HEAD] * len(some)
    words, (rest, gaps, whole) = reference.encode(some), apart(some)
    assert np.array_equal(engine.encode(some), words)
    assert engine.decode(words, rest, gaps, len(whole)) == whole
    assert reference.decode(words, rest, gaps, len(whole)) == whole


@needs_kernel
@given(st.lists(frames(most=90), max_size=3))
@settings(deadline=None, max_examples=60)
def test_frames_come_back(some: list[bytes]) -> None:
    assert all(engine.carried(frame) for frame in some)
    rest, gaps, whole = apart(some)
    assert engine.decode(engine.encode(some), rest, gaps, len(whole)) == whole


@needs_kernel
def test_words_take_less_room_than_frames() -> None:
    some = [frame_of(webp(scene(120, 160, seed), quality=75)) for seed in range(4)]
    assert 4 * len(engine.encode(some)) < 0.9 * sum(map(len, some))


@given(frames(most=24), st.data())
@settings(deadline=None)
def test_frames_that_are_cut_or_damaged_are_known(frame: bytes, data: st.DataObject) -> None:
    """One that comes back from decisions does so, whatever it holds."""
    own = bytearray(frame[: data.draw(st.integers(0, len(frame)))])
    for _ in range(data.draw(st.integers(0, 4)) if own else 0):
        own[data.draw(st.integers(0, len(own) - 1))] = data.draw(st.integers(0, 255))
    told = bytes(own)
    if engine.carried(told) == HEAD:
        rest, gaps, whole = apart([told])
        assert engine.decode(engine.encode([told]), rest, gaps, len(whole)) == whole


@given(st.binary(max_size=200), st.integers(0, 15), st.integers(1, 70), st.integers(1, 70))
@example(b"\0ows", 1, 1, 1)  # a carry from behind the end of the last partition
@settings(deadline=None, max_examples=40)
def test_engines_agree_on_noise(noise: bytes, size: int, width: int, height: int) -> None:
    """Which frames come back, with partitions of all numbers and sizes."""
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    told = (size << 5 | 16).to_bytes(3, "little") + reference.START + sides + noise
    found = engine.carried(told)
    assert found == reference.carried(told)
    if found:
        assert np.array_equal(engine.encode([told]), reference.encode([told]))


@pytest.mark.parametrize("name", ["c", "reference"])
def test_words_that_do_not_end_with_the_frames_are_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "c" and engine.compiled() is None:
        pytest.skip("the kernel is not compiled")
    monkeypatch.setenv("BITSWAP_ENGINE", name)
    some = [frame_of(webp(scene(16, 17, 5)))]
    words, (rest, gaps, whole) = engine.encode(some), apart(some)
    size, cut = len(whole), rest[: HEAD + 3]
    bad = [(words[:-1], rest, gaps, size), (np.append(words, np.uint32(1)), rest, gaps, size)]
    bad += [(words, cut, gaps, size), (words, rest + b"!", gaps, size), (words, rest, [3], size)]
    bad += [(words, rest, [4, 4], size), (words, rest, gaps, size - 3), (words, rest, [], size)]
    for own in bad:
        with pytest.raises(ArchiveError, match="malformed"):
            engine.decode(*own)


@given(frames(most=40), st.data())
@settings(deadline=None)
def test_damage_is_an_error_or_other_bytes(frame: bytes, data: st.DataObject) -> None:
    words, (rest, gaps, whole) = engine.encode([frame]), apart([frame])
    words[data.draw(st.integers(0, len(words) - 1))] ^= 1 << data.draw(st.integers(0, 31))
    with suppress(ArchiveError):
        assert engine.decode(words, rest, gaps, len(whole)) != whole


@needs_kernel
def test_a_frame_of_more_decisions_than_it_has_bytes_for_is_none() -> None:
    """Nobody may let a reader work for hours by a few bytes."""
    huge = bytearray(frame_of(webp(scene(16, 16, 1))))
    huge[6:10] = b"\xff\x3f\xff\x3f"
    assert engine.carried(bytes(huge)) == 0


@pytest.mark.parametrize("name", ["c", "reference"])
def test_decisions_of_all_frames_are_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that cost next to nothing may let a reader work no longer than others."""
    if name == "c" and engine.compiled() is None:
        pytest.skip("the kernel is not compiled")
    monkeypatch.setenv("BITSWAP_ENGINE", name)
    some = [frame_of(webp(scene(9, 10, seed))) for seed in range(2)]
    words, (rest, gaps, whole) = engine.encode(some), apart(some)
    least, most = 1056, 1 << 14  # decisions, one of them enough
    while most - least > 1:
        middle = (least + most) // 2
        try:
            engine.encode(some, middle)
            most = middle
        except TooMany:
            least = middle
    assert most > 2 * 1056  # probabilities of coefficients, of each frame
    assert engine.decode(words, rest, gaps, len(whole), most) == whole
    with pytest.raises(ArchiveError, match="malformed"):
        engine.decode(words, rest, gaps, len(whole), most - 1)


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", "fortran")
    with pytest.raises(InputError, match="choose c or reference"):
        engine.carried(b"")
