"""What was white may have been more than that before it was transformed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bitswap_cli.images.history import engine
from bitswap_cli.images.history.decoder import decode
from bitswap_cli.images.history.finder import find
from bitswap_cli.images.history.reference import ZIGZAG
from bitswap_cli.images.history.search import in_blocks
from bitswap_cli.images.history.solving import puzzle
from bitswap_cli.images.history.solving.deringing import deringed
from tests.images.history.jpegs import load, save, scene, taken_apart

needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
WAVES = np.array(
    [[np.cos((2 * x + 1) * u * np.pi / 16) * (0.5 if u else 8**-0.5) for x in range(8)]
     for u in range(8)]
)  # fmt: skip


def white(count: int) -> NDArray[np.int16]:
    """Blocks of which some samples are 255, one more in each; all are in the last."""
    blocks = np.random.default_rng(6).integers(0, 255, (count, 64)).astype(np.int16)
    blocks[np.arange(64) < np.arange(count)[:, None] * 64 // (count - 1)] = 255
    return np.random.default_rng(7).permuted(blocks, axis=1)


@pytest.mark.parametrize("step", [1, 5, 40])
def test_curves_lie_above_white_alone(step: int) -> None:
    blocks = white(300)
    made = deringed(blocks, step)
    flat = (blocks == 255).all(1)
    assert flat.any() and np.array_equal(made[flat], blocks[flat])
    top = (blocks == 255) & ~flat[:, None]
    assert np.array_equal(made[~top], blocks[~top])
    assert (made[top] > 255).mean() > 0.9 and (made[top] >= 255).all()
    assert made.max() <= 255 + min(31, 2 * step) and (made.mean(1) <= 255).all()


def test_a_curve_is_as_steep_as_what_it_stands_on() -> None:
    block = np.full((1, 64), 100, np.int16)
    block[0, 10:17] = 235, 245, 255, 255, 255, 251, 251
    assert deringed(block, 40)[0, 12:15].tolist() == [260, 261, 259]


def ringing_less(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels of a JPEG whose luma had curves over white."""
    origin, picture = taken_apart(save(pixels, 85))
    told = np.rint(pixels @ [0.299, 0.587, 0.114]).astype(np.int16)
    luma, step = in_blocks(told), origin.steps[0]
    luma[:, ZIGZAG] = deringed(luma[:, ZIGZAG], int(step[0]))
    waves = np.einsum("uy,nyx,vx->nuv", WAVES, luma.reshape(-1, 8, 8) - 128.0, WAVES)
    blocks = np.rint(waves.reshape(-1, 64)[:, ZIGZAG] / step).astype(np.int16)
    first, *others = picture.coefficients
    own = [np.ascontiguousarray(blocks).reshape(first.shape), *others]
    return decode(origin, own, *pixels.shape[:2])


@needs_kernel
def test_what_was_above_white(monkeypatch: pytest.MonkeyPatch) -> None:
    much = (scene(192, 256).astype(np.int16) * 2 - [0, 4, 9]).clip(0, 255)
    pixels = ringing_less(much.astype(np.uint8))
    found = find(pixels)
    monkeypatch.setattr(puzzle, "deringed", lambda samples, _: samples)
    other = find(pixels)
    assert found is not None and other is not None
    assert 3 * found.wrong < other.wrong


@needs_kernel
def test_nothing_is_above_white_beyond_a_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[int]()

    def told(samples: NDArray[np.int16], _: int) -> NDArray[np.int16]:
        asked.append(len(samples))
        return samples

    monkeypatch.setattr(puzzle, "deringed", told)
    dim = (scene(192, 256) * 0.7).astype(np.uint8)
    assert find(np.ascontiguousarray(load(save(dim, 85))[5:-9, 3:-6])) is not None
    assert not asked
