"""Drawn pictures come back, from every engine, and damage is noticed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.mixing import decisions
from bitswap_cli.mixing.decisions import SEGMENT
from bitswap_models.families.drawn import kernel, reference
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.engine import opened
from bitswap_models.families.drawn.model import keys
from bitswap_models.families.drawn.state import untrained
from tests.models.families.drawn.pictures import KINDS, flat, model, noise, palette, smooth


@given(
    seed=st.integers(0, 2**32 - 1),
    shapes=st.lists(
        st.tuples(st.integers(1, 24), st.integers(1, 24), st.integers(1, 4)), min_size=1, max_size=5
    ),
)
@settings(max_examples=60, deadline=None)
def test_what_is_coded_comes_back(seed: int, shapes: list[tuple[int, int, int]]) -> None:
    random = np.random.default_rng(seed)
    pictures = [KINDS[random.integers(len(KINDS))](*shape, random) for shape in shapes]
    told = [palette(one, random) if random.random() < 0.5 else None for one in pictures]
    coder = model()
    coded = coder.encode(pictures, told)
    found = coder.decode(coded.words, shapes, told)
    assert all(np.array_equal(a, b) for a, b in zip(found, pictures, strict=True))
    # a message costs its head; the decisions cost what was said of them, within their rounding
    assert abs(8 * len(coded.words) - coded.bits.sum()) <= 128 + 0.002 * coded.bits.sum()


def test_chunks_begin_alike_whatever_was_coded_before() -> None:
    """Though they have memory that others had."""
    random = np.random.default_rng(7)
    pictures, coder = [kind(20, 20, 3, random) for kind in KINDS], model()
    first = [coder.encode([one], [None]).words for one in pictures]
    with ThreadPoolExecutor(3) as pool:
        again = pool.map(lambda one: coder.encode([one], [None]).words, pictures * 4)
        assert list(again) == first * 4


@pytest.mark.skipif(kernel.compiled() is None, reason="the kernel is not compiled")
@pytest.mark.parametrize("config", [Config(12), Config(12, 2), Config(12, 2, 6, 128)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_engines_give_the_same_words(
    channels: int, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last picture contexts take entries from each other."""
    random = np.random.default_rng(channels)
    pictures = [flat(13, 9, channels, random), smooth(8, 11, channels, random)]
    pictures += [noise(3, 4, channels, random), pictures[0], flat(6, 30, channels, random)]
    pictures += [noise(16, 16, channels, random)]
    told = [None, None, None, palette(pictures[3], random), palette(pictures[4], random), None]
    shapes = [picture.shape for picture in pictures]
    words, taught = [], []
    for compiled in (kernel.compiled(), None):
        monkeypatch.setattr(kernel, "compiled", lambda compiled=compiled: compiled)
        taught.append(untrained(config))
        with opened(config, taught[-1], shapes) as chunk:
            bits = [chunk.picture(one, keys(own)) for one, own in zip(pictures, told, strict=True)]
            words.append((bits, chunk.words().tolist()))
    assert words[0] == words[1]
    assert all(np.array_equal(*arrays) for arrays in zip(*taught, strict=True))
    assert not np.array_equal(taught[0].hit, untrained(config).hit)
    back = reference.Chunk(config, untrained(config), 12, np.array(words[0][1], np.uint32))
    for picture, own in zip(pictures, told, strict=True):
        found = np.zeros_like(picture)
        back.picture(found, keys(own))
        assert np.array_equal(found, picture)
    assert not len(back.words())


def test_chunks_of_many_decisions_are_several_messages() -> None:
    random = np.random.default_rng(1)
    picture = noise(140, 90, 3, random)
    coder = model()
    coded = coder.encode([picture], [None])
    assert coded.bits.sum() > SEGMENT
    assert np.array_equal(coder.decode(coded.words, [(140, 90, 3)], [None])[0], picture)
    first = int.from_bytes(coded.words[:4], "little")
    assert 4 * (first + 1) < len(coded.words)


def test_an_encoder_goes_back_to_what_it_held() -> None:
    random = np.random.default_rng(5)
    pictures = [noise(7, 9, 3, random), flat(20, 20, 3, random), smooth(11, 8, 4, random)]
    coder = model()
    shapes = [picture.shape for picture in pictures]
    encoder = coder.encoder([*shapes, (40, 40, 3)])  # with room for what is taken back
    assert not encoder.undo()  # it held nothing
    for picture in pictures:
        encoder.hold()
        encoder.add(flat(20, 20, 3, random), None)
        encoder.add(smooth(11, 8, 4, random), None)
        assert encoder.undo() and not encoder.undo()
        encoder.hold()
        encoder.add(picture, None)
    assert encoder.words() == coder.encode(pictures, [None] * 3).words
    assert encoder.suits(shapes)
    assert not encoder.suits([(300, 300, 1)])  # these take a larger memory


@pytest.mark.parametrize("engine", ["c", "reference"])
def test_an_encoder_does_not_go_back_behind_a_message(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the reference, which is slow, are made shorter."""
    random = np.random.default_rng(5)
    height = 140 if engine == "c" else 1
    pictures = [noise(height, 90, 3, random) for _ in range(2)]
    monkeypatch.setenv("BITSWAP_ENGINE", engine)
    if engine == "reference":
        monkeypatch.setattr(decisions, "SEGMENT", 1 << 10)
    encoder = model().encoder([pictures[0].shape] * 2)
    encoder.add(pictures[0], None)
    encoder.hold()
    encoder.add(pictures[1], None)
    assert not encoder.undo()
    assert encoder.words() == model().encode(pictures, [None] * 2).words


def test_pictures_teach_the_next_ones() -> None:
    random = np.random.default_rng(2)
    pictures = [flat(20, 20, 3, random)] * 4
    bits = model().encode(pictures, [None] * 4).bits
    assert bits[1] < 0.3 * bits[0] and bits[3] <= bits[1]


def test_a_palette_is_worth_something() -> None:
    random = np.random.default_rng(3)
    colours = random.integers(0, 256, (200, 4)).astype(np.uint8)
    picture = colours[random.integers(0, 200, (24, 24))]
    coder = model()
    alone = coder.encode([picture], [None]).bits[0]
    assert coder.encode([picture], [colours]).bits[0] < 0.5 * alone


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_words_are_refused_or_give_pictures(data: st.DataObject) -> None:
    random = np.random.default_rng(4)
    pictures = [flat(12, 14, 4, random), smooth(9, 9, 4, random)]
    told = [palette(pictures[0], random), None]
    coder = model()
    words = bytearray(coder.encode(pictures, told).words)
    shapes = [(12, 14, 4), (9, 9, 4)]
    place = data.draw(st.integers(0, len(words) - 1))
    words[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ArchiveError):  # it does not end where it began
        coder.decode(bytes(words), shapes, told)


def told_by(compiled: kernel.Kernel | None, words: np.ndarray, config: Config) -> object:
    """What an engine makes of words: a picture, or None."""
    found = np.zeros((5, 6, 3), np.uint8)
    own = np.array([0x112233, 0xAABBCC, 0xFF0000], np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "compiled", lambda: compiled)
        try:
            with opened(config, untrained(config), [found.shape] * 2, words) as chunk:
                chunk.picture(found, own[:0])
                chunk.picture(found, own)
                chunk.words()
        except ArchiveError:
            return None
    return found.tolist()


@pytest.mark.skipif(kernel.compiled() is None, reason="the kernel is not compiled")
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_engines_make_the_same_of_words_by_chance(seed: int, count: int) -> None:
    words = np.random.default_rng(seed).integers(0, 1 << 32, count, np.uint32)
    if count > 2:
        words[0], words[1] = count - 1, words[1] >> 1
    for config in (Config(), Config(18, 2, 6, 128)):
        assert told_by(kernel.compiled(), words, config) == told_by(None, words, config)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("count", [1, 2, 200])
def test_a_colour_that_a_palette_lacks_is_refused(
    compiled: bool, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(kernel, "compiled", lambda: None)
    random = np.random.default_rng(6)
    colours = random.integers(1, 256, (count, 3)).astype(np.uint8)
    picture = colours[random.integers(0, count, (6, 7))]
    picture[3, 4, 1] ^= 1
    with pytest.raises(ValueError, match="a colour that its palette lacks"):
        model().encode([picture], [colours])


@pytest.mark.skipif(kernel.compiled() is None, reason="the kernel is not compiled")
def test_words_that_have_ended_take_no_time_however_much_is_asked_for() -> None:
    words = np.array([2, 0, 1 << 31], "<u4").tobytes()
    for shape in ((5793, 5792, 4), (1 << 22, 1, 4), (1, 1 << 22, 1)):
        with pytest.raises(ArchiveError):
            model().decode(words, [shape], [None])


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_words_that_are_cut_or_too_many_are_refused(cut: int) -> None:
    random = np.random.default_rng(5)
    picture = smooth(10, 10, 3, random)
    coder = model()
    words = coder.encode([picture], [None]).words
    for wrong in (words[:-cut], words + bytes(cut), b""):
        with pytest.raises(ArchiveError):
            coder.decode(wrong, [(10, 10, 3)], [None])


def test_no_picture_takes_no_words() -> None:
    coder = model()
    assert coder.encode([], []).words == b"" and coder.decode(b"", [], []) == []


@pytest.mark.parametrize("last, told", [("del chunk", b"7\n"), ("", b"")])
def test_a_chunk_is_closed_when_nobody_has_it_and_not_at_the_end(last: str, told: bytes) -> None:
    """A thread that nobody waits for may be at it then."""
    program = f"""
from types import SimpleNamespace
from bitswap_models.families.drawn.kernel import Chunk
chunk = Chunk(SimpleNamespace(close=print), 7, (), decoding=False)
{last}
"""
    assert subprocess.check_output([sys.executable, "-c", program]) == told
