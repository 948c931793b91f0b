"""What mozjpeg makes of luma at its maximum before it is transformed.

A decoder cuts samples beyond their range, so that these may be anything there: mozjpeg lays a
smooth curve over each run of them, in zigzag order, by which an edge to white takes fewer bits.
"""

import numpy as np
from numpy.typing import NDArray

_MOST = 255
_HIGHEST = 31  # a curve is no higher above the maximum


def deringed(samples: NDArray[np.int16], step: int) -> NDArray[np.int16]:
    """Return samples (n, 64), in zigzag order, with curves over what is at the maximum, 255.

    `step` is that of the mean's coefficient: a curve is no higher than twice that.
    """
    top, place = samples == _MOST, np.arange(64)
    count = top.sum(1, keepdims=True)
    spare = (64 * _MOST - samples.sum(1, keepdims=True)) // np.maximum(count, 1)
    before = np.maximum.accumulate(np.where(top, -1, place), 1)  # the last one that is not
    after = np.minimum.accumulate(np.where(top, 64, place)[:, ::-1], 1)[:, ::-1]  # the next one
    rise, fall = _slope(samples, before, before - 1), _slope(samples, after, after + 1)
    rise, fall = np.where(before < 0, fall, rise), np.where(after > 63, rise, fall)
    length, done, left = after - before - 1, place - before, after - place
    curve = length * done * left * (rise * left + fall * done)
    height = -(-curve // np.maximum(length + 1, 1) ** 3)
    height = np.minimum(height, np.minimum(spare, min(_HIGHEST, 2 * step)))
    curved: NDArray[np.int16] = np.where(top & (count < 64), _MOST + height, samples)
    return curved.astype(np.int16)


def _slope(
    samples: NDArray[np.int16], near: NDArray[np.int64], far: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how fast samples rise to the maximum, given the places of the two that are next."""
    one, other = (
        np.take_along_axis(samples, at.clip(0, 63), 1).astype(np.int64) for at in (near, far)
    )
    steepest: NDArray[np.int64] = np.maximum(one - other, _MOST - one)
    return steepest
