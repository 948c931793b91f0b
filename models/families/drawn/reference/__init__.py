"""The definition of how pictures are coded; the kernel gives the same words and pixels."""

from bitswap_models.families.drawn.reference.chunk import Chunk

__all__ = ["Chunk"]
