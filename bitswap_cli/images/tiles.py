"""Pictures <-> tiles: rectangles of one size, row by row; what reaches beyond a picture is zero."""

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples, Tiles


def count_tiles(height: int, width: int, tile_height: int, tile_width: int) -> int:
    """Return how many tiles cover a picture."""
    return -(-height // tile_height) * -(-width // tile_width)


def tile_sizes(
    shape: tuple[int, int, int], tile_height: int, tile_width: int, first: int, count: int
) -> NDArray[np.int32]:
    """Return the valid part of some tiles of a picture.

    Parameters
    ----------
    shape : (H, W, C)
        Of the picture; C is the number of coded channels.
    tile_height, tile_width : int
        Pixels of a tile.
    first, count : int
        Which tiles, counted row by row.

    Returns
    -------
    int32 array (count, 3)
        Valid height, valid width, coded channels.
    """
    height, width, channels = shape
    index = np.arange(first, first + count)
    row, column = np.divmod(index, -(-width // tile_width))
    sizes = np.empty((count, 3), np.int32)
    sizes[:, 0] = np.minimum(height - row * tile_height, tile_height)
    sizes[:, 1] = np.minimum(width - column * tile_width, tile_width)
    sizes[:, 2] = channels
    return sizes


def cut(
    pixels: Samples,
    tile_height: int,
    tile_width: int,
    channels: int,
    first: int = 0,
    count: int | None = None,
) -> Tiles:
    """Cut a picture into tiles.

    Parameters
    ----------
    pixels : array (H, W, C)
        C <= `channels`; what lies beyond C repeats the first channel.
    tile_height, tile_width, channels : int
        Shape of a tile.
    first, count : int
        Which tiles, counted row by row; all by default.

    Returns
    -------
    Tiles

    Raises
    ------
    ValueError
        If the picture has more than `channels`.
    """
    height, width, coded = pixels.shape
    if coded > channels:
        raise ValueError(f"a picture of {coded} channels does not fit tiles of {channels}")
    if count is None:
        count = count_tiles(height, width, tile_height, tile_width) - first
    tiles = np.zeros((count, tile_height, tile_width, channels), pixels.dtype)
    for where, top, left in _runs(width, tile_height, tile_width, first, count):
        run = tiles[where]
        strip = pixels[top : top + tile_height, left : left + len(run) * tile_width]
        full = np.zeros((tile_height, len(run) * tile_width, channels), pixels.dtype)
        part = full[: strip.shape[0], : strip.shape[1]]
        part[..., :coded] = strip
        part[..., coded:] = strip[..., :1]
        run[:] = full.reshape(tile_height, len(run), tile_width, channels).swapaxes(0, 1)
    sizes = tile_sizes((height, width, coded), tile_height, tile_width, first, count)
    return Tiles(tiles, sizes)


def joined(parts: Iterable[Tiles]) -> Tiles:
    """Return tiles of one size as one."""
    return Tiles(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def paste(pixels: Samples, tiles: Samples, first: int = 0) -> None:
    """Write tiles into the picture they were cut from (inverse of `cut`).

    Parameters
    ----------
    pixels : array (H, W, C)
        Written to.
    tiles : array of the same dtype (N, tile_height, tile_width, >= C)
    first : int
        Place of the first of these tiles, counted row by row.
    """
    count, tile_height, tile_width, _ = tiles.shape
    coded = pixels.shape[2]
    for where, top, left in _runs(pixels.shape[1], tile_height, tile_width, first, count):
        run = tiles[where, :, :, :coded]
        full = run.swapaxes(0, 1).reshape(tile_height, len(run) * tile_width, coded)
        strip = pixels[top : top + tile_height, left : left + len(run) * tile_width]
        strip[:] = full[: strip.shape[0], : strip.shape[1]]


def checksum(tiles: Samples, sizes: NDArray[np.int32]) -> int:
    """Return the CRC-32 of the valid, coded samples of tiles, tile after tile in C order.

    Samples of two bytes count low byte first.

    Parameters
    ----------
    tiles : array (N, tile_height, tile_width, channels)
    sizes : int32 array (N, 3)
        Valid height, valid width, coded channels.
    """
    _, height, width, channels = tiles.shape
    tiles = tiles.astype(tiles.dtype.newbyteorder("<"), copy=False)
    if np.array_equal(sizes.min(axis=0, initial=1 << 16), (height, width, channels)):
        return zlib.crc32(tiles.tobytes())
    crc = 0
    for tile, (rows, columns, coded) in zip(tiles, sizes.tolist(), strict=True):
        crc = zlib.crc32(tile[:rows, :columns, :coded].tobytes(), crc)
    return crc


def _runs(
    width: int, tile_height: int, tile_width: int, first: int, count: int
) -> Iterator[tuple[slice, int, int]]:
    """Yield, for each row of tiles touched: which of the tiles, and their top left pixel."""
    columns = -(-width // tile_width)
    done = 0
    while done < count:
        row, column = divmod(first + done, columns)
        many = min(columns - column, count - done)
        yield slice(done, done + many), row * tile_height, column * tile_width
        done += many
