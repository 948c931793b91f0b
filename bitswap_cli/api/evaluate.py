"""What a model makes of pictures, term by term, and what coding them takes.

Examples
--------
>>> found = evaluate("photo", "photos", limit=8)
>>> list(found.terms)
['likelihood', 'kl1']
>>> found.bound < found.coded  # initial bits are in the messages, not in the bound
True
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.api.arguments import Notes, PathLike, Progress, ignore
from bitswap_cli.coding import ChunkCodec, tile_codec
from bitswap_cli.contract import BYTES, Alphabet, Samples, Tiles
from bitswap_cli.errors import ArchiveError, InputError, ModelError
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.inspection import inspect_wide
from bitswap_cli.images.tiles import checksum, cut, joined


@dataclass(frozen=True)
class Evaluation:
    """Rates of a model on a folder, in bits/dim."""

    model: str
    """Its name."""
    sha256: str
    """SHA-256 of its file."""
    tiles: int
    """How many were looked at."""
    shape: tuple[int, int, int]
    """Height, width and channels of a tile."""
    terms: dict[str, float]
    """What the bound is made of: ``likelihood``, and ``kl1``.. of each latent layer."""
    coded: float | None
    """All that the tiles took when they were coded, decoded and compared; None if the model cannot
    code."""
    notes: list[str] = field(default_factory=list)
    """A line for each picture that was left out."""

    @property
    def bound(self) -> float:
        """The negative ELBO: the sum of the terms."""
        return sum(self.terms.values())


def evaluate(
    model: str,
    data: PathLike,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> Evaluation:
    """Measure a model on the pictures of a folder.

    Pictures (PNG, lossless WebP, BMP, PGM, PPM) are cut into tiles of the model's size; a file
    named like 00000-0853.png is a sheet of so many tiles.

    Parameters
    ----------
    model, data : str, path
        Name or path of the model, and the folder.
    limit : int, optional
        Look at so many tiles, evenly spread.
    progress, notes : callable, optional
        Called with ``"eval"`` and bytes of tiles; with lines of details (docs/api.md).

    Raises
    ------
    InputError
        If there is no such folder, or no picture for the model in it, or one cannot be read.
    ModelError
        If the model cannot be used on this machine.
    ArchiveError
        If tiles come back different: a fault of this machine.
    """
    from bitswap_models import zoo
    from bitswap_models.stored import model_file

    folder = Path(data)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    file = zoo.resolve(model)
    (notes or ignore)(f"model {file.name}, SHA-256 {file.sha256}, from {file.path}")
    family = model_file.family_in(file)
    if family.subject != "tiles":
        raise ModelError(f"{file.name} is a model of {family.subject}: give one of tiles of pixels")
    codes = family.codes
    loaded: Any = model_file.load(file) if codes else model_file.load_network(file)
    shape = (loaded.config.tile, loaded.config.tile, loaded.config.channels)
    tiles, left_out = _tiles(folder, shape, Alphabet(loaded.low, loaded.high))
    if not codes:  # whole tiles only
        tiles = _some(tiles, np.flatnonzero((tiles.sizes == shape).all(1)))
    if not len(tiles.pixels):
        raise InputError(f"no picture in {folder} gives a tile of {'x'.join(map(str, shape))}")
    if limit is not None and limit < len(tiles.pixels):
        tiles = _some(tiles, np.array([k * len(tiles.pixels) // limit for k in range(limit)]))
    if not codes:
        from bitswap_models.training.evaluation import evaluate as bound_of

        terms, coded = bound_of(loaded, tiles.pixels), None
        del terms["bpd"]
    else:
        terms, coded = _code(tile_codec(loaded), tiles, progress)
    return Evaluation(file.name, file.sha256, len(tiles.pixels), shape, terms, coded, left_out)


def _tiles(
    folder: Path, shape: tuple[int, int, int], alphabet: Alphabet
) -> tuple[Tiles, list[str]]:
    """Cut the pictures of a folder that are of the model's samples, or gray, into tiles; tell what
    is left out."""
    from bitswap_models.training.data import sheet_cells

    found = [Tiles(np.zeros((0, *shape), alphabet.dtype), np.zeros((0, 3), np.int32))]
    left_out = []
    for path, pixels in _pictures(folder, alphabet):
        if pixels is None or pixels.shape[2] not in (1, shape[2]):
            left_out.append(f"{path} is left out: it is not 8-bit gray or of the model's channels")
            continue
        cells, valid = cut(pixels, *shape)
        count = sheet_cells(path)
        found.append(Tiles(cells[:count], valid[:count]))
    return joined(found), left_out


def _pictures(folder: Path, alphabet: Alphabet) -> Iterator[tuple[Path, Samples | None]]:
    """Yield the pictures of a folder by name; None is what is none of this alphabet."""
    from bitswap_models.training.data import stored

    if alphabet == BYTES:
        yield from stored(folder)
        return
    for path in sorted(folder.rglob("*")):
        seen = inspect_wide(path.read_bytes()) if path.is_file() else []
        fit = [p.pixels for p in seen if kind_of(p.recipe.kind).alphabet == alphabet]
        yield path, fit[0] if fit else None


def _some(tiles: Tiles, chosen: NDArray[np.intp]) -> Tiles:
    return Tiles(tiles.pixels[chosen], tiles.sizes[chosen])


def _code(
    codec: ChunkCodec, tiles: Tiles, progress: Progress | None
) -> tuple[dict[str, float], float]:
    """Code tiles and decode them again: bits/dim of each term, and of the messages."""
    bits, size, most = np.zeros(len(codec.terms)), 0, codec.chunk_tiles
    for first in range(0, len(tiles.pixels), most):
        some, valid = _some(tiles, np.arange(first, min(first + most, len(tiles.pixels))))
        coded = codec.encode_by_term(some, valid, b"")
        back, _ = codec.decode(coded.words, valid)
        if checksum(back, valid) != checksum(some, valid):
            raise ArchiveError("tiles came back different: run `bitswap doctor`")
        bits += coded.bits.sum(0)
        size += len(coded.words)
        if progress:
            progress("eval", tiles.pixels[: first + most].nbytes, tiles.pixels.nbytes)
    samples = int(tiles.sizes.astype(int).prod(1).sum())
    return dict(zip(codec.terms, (bits / samples).tolist(), strict=True)), 8 * size / samples
