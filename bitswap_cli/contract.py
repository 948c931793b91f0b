"""The nouns that rooms share, each once: what the container asks of a codec, and that of a model.

The container hands tiles to a `TileCodec`; `bitswap_cli.coding` implements it over a `TileModel`;
the families of `bitswap_models` are such models. Everything that goes into a model or comes out of
it while it codes is an integer array that no machine, number of threads or batch size changes.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.kernel import Native
from bitswap_cli.ans.parameters import LogisticParameters, MixtureParameters

T = TypeVar("T")
Integers = NDArray[np.int32]
Samples = NDArray[np.integer[Any]]
"""Of an alphabet's dtype: pixels, or what else pictures are made of."""


class Alphabet(NamedTuple):
    """What samples may be: the integers low..high."""

    low: int
    high: int

    @property
    def dtype(self) -> np.dtype[np.integer[Any]]:
        """Of arrays of samples: uint8 where that holds them, else int16."""
        return np.dtype(np.uint8 if self.low >= 0 and self.high <= 255 else np.int16)


BYTES = Alphabet(0, 255)


class Tiles(NamedTuple):
    """Tiles of one size."""

    pixels: Samples
    """Shape (N, tile_height, tile_width, channels), of the alphabet's dtype."""
    sizes: NDArray[np.int32]
    """Valid height, valid width and coded channels of each, (N, 3)."""


# ---- what the container asks of a codec ----------------------------------------------------------
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
    """Channels of a tile; those that a picture lacks repeat its first."""
    alphabet: Alphabet
    """Of the samples, one for each pixel and channel."""
    factors: Sequence[int]
    """Tiles of a chunk may be so many times as high and wide: 1, and ascending."""
    slack: float
    """How many times what factor 1 covers may larger tiles cover: what is outside of a picture may
    cost time."""
    chunk_tiles: int
    """How many tiles a chunk may hold at most; larger ones count as the tiles they stand for."""

    def of(self, channels: int) -> "TileCodec | None":
        """Return the codec of pictures with so many channels, if there is one."""

    def encode(self, tiles: Samples, sizes: NDArray[np.int32], payload: bytes) -> EncodedTiles:
        """Code tiles as one self-contained message.

        Parameters
        ----------
        tiles : array (N, f * tile_height, f * tile_width, channels) of the alphabet's dtype
            f is one of `factors`. Samples of the alphabet, zero where a tile reaches beyond its
            picture. A gray picture under an RGB codec repeats its one value in the three channels.
        sizes : int32 array (N, 3)
            Valid height, valid width and number of coded channels of each tile: only this top left
            part and these first channels have to be restored. Tiles that are coded together have
            one number of channels, or 1.
        payload : bytes
            Bytes that may serve as initial bits.
        """
        ...

    def decode(self, words: bytes, sizes: NDArray[np.int32], factor: int) -> tuple[Samples, bytes]:
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
        tiles : array (N, f * tile_height, f * tile_width, channels) of the alphabet's dtype
            Equal to the encoder's within each tile's valid size; unspecified outside of it.
        payload : bytes
            The first ``payload_used`` bytes of the payload; zero bytes may follow.

        Raises
        ------
        ArchiveError
            If the words cannot be what `encode` returned for these sizes.
        """
        ...


Palette = NDArray[np.uint8] | None
"""The colours that a picture may have, (N, C), in any order; None: all."""


class CodedPictures(NamedTuple):
    """The whole pictures of one chunk as words."""

    words: bytes
    """Opaque to the archive."""
    bits: NDArray[np.float64]
    """Net bits of each picture, shape (N,)."""


class PictureEncoder(Protocol):
    """Whole pictures on their way into one chunk, each under what those before it have taught."""

    def add(self, picture: NDArray[np.uint8], palette: Palette) -> float:
        """Code the next picture, see `PictureCodec.encode`; return its net bits."""
        ...

    def hold(self) -> None:
        """Hold where this is, in place of what was held: `undo` may come back to it."""
        ...

    def undo(self) -> bool:
        """Take back what was added since `hold`; or return False, if that was too much to keep."""
        ...

    def suits(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Tell whether one that was made for pictures of these shapes would give the same words."""
        ...

    def words(self) -> bytes:
        """Return what `PictureCodec.encode` does of all of them; nothing can be added then."""
        ...


class PictureCodec(Protocol):
    """Encoder and decoder of whole pictures; called from several threads at once."""

    scheme: str
    """How its words are made."""

    def encode(
        self, pictures: Sequence[NDArray[np.uint8]], palettes: Sequence[Palette]
    ) -> CodedPictures:
        """Code pictures, each under what those before it have taught.

        Parameters
        ----------
        pictures : sequence of uint8 arrays (H, W, 1..4)
        palettes : sequence of Palette
            All colours of each, where its file tells them.
        """
        ...

    def encoder(self, shapes: Sequence[tuple[int, ...]]) -> PictureEncoder:
        """Begin to code pictures of these shapes, one after the other."""
        ...

    def decode(
        self, words: bytes, shapes: Sequence[tuple[int, int, int]], palettes: Sequence[Palette]
    ) -> list[NDArray[np.uint8]]:
        """Restore pictures of these shapes.

        Raises
        ------
        ArchiveError
            If this cannot be what `encode` returned for these shapes and palettes.
        """
        ...


# ---- what a codec asks of a model ----------------------------------------------------------------
class Plane(NamedTuple):
    """The pixels of a tile at rows `top` + k `stride`, columns `left` + k `stride`."""

    top: int
    left: int
    stride: int


class Step(NamedTuple):
    """What one step of a likelihood by planes hands the coder: one channel of one plane."""

    plane: Plane
    channel: int
    parameters: MixtureParameters
    """int32 arrays (B, H, W, K)."""


class Coded(NamedTuple):
    """All pixels of a group as intervals, in the order in which a decoder pops."""

    start: NDArray[np.uint32]
    """(n,)"""
    freq: NDArray[np.uint32]
    """(n,)"""
    owner: Integers
    """The tile of each symbol, (n,)."""
    batches: Integers
    """How many symbols are pushed or popped at a time, (m,); they come to n."""


class Level(NamedTuple):
    """A layer of latents on a walk from z_L down to z_1."""

    layer: int
    prior: LogisticParameters
    """p(z_layer | z_{layer+1} .. z_L), arrays (B, C, H, W)."""
    stream: Any
    """What the model has come to know on its way down; the coder hands it back unseen."""


class Pop(Protocol):
    """Pops symbols under mixtures from a message."""

    def __call__(self, parameters: MixtureParameters) -> Integers:
        """Pop symbols, (n,), under parameters (n, K)."""

    def natively(self, work: Callable[[Native], T]) -> T | None:
        """Let a compiled kernel pop by itself; None where the message's engine is not compiled."""


class TileModel(Protocol):
    """What every model says of itself."""

    schemes: Sequence[str]
    """The schemes that can code with it, the best first."""
    depth: int
    """L, the number of latent layers; 0 is a likelihood alone."""
    tile: int
    """Height and width of a tile."""
    factors: Sequence[int]
    """Tiles may be so many times as high and wide: 1, and ascending."""
    slack: float
    """How many times the area that tiles of factor 1 cover may larger ones cover."""
    growth: Fraction
    """Largest group, as a share of the tiles before it: what is below its initial bits."""
    channels: int
    """Channels of a tile."""
    low: int
    """The first sample of the model's alphabet."""
    high: int
    """The last one."""
    stride: int
    """Pixels between neighbours of the latent grid."""
    batch: int | None
    """How many tiles a network may see at a time; it changes no result."""

    @property
    def planes(self) -> Sequence[Plane]:
        """The planes of a tile in coding order; the first one holds the top left pixel."""


class LatentModel(TileModel, Protocol):
    """A Markov chain VAE: q(z_l | z_{l-1}), p(z_l | z_{l+1}), p(z_L); z_0 = x."""

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), arrays (B, C, H, W); layer = 1..L."""

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), arrays (B, C, H, W); layer = 1..L-1."""

    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z_L), arrays (B, C, H, W)."""


class TopDownModel(TileModel, Protocol):
    """A VAE with top-down inference: q(z_l | z_{l+1} .. z_L, x), p(z_l | z_{l+1} .. z_L)."""

    def bottom_up(self, x: Integers) -> Any:
        """What the posteriors see of x, (B, C, H, W)."""

    def descend(self, batch: int, grid: int, code: Callable[[Level], Integers]) -> Integers:
        """Walk from z_L to z_1; `code` is told each level and returns its latents, (B, C, H, W).

        Returns what the likelihood is told of all latents.
        """

    def posterior(self, level: Level, seen: Any) -> LogisticParameters:
        """q of a level of that walk, arrays (B, C, H, W); `seen` as `bottom_up` returned it."""


class PlaneModel(TileModel, Protocol):
    """A model whose likelihood goes plane by plane."""

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1) in coding order: `code` is told each step, returns its pixels (B, H, W).

        Top-down models see more than z_1: they are told what `descend` returned.
        """


class Common(Protocol):
    """What the tiles of a group have in common: z_2, D integers that are told before the tiles.

    They are no bits back: a writer chooses them as it likes, and a reader learns them first.
    """

    prior: LogisticParameters
    """p(z_2), arrays (D,)."""

    def has(self, sizes: Integers) -> bool:
        """Whether a group of tiles of these sizes, as in `group.Geometry`, has them."""

    def of(self, x: Integers, sizes: Integers) -> Integers:
        """Choose those of the tiles x (B, C, H, W) of such a group: (D,)."""


class PixelModel(TileModel, Protocol):
    """A model whose likelihood goes pixel by pixel, all tiles of a group in lockstep."""

    common: Common | None
    """None: it has no z_2."""

    def intervals(
        self, z1: Integers | None, x: Integers, sizes: Integers, z2: Integers | None
    ) -> Coded:
        """p(x | z_1, z_2) of known pixels x (B, C, H, W); `sizes` as in `group.Geometry`."""

    def walk(
        self, z1: Integers | None, sizes: Integers, tile: int, pop: Pop, z2: Integers | None
    ) -> Integers:
        """Ask `pop` for one batch of pixels after the other; returns them, (B, C, H, W)."""
