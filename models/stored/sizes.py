"""How large a model is: its parameters, and the bytes that its file packs them in."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from bitswap_models.exact.tensors import Tensors


class Countable(Protocol):
    """A model of any family, one that codes or what is trained."""

    def tensors(self) -> Tensors:
        """What its file holds."""

    def counted(self) -> tuple[int, int]:
        """Parameters, and how many of them are binary."""


class Sizes(NamedTuple):
    """Parameters in all and binary ones, and bytes: as a file packs them, and in float32."""

    parameters: int
    binary: int
    packed_bytes: int
    float32_bytes: int

    @property
    def binary_share(self) -> float:
        """Binary parameters of all."""
        return self.binary / self.parameters


def sizes(model: Countable) -> Sizes:
    """Count a model.

    Weights take 1 bit where they are binary, else 8, and so do the values of tables; every output
    channel of a layer has a scale and an offset besides.
    """
    parameters, binary = model.counted()
    packed = sum(array.nbytes for array in model.tensors().values())
    return Sizes(parameters, binary, packed, 4 * parameters)
