"""Small JPEG VAEs with random integers, and random pictures of coefficients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.coefficients import Component
from bitswap_models.exact.tensors import Blank, built
from bitswap_models.families.jpeg_vae.config import Config
from bitswap_models.families.jpeg_vae.model import JpegVAE

Picture = list[NDArray[np.int16]]


def config(latents: tuple[int, ...]) -> Config:
    """A small shape, other than the default in all."""
    return Config(latents, link=6, hidden=(24, 17), context=(32, 16), width=(9, 8))


def model(latents: tuple[int, ...] = (), seed: int = 0) -> JpegVAE:
    """A model of random integers, none of which saturates all."""
    blank, random = Blank(), np.random.default_rng(seed)
    JpegVAE(config(latents), blank)
    tensors = {}
    for name, array in blank.taken.items():
        part = name.rpartition(".")[2]
        if part in ("weight", "weights") and array.dtype == np.int8:
            values = random.integers(-60, 61, array.shape)
        elif part == "scale":
            values = random.integers(100, 400, array.shape)
        elif part == "bias":
            values = random.integers(-(1 << 21), 1 << 22, array.shape)
        elif part == "scales":
            values = random.integers(40, 80, array.shape)
        else:
            values = random.integers(-150, 151, array.shape)
        tensors[name] = values.astype(array.dtype)
    return built(JpegVAE, config(latents), tensors)


def component(
    rows: int, columns: int, sampling: tuple[int, int] = (1, 1), step: int = 8
) -> Component:
    """A component whose steps grow from `step` on."""
    steps = np.minimum(step + np.arange(64) * step // 8, 65535).astype(np.int32)
    return Component(rows, columns, sampling, steps)


def picture(
    frame: Sequence[Component], random: np.random.Generator, spread: float = 6.0
) -> Picture:
    """Coefficients that become smaller towards high frequencies."""
    sizes = spread * np.exp(-np.arange(64) / 12)
    return [
        np.round(random.laplace(0, sizes, (c.rows, c.columns, 64))).clip(-32768, 32767)
        .astype(np.int16)
        for c in frame
    ]  # fmt: skip


FRAMES = (
    [component(3, 5)],
    [component(4, 6), component(2, 3, (2, 2)), component(2, 3, (2, 2))],
    [component(2, 9, step=1), component(2, 9), component(2, 9)],
    [component(1, 1, step=60000), component(1, 1), component(1, 1), component(1, 1)],
    [component(9, 10), component(9, 5, (1, 2)), component(9, 10)],
)
