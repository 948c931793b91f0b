"""How a file is best coded: as which picture, by which model, and in which tiles."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.sections import MAX_CHUNK_SAMPLES, MAX_SEGMENTS
from bitswap_cli.archive.format.values.blobs import squeezed
from bitswap_cli.contract import Samples, TileCodec, Tiles
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.genres import genre_of
from bitswap_cli.images.picture import Picture, is_held
from bitswap_cli.images.repeats import middle_of
from bitswap_cli.images.tiles import count_tiles, cut, joined

_SOME = 64  # pixels of each side that are looked at first, of those that a file can be seen as
_CLEARLY = 1.125  # times as many bytes as the least: then no more is looked at


class Own(NamedTuple):
    """What codes a picture."""

    model: int
    """Its number in the header."""
    codec: TileCodec


class Choice(NamedTuple):
    """A picture, what codes it, and its tiles."""

    own: Own
    picture: Picture
    factor: int
    """Of the size of its tiles."""
    tiles: int
    """How many."""


def choose(codecs: Codecs, pictures: Sequence[Picture], *, large: bool = False) -> Choice | None:
    """Return how a file had best be coded.

    Parameters
    ----------
    codecs : Codecs
    pictures : sequence of Picture
        What the file can be seen as.
    large : bool
        Whether the archive can hold large ones.

    Returns
    -------
    Choice or None
        None if there is no codec for any of them.
    """
    fits = [p for p in pictures if is_held(*p.pixels.shape, large=large)]
    seen = [(own, p) for p in fits if (own := own_of(codecs, p))]
    if not seen:
        return None
    own, picture = seen[0] if len(seen) == 1 else _best(seen)
    return Choice(own, picture, *choose_tiles(own.codec, *picture.pixels.shape[:2]))


def _best(seen: Sequence[tuple[Own, Picture]]) -> tuple[Own, Picture]:
    """Return the picture that takes the fewest bytes: as a small part of it says, if it says that
    clearly, as to look at much of two takes as long as to code a fifth of one."""
    some = [estimate(own.codec, picture, _SOME) for own, picture in seen]
    least, next_ = sorted(some)[:2]
    if next_ > _CLEARLY * least or all(_is_small(picture) for _, picture in seen):
        return seen[some.index(least)]
    return min(seen, key=lambda one: estimate(one[0].codec, one[1]))


def _is_small(picture: Picture) -> bool:
    """Tell whether a small part is all that an estimate sees of a picture in any case."""
    return bool(middle_of(picture).shape == middle_of(picture, _SOME).shape)


def own_of(codecs: Codecs, picture: Picture) -> Own | None:
    """Return what codes a picture: the model of its genre, or else the first one that can."""
    first = codecs.genres.get(genre_of(picture), 0)
    for number in sorted(codecs.tiles, key=lambda number: (number != first, number)):
        if own := codec_of(codecs.tiles[number], picture):
            return Own(number, own)
    return None


def codec_of(codec: TileCodec, picture: Picture) -> TileCodec | None:
    """Return the codec of a picture's channels and alphabet that another knows, if there is one."""
    own = codec.of(picture.pixels.shape[2])
    return own if own and own.alphabet == kind_of(picture.recipe.kind).alphabet else None


def choose_tiles(codec: TileCodec, height: int, width: int) -> tuple[int, int]:
    """Return the factor of a picture's tiles, and how many there are: the fewer the better.

    Larger tiles have fewer borders, which see nothing of their neighbours; but what reaches beyond
    the picture may cost time.
    """

    def count(factor: int) -> int:
        return count_tiles(height, width, codec.tile_height * factor, codec.tile_width * factor)

    fits = [f for f in codec.factors if count(f) * f**2 <= codec.slack * count(1)]
    return min(((f, count(f)) for f in fits), key=lambda pair: (pair[1], pair[0]))


def room_for(codec: TileCodec, factor: int) -> int:
    """Return how many tiles of a factor a chunk has room for."""
    samples = codec.tile_height * codec.tile_width * codec.channels
    most = min(codec.chunk_tiles, MAX_SEGMENTS, MAX_CHUNK_SAMPLES // samples)
    return most // factor**2


class Cost:
    """About how many bytes a picture would take, its description among them, judged by its middle;
    found out once, if anybody asks.

    Parameters
    ----------
    codec : TileCodec
    picture : Picture
    edge : int
        At most so many pixels of each side are looked at, an even number.
    """

    def __init__(self, codec: TileCodec, picture: Picture, edge: int = 256) -> None:
        self._codec, self._picture, self._edge = codec, picture, edge
        self._bytes: float | None = None

    def __call__(self) -> float:
        """Return them."""
        if self._bytes is None:
            weigh([self])
        return cast(float, self._bytes)

    @property
    def like(self) -> tuple[int, int]:
        """Equal where pictures can be coded at once: the codec, and the side of its tiles."""
        return id(self._codec), self._side

    @property
    def _side(self) -> int:
        shape = self._middle.shape
        return self._codec.tile_height * choose_tiles(self._codec, *shape[:2])[0]

    @cached_property
    def _middle(self) -> Samples:
        return np.ascontiguousarray(middle_of(self._picture, self._edge))

    def cut(self) -> Tiles:
        """Return the middle in tiles."""
        return cut(self._middle, self._side, self._side, self._codec.channels)

    def code(self, tiles: Tiles) -> NDArray[np.float64]:
        """Return the bits that tiles of such pictures take, one after another."""
        return self._codec.encode(*tiles, b"").bits

    def tell(self, bits: float) -> None:
        """Say how many bits the middle takes."""
        whole = bits / 8 * self._picture.pixels.size / self._middle.size
        self._bytes = whole + description_cost(self._picture)


def weigh(costs: Iterable[Cost]) -> None:
    """Find out what pictures take, those that are alike at once: that takes less time."""
    alike: dict[tuple[int, int], list[Cost]] = {}
    for cost in costs:
        alike.setdefault(cost.like, []).append(cost)
    for some in alike.values():
        tiles = [cost.cut() for cost in some]
        bits = some[0].code(joined(tiles))
        ends = np.cumsum([len(own.sizes) for own in tiles])
        for cost, part in zip(some, np.split(bits, ends[:-1]), strict=True):
            cost.tell(float(part.sum()))


def estimate(codec: TileCodec, picture: Picture, edge: int = 256) -> float:
    """Return about how many bytes a picture would take; see `Cost`."""
    return Cost(codec, picture, edge)()


def description_cost(picture: Picture) -> int:
    """Return about how many bytes a picture's description takes."""
    return squeezed(picture.recipe.description)
