"""WebP files that Pillow writes, for tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.images.vp8.finding import MARK


def scene(height: int, width: int, seed: int, noise: float = 8) -> np.ndarray:
    """Waves of colour, with noise and a hard edge, (H, W, 3)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / f + y / g) for f, g in random.uniform(2, 20, (3, 2))]
    pixels = 128 + 90 * np.stack(waves, 2) + random.normal(0, noise, (height, width, 3))
    pixels[height // 2 :, width // 3 :] -= 70
    return pixels.clip(0, 255).astype(np.uint8)


def webp(pixels: np.ndarray, **options: Any) -> bytes:
    """A lossy WebP file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "webp", **options)
    return out.getvalue()


def frame_of(data: bytes) -> bytes:
    """The first frame of a WebP file."""
    at = data.index(MARK)
    return data[at + 8 : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")]


@st.composite
def frames(draw: st.DrawFn, most: int = 40) -> bytes:
    """Frames of small pictures, by different settings."""
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    noise = draw(st.sampled_from([0, 3, 40]))
    pixels = scene(height, width, draw(st.integers(0, 1 << 30)), noise)
    options = {"quality": draw(st.integers(0, 100)), "method": draw(st.integers(0, 6))}
    return frame_of(webp(pixels, **options))
