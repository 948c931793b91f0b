"""How a file is best coded: as which picture, by which codec, in which tiles, and how it lies."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.writing import sources as source_files
from bitswap_cli.archive.writing.sources import Source
from bitswap_cli.contract import Samples, TileCodec
from bitswap_cli.images.formats.register import START, kind_of
from bitswap_cli.images.inspection import inspect, inspect_wide, looks_like_picture
from bitswap_cli.images.orientation import ORIENTATIONS, turn
from bitswap_cli.images.picture import MAX_PIXELS, MAX_RECIPE, MAX_SAMPLES, Picture
from bitswap_cli.images.tiles import count_tiles, cut, joined

_SMALL = 1 << 14  # pixels of the largest picture that is turned: larger ones gain less
_MAX_FILE = 3 * MAX_PIXELS + 2 * MAX_RECIPE  # bytes of a file that is looked at as a picture


class Choice(NamedTuple):
    """A picture, and the codec that codes it."""

    picture: Picture
    codec: TileCodec


def candidates(paths: Sequence[str | os.PathLike[str]]) -> list[Source]:
    """Find the files that may be pictures, in an order that is as good as random and always the
    same; raise `InputError` if something cannot be read."""
    files = [s for s in source_files.collect(paths) if s.kind == "file" and s.size <= _MAX_FILE]
    order = sorted(range(len(files)), key=lambda k: k * 2654435761 % (1 << 32))
    return [files[k] for k in order]


def read_picture(source: Source) -> bytes | None:
    """Read a source if it may be a picture; raise `InputError` if it cannot be read."""
    if source.kind != "file" or source.size > _MAX_FILE:
        return None
    if not looks_like_picture(source_files.read_start(source, START)):
        return None
    return source_files.read(source)


def pictures(data: bytes, *, wide: bool) -> list[Picture]:
    """Return what a file can be seen as; of wide pictures only where there is room for them."""
    plain = inspect(data)
    if plain:
        return [plain]
    return inspect_wide(data) if wide else []


def choose_tiles(codec: TileCodec, height: int, width: int) -> tuple[int, int]:
    """Return the factor of a picture's tiles, and how many there are: the fewer the better.

    Larger tiles have fewer borders, which see nothing of their neighbours; but what reaches beyond
    the picture may cost time.
    """

    def count(factor: int) -> int:
        return count_tiles(height, width, codec.tile_height * factor, codec.tile_width * factor)

    fits = [f for f in codec.factors if count(f) * f**2 <= codec.slack * count(1)]
    return min(((f, count(f)) for f in fits), key=lambda pair: (pair[1], pair[0]))


def may_turn(codec: TileCodec, pixels: Samples, factor: int) -> bool:
    """Whether a picture is worth a try in all orientations: it is small, and one tile in each."""
    height, width = pixels.shape[:2]
    side = factor * min(codec.tile_height, codec.tile_width)
    return bool(max(height, width) <= side and height * width <= _SMALL)


def choose_orientations(
    codec: TileCodec, pictures: Sequence[Samples], factor: int, threads: int = 1
) -> list[int]:
    """Return the orientation in which each picture is coded best (see images/orientation.py).

    An orientation costs what its share of all says; pictures that `may_turn` not have none.

    Parameters
    ----------
    codec : TileCodec
    pictures : sequence of arrays (H, W, C)
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

    with ThreadPoolExecutor(threads) as pool:
        for at in range(0, len(small), room):
            some = small[at : at + room]
            bits = np.stack(list(pool.map(partial(cost, some), range(ORIENTATIONS))))
            count = 1 + np.bincount(bits.argmin(0), minlength=ORIENTATIONS)
            chosen[some] = (bits - np.log2(count / count.sum())[:, None]).argmin(0)
    return [int(orientation) for orientation in chosen]


def codec_of(codec: TileCodec, picture: Picture) -> TileCodec | None:
    """Return the codec of a picture's channels and alphabet that another knows, if there is one."""
    own = codec.of(picture.pixels.shape[2])
    return own if own and own.alphabet == kind_of(picture.recipe.kind).alphabet else None


def choose_picture(codec: TileCodec, data: bytes, *, wide: bool) -> Choice | None:
    """Return how a file is best seen as a picture, and the codec for it.

    Parameters
    ----------
    codec : TileCodec
        Of plain pictures; knows that of others.
    data : bytes
        The whole file.
    wide : bool
        Whether the archive has room for wide pictures.

    Returns
    -------
    Choice or None
        None if the file is no picture that there is a codec for.
    """
    fits = [p for p in pictures(data, wide=wide) if p.pixels.size <= MAX_SAMPLES]
    seen = [Choice(p, own) for p in fits if (own := codec_of(codec, p))]
    if len(seen) > 1:
        return min(seen, key=lambda one: estimate(one.codec, one.picture.pixels))
    return seen[0] if seen else None


def estimate(codec: TileCodec, pixels: Samples, edge: int = 256) -> float:
    """Return about how many bytes a picture would take, judged by its middle.

    Parameters
    ----------
    codec : TileCodec
    pixels : array (H, W, C)
    edge : int
        At most so many pixels of each side are looked at.
    """
    top, left = (max(0, (n - edge) // 2) for n in pixels.shape[:2])
    middle = np.ascontiguousarray(pixels[top : top + edge, left : left + edge])
    side = codec.tile_height * choose_tiles(codec, *middle.shape[:2])[0]
    tiles, sizes = cut(middle, side, side, codec.channels)
    bits = float(codec.encode(tiles, sizes, b"").bits.sum())
    return bits / 8 * pixels.size / middle.size
