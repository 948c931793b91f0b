"""Pictures of coefficients come back, whatever they are; the engines write the same bytes."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.ans import reference
from bitswap_cli.coding import coefficients as coding
from bitswap_cli.coding.coefficients import CoefficientCodec, groups
from bitswap_cli.errors import ArchiveError
from bitswap_models.exact import layers
from bitswap_models.families.jpeg_vae import kernel
from tests.models.families.jpeg_vae.small import FRAMES, component, model, picture

RANDOM = np.random.default_rng(5)
PICTURES = [picture(frame, RANDOM) for frame in FRAMES]
LATENTS: tuple[tuple[int, ...], ...] = ((), (3,))
MODELS = {latents: model(latents) for latents in LATENTS}


@pytest.fixture(params=[(), (3,)], ids=["plain", "latents"])
def codec(request: pytest.FixtureRequest, learning: bool) -> CoefficientCodec:
    """Codecs with and without latents, that learn and that do not."""
    return CoefficientCodec(MODELS[request.param], learning=learning)


@pytest.fixture(params=[True, False], ids=["learning", "fixed"])
def learning(request: pytest.FixtureRequest) -> bool:
    """Whether the model learns."""
    found: bool = request.param
    return found


@pytest.fixture
def numpy_only() -> Iterator[pytest.MonkeyPatch]:
    """Lets everything be computed by numpy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "engine", lambda: reference)
        patch.setattr(layers, "engine", lambda: None)
        patch.setattr(kernel, "engine", lambda: None)
        yield patch


def same(a: list[list[np.ndarray]], b: list[list[np.ndarray]]) -> bool:
    """Whether all coefficients are equal."""
    return all(
        np.array_equal(x, y)
        for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True)
    )  # fmt: skip


def test_pictures_come_back(codec: CoefficientCodec) -> None:
    payload = bytes(range(256)) * 8
    told = codec.encode(FRAMES, PICTURES, payload)
    pictures, carried = codec.decode(told.words, told.excess, FRAMES)
    assert same(pictures, PICTURES)
    assert carried[: told.payload_used] == payload[: told.payload_used]
    assert not told.excess
    assert told.payload_used > 0


def test_bits_are_what_the_message_takes(codec: CoefficientCodec) -> None:
    told = codec.encode(FRAMES, PICTURES, b"")
    size = 8 * len(told.words)
    more = 32 * 64 if codec.model.depth else 8 * 64  # heads, and initial bits
    assert told.bits.sum() <= size <= told.bits.sum() + more + 20000 * codec.model.depth
    assert (told.bits[:, 0] > 0).all()


def test_numpy_and_c_write_the_same_bytes(
    codec: CoefficientCodec, numpy_only: pytest.MonkeyPatch
) -> None:
    slow = codec.encode(FRAMES[:3], PICTURES[:3], b"payload")
    restored, _ = codec.decode(slow.words, slow.excess, FRAMES[:3])
    numpy_only.undo()
    fast = codec.encode(FRAMES[:3], PICTURES[:3], b"payload")
    assert slow.words == fast.words
    assert same(restored, PICTURES[:3])
    assert same(codec.decode(slow.words, b"", FRAMES[:3])[0], PICTURES[:3])


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5)), min_size=1, max_size=4),
    st.floats(0.05, 30000), st.integers(0, 2**32 - 1), st.sampled_from([1, 7, 255, 65535]),
    st.sampled_from([(), (3,)]), st.booleans(),
)  # fmt: skip
def test_any_coefficients_come_back(
    shapes: list[tuple[int, int]],
    spread: float,
    seed: int,
    step: int,
    latents: tuple[int, ...],
    learning: bool,
) -> None:
    frame = [component(*shape, step=step) for shape in shapes]
    pictures = [picture(frame, np.random.default_rng(seed), spread)]
    codec = CoefficientCodec(MODELS[latents], learning=learning)
    told = codec.encode([frame], pictures, b"")
    assert same(codec.decode(told.words, told.excess, [frame])[0], pictures)


def test_what_no_alphabet_holds_is_kept_aside(codec: CoefficientCodec) -> None:
    pictures = [[x.copy() for x in PICTURES[0]]]
    pictures[0][0][1, 2, [0, 5, 63]] = 32767, -32768, 1024
    told = codec.encode(FRAMES[:1], pictures, b"")
    assert len(told.excess) == 3 * 16
    assert same(codec.decode(told.words, told.excess, FRAMES[:1])[0], pictures)
    for damaged in (told.excess[:-1], told.excess[:8] + b"\x7f" * 8 + told.excess[16:]):
        with pytest.raises(ArchiveError):
            codec.decode(told.words, damaged, FRAMES[:1])


def test_damage_is_told(codec: CoefficientCodec) -> None:
    told = codec.encode(FRAMES, PICTURES, b"")
    for at in range(1, len(told.words), 997):
        damaged = bytearray(told.words)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(ArchiveError):
            codec.decode(bytes(damaged), told.excess, FRAMES)
    for words in (b"", told.words[:-4], told.words[:-1], b"\x07" + told.words[1:]):
        with pytest.raises(ArchiveError):
            codec.decode(words, told.excess, FRAMES)


def test_either_codec_decodes_what_the_other_wrote(codec: CoefficientCodec) -> None:
    other = CoefficientCodec(codec.model, learning=not codec.learning)
    told = other.encode(FRAMES, PICTURES, b"")
    assert same(codec.decode(told.words, told.excess, FRAMES)[0], PICTURES)


def test_combs_are_learnt() -> None:
    frame = [component(24, 24)]
    pictures = [[x // 3 * 3 for x in picture(frame, RANDOM, 20.0)]]
    sizes = [
        len(CoefficientCodec(MODELS[()], learning=learning).encode([frame], pictures, b"").words)
        for learning in (False, True)
    ]
    assert sizes[1] < 0.6 * sizes[0]


def test_groups_grow_with_what_is_below_them() -> None:
    frames = [[component(1, 1)]] * 40
    assert [s.stop - s.start for s in groups(frames, 16.0)] == [1, 16, 23]
    assert list(groups([], 16.0)) == []
