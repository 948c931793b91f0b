"""``bitswap eval``: what a model makes of pictures, term by term, and what coding them takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bitswap_cli.cli.common import (
    Console,
    escape,
    json_option,
    note_engine,
    say_json,
    verbosity,
)
from bitswap_cli.cli.progress import Progress, progress_bar
from bitswap_cli.cli.table import format_table
from bitswap_cli.errors import ArchiveError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bitswap_cli.coding import ChunkCodec
    from bitswap_cli.contract import Alphabet, Samples
    from bitswap_models.families.register import Trained

    Tiles = tuple[Samples, NDArray[np.int32]]


@click.command("eval")
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), help="Look at so many tiles, evenly spread.")
@json_option
@verbosity
def evaluate(console: Console, model: str, data: Path, limit: int | None, as_json: bool) -> None:
    """Measure MODEL on the pictures of the folder DATA.

    MODEL is a name or a path. Pictures (PNG, lossless WebP, BMP, PGM, PPM) are cut into tiles of
    the model's size; a file named like 00000-0853.png is a sheet of so many tiles. Printed are, in
    bits/dim, the negative ELBO, split into the likelihood and the KL of each latent layer, and the
    rate: all that the tiles took when they were coded, decoded and compared. A flow has a bound,
    but no rate.
    """
    import torch

    from bitswap_cli.coding import tile_codec
    from bitswap_models import zoo
    from bitswap_models.families.flowpp.model import FlowPP
    from bitswap_models.stored import model_file
    from bitswap_models.training import loop as training

    note_engine()
    if not data.is_dir():
        raise InputError(f"there is no folder {data}")
    torch.set_num_threads(1)
    file = zoo.resolve(model)
    loaded = model_file.load(file.path, coding=False)
    tile, channels = loaded.config.tile, loaded.config.channels
    tiles, sizes = _tiles(console, data, loaded)
    if isinstance(loaded, FlowPP):  # whole tiles only
        whole = (sizes == (tile, tile, channels)).all(1)
        tiles, sizes = tiles[whole], sizes[whole]
    if not len(tiles):
        raise InputError(f"no picture in {data} gives a tile of {tile}x{tile}x{channels}")
    if limit is not None and limit < len(tiles):
        chosen = [k * len(tiles) // limit for k in range(limit)]
        tiles, sizes = tiles[chosen], sizes[chosen]
    coded = None
    if isinstance(loaded, FlowPP):
        terms = training.evaluate(loaded, tiles)
        del terms["bpd"]
    else:
        with progress_bar(console, "eval") as progress:
            terms, coded = _code(tile_codec(loaded), tiles, sizes, progress)
    bound = sum(terms.values())
    if as_json:
        say_json(
            {
                "model": file.name, "sha256": file.sha256, "data": str(data), "tiles": len(tiles),
                "terms": terms, "bound": bound, "coded": coded,
            }
        )  # fmt: skip
        return
    rows = [("term", "bits/dim"), *((name, f"{bits:.4f}") for name, bits in terms.items())]
    rows.append(("-ELBO", f"{bound:.4f}"))
    rows.append(("coded", "-" if coded is None else f"{coded:.4f}"))
    console.say(f"{file.name} on {len(tiles):,} tiles of {tile}x{tile}x{channels}")
    console.say(format_table(rows, left=(0,)))


def _tiles(console: Console, folder: Path, model: "Trained") -> "Tiles":
    """Cut the pictures of a folder that are of the model's samples, or gray, into tiles."""
    import numpy as np

    from bitswap_cli.contract import Alphabet
    from bitswap_cli.images.tiles import cut
    from bitswap_models.training.data import sheet_cells

    tile, channels = model.config.tile, model.config.channels
    alphabet = Alphabet(model.low, model.high)
    tiles: list[Samples] = [np.zeros((0, tile, tile, channels), alphabet.dtype)]
    sizes = [np.zeros((0, 3), np.int32)]
    for path, pixels in _pictures(folder, alphabet):
        if pixels is None or pixels.shape[2] not in (1, channels):
            if not console.quiet:
                note = f"{path} is left out: it is not 8-bit gray or of the model's channels"
                click.echo(f"bitswap: note: {escape(note)}", err=True)
            continue
        cells, valid = cut(pixels, tile, tile, channels)
        count = sheet_cells(path)
        tiles.append(cells[:count])
        sizes.append(valid[:count])
    return np.concatenate(tiles), np.concatenate(sizes)


def _pictures(folder: Path, alphabet: "Alphabet") -> "Iterator[tuple[Path, Samples | None]]":
    """Yield the pictures of a folder by name; None is what is none of this alphabet."""
    from bitswap_cli.contract import BYTES
    from bitswap_cli.images.formats.register import kind_of
    from bitswap_cli.images.inspection import inspect_wide
    from bitswap_models.training.data import stored

    if alphabet == BYTES:
        yield from stored(folder)
        return
    for path in sorted(folder.glob("*")):
        seen = inspect_wide(path.read_bytes()) if path.is_file() else []
        fit = [p.pixels for p in seen if kind_of(p.recipe.kind).alphabet == alphabet]
        yield path, fit[0] if fit else None


def _code(
    codec: "ChunkCodec", tiles: "Samples", sizes: "NDArray[np.int32]", progress: Progress
) -> tuple[dict[str, float], float]:
    """Code tiles and decode them again: bits/dim of each term, and of the messages."""
    import numpy as np

    from bitswap_cli.images.tiles import checksum

    bits, size, most = np.zeros(1 + codec.model.depth), 0, codec.chunk_tiles
    for first in range(0, len(tiles), most):
        some, valid = tiles[first : first + most], sizes[first : first + most]
        coded = codec.encode_by_term(some, valid, b"")
        back, _ = codec.decode(coded.words, valid)
        if checksum(back, valid) != checksum(some, valid):
            raise ArchiveError("tiles came back different: run `bitswap doctor`")
        bits += coded.bits.sum(0)
        size += len(coded.words)
        progress(tiles[: first + most].nbytes, tiles.nbytes)
    samples = int(sizes.astype(int).prod(1).sum())
    names = ["likelihood", *(f"kl{layer}" for layer in range(1, codec.model.depth + 1))]
    return dict(zip(names, (bits / samples).tolist(), strict=True)), 8 * size / samples
