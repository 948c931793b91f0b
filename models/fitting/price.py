"""What differences cost in an archive, while they are trained: a float surrogate.

As archive/difference.py has it, the differences of a tensor are coded under a mixture of two
logistics around 0: a narrow one for what stayed, and a wide one, whose share and scale are chosen
for each tensor.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
START = (0.5, 1.0)  # share and scale of the first prior's wide logistic
NARROW = 0.1  # scale of a prior's narrow logistic
SMOOTH = 0.2  # the same, so that small differences feel it
FARTHEST = 511
SHARES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 255)  # of 256, of the wide logistic


class Price:
    """The bits of differences under the priors of their tensors.

    Parameters
    ----------
    tensor : int64 array (P,)
        The number of the tensor that each difference belongs to, from 0 on.
    """

    def __init__(self, tensor: NDArray[np.int64]) -> None:
        self.tensor, self.tensors = tensor, int(tensor.max()) + 1
        self.prior = np.repeat(np.array(START)[:, None], self.tensors, 1)

    def renew(self, differences: Floats) -> None:
        """Choose the prior of each tensor anew."""
        shares, scales, _ = _priors()
        best = self._bits(differences).argmin(1)
        self.prior = np.stack((shares[best], scales[best]))

    def bytes(self, differences: Floats) -> float:
        """About how many bytes differences take, each tensor's under the prior that is best."""
        return float(self._bits(differences).min(1).sum() / 8)

    def slope(self, differences: Floats) -> Floats:
        """What the bits of each difference rise by as it grows by one, under its prior."""
        share, scale = (p[self.tensor].astype(np.float32) for p in self.prior)
        mass, rise = np.zeros((2, len(differences)), np.float32)
        for weight, wide in ((1 - share, np.float32(SMOOTH)), (share, scale)):
            upper, lower = (
                1 / (1 + np.exp(-((differences + half) / wide).clip(-30, 30)))
                for half in (np.float32(0.5), np.float32(-0.5))
            )
            mass += weight * (upper - lower)
            rise += weight / wide * (upper * (1 - upper) - lower * (1 - lower))
        slope = -rise / (mass + np.float32(2.0**-20)) / math.log(2)
        return slope.astype(np.float32, copy=False)

    def _bits(self, differences: Floats) -> NDArray[np.floating]:
        """Bits of each tensor's differences under all priors, (tensors, N)."""
        size = np.minimum(np.abs(np.rint(differences)), FARTHEST).astype(np.int64)
        numbers = FARTHEST + 1
        count = np.bincount(self.tensor * numbers + size, minlength=self.tensors * numbers)
        bits: NDArray[np.floating] = count.reshape(-1, numbers) @ _priors()[2].T
        return bits


@cache
def _priors() -> tuple[Floats, Floats, Floats]:
    """Priors of differences: shares and scales of the wide logistic, (N,); bits, (N, FARTHEST + 1).

    The rest of the share is of a logistic so narrow that it says 0.
    """
    shares, scales = (
        a.ravel().astype(np.float32)
        for a in np.meshgrid(np.array(SHARES) / 256, 2.0 ** np.arange(-2, 6.1, 0.5))
    )
    far = np.arange(FARTHEST + 1)
    mass = np.zeros((len(shares), FARTHEST + 1))
    for weight, scale in ((1 - shares, np.full_like(scales, NARROW)), (shares, scales)):
        ends = ((far + half) / scale[:, None] for half in (0.5, -0.5))
        upper, lower = (1 / (1 + np.exp(-e.clip(-60, 60))) for e in ends)
        mass += weight[:, None] * (upper - lower)
    return shares, scales, -np.log2(mass * (1 - 2.0**-10) + 2.0**-20).astype(np.float32)
