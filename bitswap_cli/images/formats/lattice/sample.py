"""Some of a picture's colours."""

from typing import NamedTuple

import numpy as np

from bitswap_cli.images.formats.lattice.maps import Plane


class Colours(NamedTuple):
    """The different ones of some pixels, each once, (n, 3)."""

    every: Plane
    within: Plane
    """Those that are not at an end of a range."""
    inside: Plane
    """And are not gray."""


def sampled(pixels: Plane, count: int) -> Colours:
    """Return the colours of about so many pixels, or fewer than twice as many, of a picture
    (H, W, 3)."""
    flat = pixels.reshape(-1, 3)
    sample = flat[:: max(1, len(flat) // count) | 1].astype(np.uint32)
    packed = np.sort(sample[:, 0] << 16 | sample[:, 1] << 8 | sample[:, 2])
    colours = packed[np.append(True, packed[1:] != packed[:-1])]
    red, green, blue = ((colours >> shift).astype(np.uint8) for shift in (16, 8, 0))
    asked = np.logical_and.reduce([(plane > 0) & (plane < 255) for plane in (red, green, blue)])
    every, gray = np.stack((red, green, blue), 1), (red == green) & (green == blue)
    return Colours(every, *(np.ascontiguousarray(every[own]) for own in (asked, asked & ~gray)))
