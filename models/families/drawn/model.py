"""A model of drawn pictures: icons, sprites, screenshots, plots, palettes, and the like.

    p(x) = prod_i p(x_i | x_<i)

x_i is the colour of a pixel, all of its channels at once, and x_<i are the pixels before it in
its picture, row by row, and the pictures before that in the chunk. It has no latents: what a
picture is like is learnt while it is coded, by encoder and decoder in the same order of steps.

* In a flat area, twelve equal pixels, one decision says whether the next one is equal, too.
* Else *sources* name colours: those that followed the contexts of 12, 7, 4 and 2 pixels the last
  two times (`Memory`), the one at the *place* in the chunk that this picture repeats, and the
  nearest pixels. The colours that they name are asked for one by one, the likeliest first, as far
  as they are likely.
* A colour that no source names comes channel by channel, alpha first, and bit by bit, from the
  values around it and from what followed the same earlier channels.

Each decision is binary. Its probability is mixed in the logistic domain from counters, as in PAQ
(Mahoney 2005, "Adaptive weighing of context models for lossless data compression"): the weights are
corrected after every decision. A model's file holds where counters and weights begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import CodedPictures, Integers, Palette, Plane
from bitswap_cli.errors import ArchiveError
from bitswap_cli.mixing.logits import COST_BITS
from bitswap_models.exact.model import ExactModel, Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.drawn.config import TILE, Config
from bitswap_models.families.drawn.engine import Chunk, begun, opened
from bitswap_models.families.drawn.reference.palette import keys_of
from bitswap_models.families.drawn.state import CHANNELS, COLOURS, State, loaded

FEW = 0xC0  # bits of a known answer's values that make few colours of many


class Drawn(ExactModel):
    """See the module's docstring: a `bitswap_cli.contract.PictureCodec`.

    It knows nothing of tiles; as an `ExactModel` it has such for its known answer.
    """

    family = "drawn"
    schemes: Sequence[str] = ("bitswap",)
    scheme = "bitswap"
    depth = 0
    factors: Sequence[int] = (1,)
    slack, growth = 1.0, Fraction(1)
    tile, channels, stride = TILE, CHANNELS, 1
    planes = (Plane(0, 0, 1),)

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__(stored)
        self.config = config
        self._begin = loaded(config, stored)
        self._spare: list[State] = []

    def encode(
        self, pictures: Sequence[NDArray[np.uint8]], palettes: Sequence[Palette]
    ) -> CodedPictures:
        """See `PictureCodec.encode`."""
        shapes = [picture.shape for picture in pictures]
        state = self._lent()
        encoder = Encoder(self.config, begun(self.config, state, shapes), shapes)
        bits = [encoder.add(*told) for told in zip(pictures, palettes, strict=True)]
        words = encoder.words()
        del encoder  # nobody has the state any more
        self._spare.append(state)
        return CodedPictures(words, np.array(bits, np.float64))

    def _lent(self) -> State:
        """Return the state in which a chunk begins, in memory that one had before if there is any:
        to get a megabyte anew takes as long as to code a small picture."""
        try:
            state = self._spare.pop()
        except IndexError:  # all are lent, to other threads
            return self._begin.copy()
        state.become(self._begin)
        return state

    def encoder(self, shapes: Sequence[tuple[int, ...]]) -> Encoder:
        """See `PictureCodec.encoder`."""
        chunk = begun(self.config, self._begin.copy(), shapes)
        return Encoder(self.config, chunk, shapes)

    def decode(
        self, words: bytes, shapes: Sequence[tuple[int, int, int]], palettes: Sequence[Palette]
    ) -> list[NDArray[np.uint8]]:
        """See `PictureCodec.decode`."""
        if len(words) % 4:
            raise ArchiveError("the compressed data is damaged: it is no whole number of words")
        told = np.frombuffer(words, "<u4").astype(np.uint32)
        found = [np.zeros(shape, np.uint8) for shape in shapes]
        with opened(self.config, self._begin.copy(), list(shapes), told) as chunk:
            for picture, own in zip(found, map(keys, palettes), strict=True):
                chunk.picture(picture, own)
            chunk.words()
        return found

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`: a chunk of two tiles for each number of channels, as they are and
        in few colours."""
        tiles = x[:2].transpose(0, 2, 3, 1).astype(np.uint8)
        for channels in range(1, CHANNELS + 1):
            own = tiles[..., :channels]
            few = own & FEW
            palettes = [None, None, few[0].reshape(-1, channels), None]
            words = self.encode([*own, *few], palettes).words
            told.once(np.frombuffer(words, "<u4").view("<i4"))


class Encoder:
    """See `bitswap_cli.contract.PictureEncoder`.

    Parameters
    ----------
    config : Config
    chunk : Chunk
    shapes : sequence of tuples
        Of the pictures that it was opened for.
    """

    def __init__(self, config: Config, chunk: Chunk, shapes: Sequence[tuple[int, ...]]) -> None:
        self._config, self._chunk, self._bits = config, chunk, config.bits(shapes)

    def add(self, picture: NDArray[np.uint8], palette: Palette) -> float:
        """See `PictureEncoder.add`."""
        cost = self._chunk.picture(np.ascontiguousarray(picture), keys(palette))
        return cost / (1 << COST_BITS)

    def hold(self) -> None:
        """See `PictureEncoder.hold`."""
        self._chunk.hold()

    def undo(self) -> bool:
        """See `PictureEncoder.undo`."""
        return self._chunk.undo()

    def suits(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """See `PictureEncoder.suits`: more pixels take a larger memory."""
        return self._config.bits(shapes) == self._bits

    def words(self) -> bytes:
        """See `PictureEncoder.words`."""
        return self._chunk.words().astype("<u4").tobytes()


def keys(palette: Palette) -> NDArray[np.uint32]:
    """The keys of a palette; none if all colours may be, or too many."""
    found = np.zeros(0, np.uint32) if palette is None else keys_of(palette)
    return found if len(found) <= COLOURS else found[:0]
