"""Bits-back schemes: (model, tiles) <-> message. bitswap.py and bbans.py read like the papers."""

from bitswap_cli.coding.chunk import SCHEMES, ChunkCodec
from bitswap_cli.coding.model import LatentModel

__all__ = ["SCHEMES", "ChunkCodec", "LatentModel", "tile_codec"]


def tile_codec(model: LatentModel, scheme: str = "bitswap", batch: int = 64) -> ChunkCodec:
    """Return the codec of tiles that an archive is handed.

    Parameters
    ----------
    model : LatentModel
        As ``bitswap_models.model_file.load`` returns it.
    scheme : {'bitswap', 'bbans'}
        How latents are coded.
    batch : int
        Tiles that the networks see at a time; it changes the speed and never a byte.

    Raises
    ------
    ModelError
        If there is no such scheme.
    """
    return ChunkCodec(model, scheme, batch)
