"""How large a model is: its parameters, and the bytes that its file packs them in."""

from __future__ import annotations

import math
from typing import NamedTuple

from bitswap_models.exact.chain import Latents
from bitswap_models.exact.layers import IntegerConv
from bitswap_models.families.flowpp.weight_norm import Conv, Table
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.register import Trained

NUMBER = 4  # bytes of a scale, an offset and whatever is neither a weight nor in a table


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


def sizes(model: Trained) -> Sizes:
    """Count a model of any kind, trained, loaded or, on the "meta" device, without any values.

    Weights take 1 bit where they are binary, else 8, and so do the values of tables; every output
    channel of a layer has a scale and an offset besides.
    """
    parameters = binary = packed = 0
    for module in model.modules():
        if isinstance(module, (IntegerConv, Conv)):
            weights = math.prod(module.shape)
            outputs = module.shape[0]
            parameters += weights + 2 * outputs
            binary += weights if module.binary else 0
            packed += (weights + 7) // 8 if module.binary else weights
            packed += 2 * NUMBER * outputs
        elif isinstance(module, Table):
            parameters += module.values.numel()
            packed += module.values.numel() + NUMBER * len(module.values)
        elif isinstance(module, Latents):
            numbers = module.top.numel() if module.depth else 0
            if isinstance(module, PixelVAE) and module.bounds is not None:
                numbers += module.bounds.numel()
            parameters += numbers
            packed += NUMBER * numbers
        else:
            others = sum(p.numel() for p in module.parameters(recurse=False))
            parameters += others
            packed += NUMBER * others
    return Sizes(parameters, binary, packed, 4 * parameters)
