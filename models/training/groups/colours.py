"""Photographs as luma and chroma in 8 bits, such as sources store them: what models of Y, Cb and Cr
learn from.

A picture is told as one of three channels, Y, Cb, Cr, or as gray ones, *planes*: luma, or a chroma
at half resolution. JPEGs and frames of video that were resized before they became RGB are resized
here in luma and chroma, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_models.training.augment import SPACES as COLOURS

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Random = np.random.Generator


class Space(NamedTuple):
    """Luma of red, green, blue; how much larger luma and differences are; what 0 is stored as."""

    luma: tuple[float, float, float]
    gain: float
    blue: float
    red: float
    low: float = 0
    centre: tuple[float, float] = (128, 128)


BT601 = COLOURS[0]
PHOTO_CD = Space(*COLOURS[2], centre=(156, 137))
LIMITED = Space(BT601[0], 255 / 219, BT601[2] * 255 / 224, BT601[3] * 255 / 224, low=16)
# with their shares of pictures of three channels, and of planes
SPACES = (PHOTO_CD, Space(*BT601), LIMITED, Space(*COLOURS[1], low=16))
OF_THREE, OF_PLANES = (0.2, 0.45, 0.15, 0.2), (0.45, 0.2, 0.15, 0.2)


def planes(rgb: Pixels, space: Space) -> list[Plane]:
    """Y, Cb, Cr of (H, W, 3), not rounded: (H, W) each."""
    x = rgb.astype(np.float32)
    y: Plane = x @ np.array(space.luma, np.float32)
    blue = (x[..., 2] - y) / np.float32(space.blue) + np.float32(space.centre[0])
    red = (x[..., 0] - y) / np.float32(space.red) + np.float32(space.centre[1])
    return [y / np.float32(space.gain) + np.float32(space.low), blue, red]


def rounded(plane: Plane) -> Pixels:
    """As 8 bits hold it."""
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)


def halved(plane: Plane, axis: int, cosited: bool) -> Plane:
    """Every second sample of an even number: the mean of two, or 1 2 1 around the first."""
    plane = np.moveaxis(plane, axis, 0)
    even, odd = plane[::2], plane[1::2]
    if cosited:
        before = np.concatenate((even[:1], odd[:-1]))
        half = (before + 2 * even + odd) * np.float32(0.25)
    else:
        half = (even + odd) * np.float32(0.5)
    return np.moveaxis(half, 0, axis)


def _doubled(plane: Pixels, axis: int, up: int) -> Pixels:
    """What lies between two samples is their mean, (a + b + up) >> 1; the last is repeated."""
    whole = np.moveaxis(plane, axis, 0).astype(np.int32)
    following = np.concatenate((whole[1:], whole[-1:]))
    both = np.stack((whole, whole + following + up >> 1), 1).reshape(-1, *whole.shape[1:])
    return np.moveaxis(both, 0, axis).astype(np.uint8)


def _resized(plane: Pixels, shape: tuple[int, ...], how: int) -> Pixels:
    image = Image.fromarray(plane).resize((shape[1], shape[0]), Image.Resampling(how))
    return np.asarray(image)


def _through_half(chroma: list[Plane], space: Space, random: Random) -> list[Pixels]:
    """Chroma that was stored at half resolution, at the resolution of luma again."""
    photo_cd = space is PHOTO_CD
    axes = (0, 1) if photo_cd or random.random() < 0.7 else (1,)
    shape, cosited, up = chroma[0].shape, bool(random.random() < 0.5), int(random.random() < 0.5)
    for axis in axes:
        chroma = [halved(plane, axis, cosited) for plane in chroma]
    small = [rounded(plane) for plane in chroma]
    if not photo_cd and random.random() < 0.75:  # nearest, linear or cubic
        how = int(random.choice((0, 2, 3)))
        return [_resized(plane, shape, how) for plane in small]
    for axis in axes:  # as Photo CD's and that of simple scalers
        small = [_doubled(plane, axis, up) for plane in small]
    return small


def any_of(shares: tuple[float, ...], random: Random) -> Space:
    """Draw a space by its share."""
    return SPACES[random.choice(len(SPACES), p=shares)]


def told(rgb: Pixels, side: int, space: Space, random: Random) -> Pixels:
    """Y, Cb, Cr of a square of an even side, resized to that side: (side, side, 3)."""
    y, *chroma = planes(rgb, space)
    half = random.random() < 0.5
    every = _through_half(chroma, space, random) if half else [rounded(p) for p in chroma]
    every = [rounded(y), *every]
    if rgb.shape[0] != side:
        how = int(random.choice((1, 2, 3, 3)))  # Lanczos', linear or cubic
        every = [_resized(plane, (side, side), how) for plane in every]
    return np.stack(every, -1)


def plane_of(rgb: Pixels, side: int, space: Space, random: Random) -> Pixels:
    """A plane of a square, as a gray picture: (side, side).

    Luma of its corner, or, if it is of twice that side, a chroma at half resolution, or both of
    these side by side.
    """
    if rgb.shape[0] < 2 * side or random.random() < 0.5:
        return rounded(planes(rgb[:side, :side], space)[0])
    cosited = bool(random.random() < 0.5)
    both = [halved(halved(p, 0, cosited), 1, cosited) for p in planes(rgb, space)[1:]]
    if random.random() >= 0.2:
        return rounded(both[random.integers(2)])
    at = int(random.integers(side // 8, side - side // 8))
    return rounded(np.concatenate((both[0][:, -at:], both[1][:, : side - at]), 1))
