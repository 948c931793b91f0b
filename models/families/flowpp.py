"""Flow++: for evaluation and samples; it codes no archives. See training/networks/flowpp.py.

Ho, Chen, Srinivas, Duan and Abbeel, "Flow++: Improving Flow-Based Generative Models with
Variational Dequantization and Architecture Design", ICML 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

from bitswap_models.families.family import Family


@dataclass(frozen=True)
class Config:
    """Shape of a Flow++; every field is stored in the model file. The published one is
    ``Config()``."""

    tile: int = 32
    channels: int = 3
    hidden: int = 120  # channels of the networks in couplings
    blocks: int = 10  # in each of them
    components: int = 8  # of the mixtures
    stripes: int = 4  # couplings of columns, at full resolution
    channel: int = 2  # couplings of channels, at half of it
    squeezed: int = 3  # couplings of columns, at half of it
    dequantisation: int = 4  # couplings that make the noise
    dequantisation_blocks: int = 2
    context: int = 32  # channels of what they are told of the pixels
    context_blocks: int = 3
    weight_bits: int = 1  # of residual blocks: 1 or 32
    activation_bits: int = 1  # of what their convolutions see: 1 or 32

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        return (
            0 < self.tile <= 64
            and self.tile % 4 == 0
            and 0 < self.channels <= 4
            and 0 < self.hidden <= 256
            and 0 < self.components <= 32
            and 0 < self.context <= 256
            and max(self.blocks, self.dequantisation_blocks, self.context_blocks) <= 32
            and max(self.stripes, self.channel, self.squeezed, self.dequantisation) <= 16
            and self.weight_bits in (1, 32)
            and self.activation_bits in (1, 32)
        )

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""
        return 1

    @property
    def margin(self) -> int:
        """Pixels around a tile that training tells it: none."""
        return 0


FAMILY = Family(
    name="flowpp",
    config=Config,
    network="bitswap_models.training.networks.flowpp:FlowPP",
)
