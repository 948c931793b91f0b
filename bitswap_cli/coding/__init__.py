"""Bits-back schemes: (model, tiles) <-> message. bitswap.py, bbans.py and topdown.py
read like the papers."""

from bitswap_cli.coding.chunk import SCHEMES, ChunkCodec, Family
from bitswap_cli.contract import TileModel

__all__ = ["SCHEMES", "ChunkCodec", "TileModel", "tile_codec"]


def tile_codec(
    model: TileModel, scheme: str | None = None, batch: int = 64, family: Family | None = None
) -> ChunkCodec:
    """Return the codec of tiles that an archive is handed.

    Parameters
    ----------
    model : TileModel
        As ``bitswap_models.stored.model_file.load`` returns it.
    scheme : {'bitswap', 'bbans', 'topdown'}, optional
        How latents are coded; the model's best scheme by default.
    batch : int
        Tiles that the networks see at a time; it changes the speed and never a byte.
    family : callable, optional
        Gives the model of pictures with so many channels, neither 1 nor the model's, or None.

    Raises
    ------
    ModelError
        If the model has no such scheme.
    """
    return ChunkCodec(model, scheme, batch, family)
