"""Other worlds of the same photograph: scaled, through other colour spaces, noisy, compressed.

A likelihood that learns from clean photographs alone does badly on scans, on thumbnails and on what
a camera has compressed. `variant` draws one such chain; its parts imitate what happens to pictures:
resampling, chroma at half resolution (JPEG, video, Photo CD's YCC), JPEG itself, grain, tone.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Random = np.random.Generator
FILTERS = (
    Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.HAMMING,
    Image.Resampling.BICUBIC, Image.Resampling.LANCZOS,
)  # fmt: skip
# luma of red, green, blue; gain of the luma; scale of blue and of red differences: BT.601 in full
# range, BT.709 in video range, Photo CD YCC
SPACES = (
    ((0.299, 0.587, 0.114), 1.0, 1.772, 1.402),
    ((0.2126, 0.7152, 0.0722), 255 / 219, 1.8556 * 255 / 224, 1.5748 * 255 / 224),
    ((0.299, 0.587, 0.114), 1.3584, 2.2179, 1.8215),
)


def luma(pixels: Pixels) -> Pixels:
    """Turn RGB gray: (..., 3) -> (..., 1) uint8."""
    weighted = pixels.astype(np.uint16) @ np.array([77, 150, 29], np.uint16) >> 8
    return weighted[..., None].astype(np.uint8)


def scaled(photo: Pixels, factor: float, random: Random) -> Pixels:
    """Resample by a factor, with a filter drawn at random."""
    size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
    image = Image.fromarray(photo).resize(size, FILTERS[random.integers(len(FILTERS))])
    return np.asarray(image)


def jpeg(photo: Pixels, quality: int) -> Pixels:
    """Compress as JPEG and decode."""
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def _halved(plane: NDArray[np.float32], axis: int, replicate: bool) -> NDArray[np.float32]:
    """Every second sample along an axis, rounded, and back by repetition or interpolation."""
    length = plane.shape[axis]
    pairs = np.take(plane, range(0, length - length % 2), axis)
    even, odd = (np.take(pairs, range(i, pairs.shape[axis], 2), axis) for i in (0, 1))
    half = np.round((even + odd) / 2)
    last = np.take(half, [-1], axis)
    following = np.concatenate((np.take(half, range(1, half.shape[axis]), axis), last), axis)
    between = half if replicate else np.round((half + following) / 2)
    back = np.stack((half, between), axis + 1).reshape(pairs.shape)
    tail = np.take(back, [-1] * (length % 2), axis)
    return np.concatenate((back, tail), axis)


def through_chroma(photo: Pixels, random: Random) -> Pixels:
    """Go to luma and chroma in 8 bits, chroma perhaps at half resolution, and back."""
    luma, gain, blue, red = SPACES[random.integers(len(SPACES))]
    rgb = photo.astype(np.float32)
    y = rgb @ np.array(luma, np.float32)
    exact = y
    y = np.round(y / gain)
    chroma = [np.round((rgb[..., 2] - exact) / blue), np.round((rgb[..., 0] - exact) / red)]
    axes = ((), (1,), (0, 1))[random.integers(3)]
    replicate = bool(random.random() < 0.5)
    for axis in axes:
        chroma = [_halved(plane, axis, replicate) for plane in chroma]
    y = y * gain
    b, r = y + chroma[0] * blue, y + chroma[1] * red
    g = (y - luma[0] * r - luma[2] * b) / luma[1]
    return np.clip(np.round(np.stack((r, g, b), -1)), 0, 255).astype(np.uint8)


def noisy(photo: Pixels, deviation: float, common: float, random: Random) -> Pixels:
    """Add Gaussian noise, a share `common` of its variance alike in all channels."""
    shape = photo.shape[:2]
    alike = random.standard_normal((*shape, 1), np.float32) * common**0.5
    apart = random.standard_normal(photo.shape, np.float32) * (1 - common) ** 0.5
    total = photo + deviation * (alike + apart)
    varied: Pixels = np.clip(np.round(total), 0, 255).astype(np.uint8)
    return varied


def toned(photo: Pixels, random: Random) -> Pixels:
    """Another gamma, contrast and saturation, in one rounding."""
    x = photo.astype(np.float32) / 255
    x = x ** np.float32(2 ** random.uniform(-0.7, 0.7))
    gray = x.mean(-1, keepdims=True)
    x = gray + (x - gray) * np.float32(random.uniform(0.2, 1.3))
    x = (x - 0.5) * np.float32(random.uniform(0.5, 1.3)) + 0.5 + np.float32(random.normal(0, 0.05))
    varied: Pixels = np.clip(np.round(x * 255), 0, 255).astype(np.uint8)
    return varied


def world(photo: Pixels, random: Random, vary: float, shrink: float, smallest: int) -> Pixels:
    """Perhaps another world of a photograph, (H, W, 3) uint8, or a megapixel of it.

    Parameters
    ----------
    photo : array (H, W, 3)
    random : Generator
    vary : float
        The chance of another world.
    shrink : float
        It is reduced by 2^0.5 to 2^shrink then; 0 is not.
    smallest : int
        No side of the result is below.
    """
    if random.random() >= vary:
        return photo
    if shrink:
        least = (smallest + 1) / min(photo.shape[:2])
        photo = scaled(photo, min(max(least, 2 ** -random.uniform(0.5, shrink)), 1.0), random)
    if max(photo.shape) > 1024:
        y, x = (random.integers(max(1, n - 1023)) for n in photo.shape[:2])
        photo = photo[y : y + 1024, x : x + 1024]
    return variant(photo, random, smallest)


def variant(photo: Pixels, random: Random, smallest: int) -> Pixels:
    """Draw another world of a photograph, (H, W, 3) uint8, no side below `smallest`."""

    def chance(p: float) -> bool:
        return bool(random.random() < p)

    x = photo
    if chance(0.3):
        x = toned(x, random)
    if chance(0.1):
        x = jpeg(x, int(random.integers(60, 97)))
    limit = smallest / min(x.shape[:2])
    if chance(0.6) and limit < 1:
        x = scaled(x, max(limit * 1.01, 2 ** random.uniform(-3, 0.6)), random)
    if chance(0.35):
        x = noisy(x, 2 ** random.uniform(-1.5, 2.5), random.random(), random)
    if chance(0.45):
        x = through_chroma(x, random)
    elif chance(0.1):
        x = jpeg(x, int(random.integers(70, 99)))
    return x
