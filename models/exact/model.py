"""What every model that codes has, whatever its family: its tensors, and an answer to check."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Integers, Plane
from bitswap_models.exact.tensors import Stored


class Listener(Protocol):
    """Who a model tells its integers."""

    def tiles(self, *arrays: NDArray[np.integer]) -> None:
        """Hear integers of each tile, (N, ...)."""

    def once(self, array: NDArray[np.integer]) -> None:
        """Hear integers that are of no tile."""


class ExactModel(ABC):
    """A model of integers, proved exact: a `bitswap_cli.contract.TileModel`.

    Parameters
    ----------
    stored : Stored
        What the model takes its tensors from, here and in the constructors of its family.
    """

    family: str
    """The name of its family in the register."""
    config: Any
    schemes: Sequence[str]
    depth: int
    tile: int
    factors: Sequence[int]
    slack: float
    growth: Fraction
    channels: int
    stride: int
    low, high = 0, 255  # the alphabet of samples
    planes: Sequence[Plane]

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.layers = stored.layers
        self.batch: int | None = None  # tiles a network sees at a time

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it."""
        return dict(self._stored.taken)

    def counted(self) -> tuple[int, int]:
        """Parameters, and how many of them are binary."""
        shapes = [layer.shape for layer in self.layers.values()]
        weights = [layer.weight.size for layer in self.layers.values()]
        binary = sum(n for n, shape in zip(weights, shapes, strict=True) if shape.binary)
        packed = sum(a.size for n, a in self.tensors().items() if n.endswith(".weight"))
        others = sum(a.size for a in self.tensors().values()) - packed
        return sum(weights) + others, binary

    @abstractmethod
    def tell(self, x: Integers, told: Listener) -> None:
        """Tell all integers that the model gives for tiles x, (B, C, T, T), with latents in the
        middle of their posteriors: its known answer is made of them."""
