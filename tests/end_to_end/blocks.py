"""A format of files, made up: blocks of 64 coefficients, as a JPEG has them."""

import struct
from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Alphabet, Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.picture import Picture, Recipe

MAGIC: Sequence[bytes] = (b"BLOCKS\n",)
COEFFICIENTS = Alphabet(-2048, 2047)
KINDS: Sequence[Kind] = (Kind("blocks", 200, exact=True, plain=False, alphabet=COEFFICIENTS),)

_HEAD = struct.Struct("<7sHH")  # magic, rows and columns of blocks


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: a block is a square of 8 by 8 samples."""
    if len(data) < _HEAD.size:
        return None
    magic, rows, columns = _HEAD.unpack_from(data)
    count = rows * columns * 64
    if magic not in MAGIC or not count or len(data) < _HEAD.size + 2 * count:
        return None
    blocks = np.frombuffer(data, "<i2", count, _HEAD.size).reshape(rows, columns, 8, 8)
    if blocks.min() < COEFFICIENTS.low or blocks.max() > COEFFICIENTS.high:
        return None
    samples = blocks.astype(np.int16).swapaxes(1, 2).reshape(8 * rows, 8 * columns, 1)
    recipe = Recipe(kind, data[: _HEAD.size], data[_HEAD.size + 2 * count :])
    return Picture(samples, recipe)


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    if len(recipe.prefix) != _HEAD.size:
        raise ArchiveError("the archive holds a header of blocks that is none")
    _, rows, columns = _HEAD.unpack(recipe.prefix)
    if samples.shape != (8 * rows, 8 * columns, 1):
        raise ArchiveError("the archive holds a header of blocks that does not fit them")
    blocks = samples.reshape(rows, 8, columns, 8).swapaxes(1, 2)
    return recipe.prefix + blocks.astype("<i2").tobytes() + recipe.suffix


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: a gray pixel for each block, its first coefficient."""
    return ((samples[::8, ::8] >> 4) + 128).clip(0, 255).astype(np.uint8)


def write_blocks(rows: int, columns: int, seed: int) -> bytes:
    """A file of random blocks, whose first coefficients are large, and some are the extremes."""
    rng = np.random.default_rng(seed)
    size = 40 / (1 + np.add.outer(np.arange(8), np.arange(8)))
    size[0, 0] = 300
    blocks = np.rint(rng.laplace(0, size, (rows, columns, 8, 8))).clip(-2048, 2047)
    blocks[0, 0, 0, :2] = COEFFICIENTS
    return _HEAD.pack(MAGIC[0], rows, columns) + blocks.astype("<i2").tobytes() + b"the end"
