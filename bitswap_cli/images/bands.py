"""Pictures of coefficients <-> bands: rows of blocks, few enough to be coded at a time."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from bitswap_cli.coefficients import Coefficients, Frame

# About what models take, in bits: of a coefficient other than 0, of each bit of its size, and of a
# block, in which some of them are cheap; and what they take at least, likewise.
_BITS = 4.15, 0.18, -4.5
_LEAST = 1.4, 0.5, 0.25
BLOCKS = 1 << 15  # of a band or of several that are coded together, unless a single strip has more


def blocks_of(frame: Frame) -> int:
    """Return how many blocks a picture has."""
    return sum(component.rows * component.columns for component in frame)


def bands(frame: Frame) -> list[Frame]:
    """Return the frames of a picture's bands, from the top down.

    A picture has as many strips as rows of blocks divide all its components into; bands are of
    equally many of them, or nearly so.
    """
    strips = math.gcd(*(component.rows for component in frame))
    count = -(-strips // max(1, BLOCKS * strips // blocks_of(frame)))
    bounds = [strips * k // count for k in range(count + 1)]
    return [
        [c._replace(rows=c.rows // strips * (end - start)) for c in frame]
        for start, end in zip(bounds[:-1], bounds[1:], strict=True)
    ]


def cut(picture: Coefficients, frames: Sequence[Frame]) -> Iterator[Coefficients]:
    """Yield the bands of a picture, whose frames are given; they share its memory."""
    tops = [0] * len(picture)
    for frame in frames:
        ends = [top + component.rows for top, component in zip(tops, frame, strict=True)]
        yield [x[top:end] for x, top, end in zip(picture, tops, ends, strict=True)]
        tops = ends


def estimate(picture: Coefficients) -> float:
    """Return about how many bytes a model takes for a picture, to compare it with pixels."""
    bits = 0.0
    for x in picture:
        sizes = np.abs(x[x != 0].astype(np.float64))
        told = np.array([sizes.size, np.log2(sizes).sum(), x.size / 64])
        bits += float(max(told @ _BITS, told @ _LEAST))
    return bits / 8


def together(frames: Sequence[Frame]) -> list[slice]:
    """Return which of consecutive bands are coded together: as many as have `BLOCKS` blocks."""
    starts, blocks = [0], 0
    for number, frame in enumerate(frames):
        blocks += blocks_of(frame)
        if blocks > BLOCKS and number > starts[-1]:
            starts.append(number)
            blocks = blocks_of(frame)
    ends = [*starts[1:], len(frames)]
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]
