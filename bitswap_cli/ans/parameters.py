"""Constants of numeric profile 1 and the integer parameters of its distributions.

This is the only module of ours that `bitswap_models` may import: it needs nothing but numpy.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PRECISION = 20  # every distribution's frequencies sum to 2**PRECISION

MEAN_BITS = 4  # fraction bits of a mean: units of 1/16 symbol
MEAN_LIMIT = (1 << 15) - 1  # means are clipped to +-MEAN_LIMIT (2048 symbols)

SCALE_LEVELS = 128  # scale indices are clipped to 0..127
SCALES_PER_OCTAVE = 12
SCALE_OF_ONE = 40  # the index whose sigma is one symbol

WEIGHT_BITS = 8  # the weights of a mixture sum to 2**WEIGHT_BITS
MAX_COMPONENTS = 16

MAX_ALPHABET = 1024  # symbols of a logistic: at most this many, each within +-MAX_ALPHABET

LATENT_MIN, LATENT_MAX = -128, 127  # the alphabet of every latent

MAX_LANES = 32
LANES = (1, 8, 32)  # the lane counts that an archive may use


class LogisticParameters(NamedTuple):
    """Parameters of discretized logistics, one per symbol.

    Attributes
    ----------
    mean : integer array, shape (...)
        Mean in 1/16 symbol.
    scale : integer array, shape (...)
        Scale index, see `sigma`.
    """

    mean: NDArray[np.integer]
    scale: NDArray[np.integer]


class MixtureParameters(NamedTuple):
    """Parameters of mixtures of K discretized logistics, one mixture per symbol.

    Attributes
    ----------
    weight : integer array, shape (..., K)
        Weights, not negative, that sum to 256 over the last axis.
    mean : integer array, shape (..., K)
        Means in 1/16 symbol.
    scale : integer array, shape (..., K)
        Scale indices, see `sigma`.
    """

    weight: NDArray[np.integer]
    mean: NDArray[np.integer]
    scale: NDArray[np.integer]


def sigma(index: NDArray[np.integer] | int) -> NDArray[np.float64]:
    """Scale of the logistic that a scale index stands for.

    Parameters
    ----------
    index : integer or integer array
        Scale index in 0..127.

    Returns
    -------
    float64 array of the same shape
        The logistic's scale parameter (not its standard deviation) in symbols:
        2 ** ((index - 40) / 12), that is 0.099 to 152.
    """
    octaves = (np.asarray(index, dtype=np.float64) - SCALE_OF_ONE) / SCALES_PER_OCTAVE
    return np.asarray(np.exp2(octaves), dtype=np.float64)
