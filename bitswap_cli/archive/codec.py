"""What the archive asks of a tile codec: pixels in, words out, and back.

The archive knows no network. It hands tiles of pixels to an object of this shape and stores the
bytes that come back; `bitswap_cli.coding` implements it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class EncodedTiles(NamedTuple):
    """The tiles of one chunk as words."""

    words: bytes
    """The message, opaque to the archive."""
    payload_used: int
    """How many leading bytes of the payload the initial bits swallowed, 0 <= it <= len(payload)."""
    bits: NDArray[np.float64]
    """Net bits of each tile, shape (N,)."""


class TileCodec(Protocol):
    """Encoder and decoder of tiles; called from several threads at once."""

    tile_height: int
    """Height of a tile in pixels."""
    tile_width: int
    """Width of a tile in pixels."""
    channels: int
    """Channels of a tile, one byte each; those that a picture lacks repeat its first."""
    factors: Sequence[int]
    """Tiles of a chunk may be so many times as high and wide: 1, and ascending."""
    slack: float
    """How many times what factor 1 covers may larger tiles cover: what is outside of a picture may
    cost time."""
    chunk_tiles: int
    """How many tiles a chunk may hold at most; larger ones count as the tiles they stand for."""

    def of(self, channels: int) -> "TileCodec | None":
        """Return the codec of pictures with so many channels, if there is one."""

    def encode(
        self, tiles: NDArray[np.uint8], sizes: NDArray[np.int32], payload: bytes
    ) -> EncodedTiles:
        """Code tiles as one self-contained message.

        Parameters
        ----------
        tiles : uint8 array (N, f * tile_height, f * tile_width, channels)
            f is one of `factors`. Pixels, zero where a tile reaches beyond its picture. A gray
            picture under an RGB codec repeats its one value in the three channels.
        sizes : int32 array (N, 3)
            Valid height, valid width and number of coded channels of each tile: only this top left
            part and these first channels have to be restored. Tiles that are coded together have
            one number of channels, or 1.
        payload : bytes
            Bytes that may serve as initial bits.
        """
        ...

    def decode(
        self, words: bytes, sizes: NDArray[np.int32], factor: int
    ) -> tuple[NDArray[np.uint8], bytes]:
        """Restore tiles and the part of the payload that the encoder swallowed.

        Parameters
        ----------
        words : bytes
            What `encode` returned.
        sizes : int32 array (N, 3)
            What `encode` was given.
        factor : int
            How many times as high and wide as `tile_height` and `tile_width` the tiles are.

        Returns
        -------
        tiles : uint8 array (N, f * tile_height, f * tile_width, channels)
            Equal to the encoder's within each tile's valid size; unspecified outside of it.
        payload : bytes
            The first ``payload_used`` bytes of the payload; zero bytes may follow.

        Raises
        ------
        ArchiveError
            If the words cannot be what `encode` returned for these sizes.
        """
        ...
