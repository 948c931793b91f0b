"""Adam's moments: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
TINY = 1e-10  # bits/dim a step: smaller gradients move nothing


class Moments:
    """Adam's, of the gradient of so many parameters."""

    def __init__(self, size: int) -> None:
        self.done = 0
        self.first, self.second = np.zeros((2, size), np.float32)

    def step(self, slope: Floats) -> Floats:
        """Take a gradient; return where to go."""
        self.done += 1
        self.first += 0.1 * (slope - self.first)
        self.second += 0.01 * (slope**2 - self.second)
        mean = self.first / (1 - 0.9**self.done)
        deviation = np.sqrt(self.second / (1 - 0.99**self.done)) + TINY
        direction: Floats = mean / deviation
        return direction
