"""How a small picture had best lie in its tiles (images/orientation.py), judged by coding it."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples, TileCodec
from bitswap_cli.images.orientation import ORIENTATIONS, turn
from bitswap_cli.images.tiles import cut, joined
from bitswap_cli.threads import Threads

_SMALL = 1 << 14  # pixels of the largest picture that is turned: larger ones gain less


def may_turn(codec: TileCodec, pixels: Samples, factor: int) -> bool:
    """Whether a picture is worth a try in all orientations: it is small, and one tile in each."""
    height, width = pixels.shape[:2]
    side = factor * min(codec.tile_height, codec.tile_width)
    return bool(max(height, width) <= side and height * width <= _SMALL)


def choose_orientations(
    codec: TileCodec, pictures: Sequence[Samples], factor: int, threads: int = 1
) -> list[int]:
    """Return the orientation in which each picture is coded best.

    An orientation costs what its share of all says; pictures that `may_turn` not have none.

    Parameters
    ----------
    codec : TileCodec
    pictures : sequence of uint8 arrays (H, W, C)
    factor : int
        Of the size of their tiles.
    threads : int
        They change the speed, and no choice.
    """
    chosen = np.zeros(len(pictures), np.int64)
    small = [k for k, pixels in enumerate(pictures) if may_turn(codec, pixels, factor)]
    shape = (codec.tile_height * factor, codec.tile_width * factor, codec.channels)
    room = codec.chunk_tiles // factor**2

    def cost(some: list[int], orientation: int) -> NDArray[np.float64]:
        tiles = joined(cut(turn(pictures[k], orientation), *shape) for k in some)
        return codec.encode(*tiles, b"").bits

    with Threads(threads) as pool:
        for at in range(0, len(small), room):
            some = small[at : at + room]
            bits = np.stack(list(pool.map(partial(cost, some), range(ORIENTATIONS))))
            count = 1 + np.bincount(bits.argmin(0), minlength=ORIENTATIONS)
            chosen[some] = (bits - np.log2(count / count.sum())[:, None]).argmin(0)
    return [int(orientation) for orientation in chosen]
