"""What pictures take under a model, measured by coding some of them as an archive would."""

from collections.abc import Sequence

import numpy as np

from bitswap_cli.archive.writing.material import Portion
from bitswap_cli.coding import TileModel, tile_codec
from bitswap_cli.contract import Tiles

_MOST = 1 << 23  # samples that are coded, about: they take seconds


class Measure:
    """Tells what the pictures of a portion take.

    Parameters
    ----------
    portion : Portion
        May be replaced by one that is laid otherwise.
    scheme : str
        By which latents are coded.
    batch : int
        Tiles that the networks see at a time; it changes no number.
    """

    def __init__(self, portion: Portion, scheme: str, batch: int) -> None:
        self.portion, self._scheme, self._batch = portion, scheme, batch

    def __call__(self, model: TileModel, tiles: Sequence[Tiles]) -> tuple[float, float, float]:
        """Code some tiles of the portion.

        Returns
        -------
        rate : float
            Bits/dim of the pictures that take less than without the model; of all, if none does.
        size : float
            Bytes of all pictures, each by the model or without it, whichever takes less; or
            together without it.
        by_model : float
            Bytes of the pictures that the first is of, by the model.
        """
        codec = tile_codec(model, self._scheme, self._batch)
        pictures = len(self.portion.limits)
        bits, coded, whole = np.zeros((3, pictures))
        samples = [t.sizes.astype(np.int64).prod(1) for t in tiles]
        step = 1 + sum(int(one.sum()) for one in samples) // (_MOST + 1)
        for (pixels, sizes), own, owners in zip(tiles, samples, self.portion.owners, strict=True):
            whole += np.bincount(owners, own, pictures)
            some = np.arange(0, len(pixels), step)
            coded += np.bincount(owners[some], own[some], pictures)
            room = codec.chunk_tiles // (pixels.shape[1] // codec.tile_height) ** 2
            for at in range(0, len(some), room):
                now = some[at : at + room]
                told = codec.encode(pixels[now], sizes[now], b"").bits
                bits += np.bincount(owners[now], told, pictures)
        seen = coded > 0
        size = bits[seen] / 8 * whole[seen] / coded[seen]
        pays = size < self.portion.limits[seen]
        pays |= not pays.any()
        rate = bits[seen][pays].sum() / coded[seen][pays].sum()
        least = np.minimum(size, self.portion.limits[seen]).sum()
        together = self.portion.together * whole[seen].sum() / whole.sum()
        every = self.portion.samples / whole[seen].sum()
        by_model = size[pays].sum() * every
        return float(rate), float(min(least, together) * every), float(by_model)
