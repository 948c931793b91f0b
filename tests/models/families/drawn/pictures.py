"""Small pictures of the kinds that the model of drawn pictures is for, and of others."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Palette
from bitswap_models.exact.tensors import built
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.model import Drawn
from bitswap_models.families.drawn.state import saved, untrained

Pixels = NDArray[np.uint8]


def model() -> Drawn:
    """A model that nothing has taught."""
    return built(Drawn, Config(), saved(untrained(Config())))


def flat(height: int, width: int, channels: int, random: np.random.Generator) -> Pixels:
    """Rectangles of few colours, some of which come again."""
    colours = random.integers(0, 256, (6, channels))
    found = np.full((height, width, channels), colours[0], np.uint8)
    for _ in range(5):
        top, left = random.integers(0, height), random.integers(0, width)
        found[top : top + 7, left : left + 9] = colours[random.integers(0, len(colours))]
    return found


def smooth(height: int, width: int, channels: int, random: np.random.Generator) -> Pixels:
    """A ramp with a little noise."""
    y, x = np.mgrid[:height, :width]
    ramp = (3 * x + 2 * y)[..., None] * np.arange(1, channels + 1)
    found: Pixels = (ramp + random.integers(0, 4, (height, width, channels))).astype(np.uint8)
    return found


def noise(height: int, width: int, channels: int, random: np.random.Generator) -> Pixels:
    """What nobody can foresee."""
    found: Pixels = random.integers(0, 256, (height, width, channels)).astype(np.uint8)
    return found


KINDS = flat, smooth, noise


def palette(pixels: Pixels, random: np.random.Generator) -> Palette:
    """The colours of a picture and some that it has not, in any order; None if these are many."""
    channels = pixels.shape[2]
    more = random.integers(0, 256, (4, channels)).astype(np.uint8)
    colours = np.unique(np.concatenate((pixels.reshape(-1, channels), more)), axis=0)
    found: Pixels = random.permutation(colours)
    return found if len(found) <= 256 else None
