"""Constants of numeric profile 1 and the integer parameters of its distributions."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PRECISION = 20  # a distribution's frequencies sum to 2**PRECISION
FINE_PRECISION = 24  # but those of alphabets of more than SMALL_ALPHABET to 2**FINE_PRECISION

MEAN_BITS = 4  # fraction bits of a mean: units of 1/16 symbol
MEAN_LIMIT = (1 << 15) - 1  # means are clipped to +-MEAN_LIMIT (2048 symbols)

SCALE_LEVELS = 128  # scale indices are clipped to 0..127
SCALES_PER_OCTAVE = 12
SCALE_OF_ONE = 40  # the index whose sigma is one symbol

WEIGHT_BITS = 8  # the weights of a mixture sum to 2**WEIGHT_BITS
MAX_COMPONENTS = 16

SMALL_ALPHABET = 1024
LARGE_ALPHABET = 4096  # symbols of a logistic at most, each within +-LARGE_ALPHABET / 2

LATENT_MIN, LATENT_MAX = -128, 127  # the alphabet of every latent

MAX_LANES = 32
LANES = (1, 8, 32)  # the lane counts that an archive may use


def precision(size: int) -> int:
    """Return the bits of what the frequencies of `size` symbols sum to.

    Each symbol has a frequency of at least 1. That costs 256 symbols .00035 bits each at 2**20, and
    would cost 4,096 of them .0056; at 2**24 it costs them as little.
    """
    return PRECISION if size <= SMALL_ALPHABET else FINE_PRECISION


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
