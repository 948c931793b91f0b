"""Coding by a chosen engine, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bitswap_models.exact import kernel, layers, mixtures
from bitswap_models.families.pixel_vae import pixels


@contextmanager
def using(engine: kernel.Kernel | None) -> Iterator[None]:
    """Let networks code by the kernel, or by numpy, which is None."""
    lockstep = None if engine is None else pixels.PixelKernel(engine.path, engine.variant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "engine", lambda: engine)
        patch.setattr(mixtures, "engine", lambda: engine)
        patch.setattr(pixels, "engine", lambda: lockstep)
        yield
