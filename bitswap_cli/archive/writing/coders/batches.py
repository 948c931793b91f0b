"""Bodies of chunks from what goes into them, and the choice between model and zstd.

No entry may take more room than its file. A picture that the model does not make smaller than zstd
does (or than the file is) loses: it is kept byte for byte.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.chunks import encode_tiles
from bitswap_cli.archive.format.segments import MAX_TWINS, Extra, TileSegment
from bitswap_cli.archive.format.values.blobs import squeezed
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.orientation import choose_orientations
from bitswap_cli.contract import Samples, TileCodec
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.orientation import turn
from bitswap_cli.images.picture import Recipe
from bitswap_cli.images.tiles import cut, joined

_OWN = 1 << 22  # bytes of what twins of a picture have of their own, at most
_FEW = 8  # where more than one tile of so many loses, it is no bad luck


class File(NamedTuple):
    """A file that has the pixels of a picture."""

    source: Source
    recipe: Recipe
    limit: int
    """Bytes that it takes without the model."""
    crc: int | None
    """CRC-32 of it, if it comes back byte for byte."""

    def part(self, start: int, end: int, tiles: int) -> "File":
        """Return it as it is told with some tiles of so many, if its description has parts."""
        if not kind_of(self.recipe.kind).parts:
            return self
        told = self.recipe.description
        told = told[len(told) * start // tiles : len(told) * end // tiles]
        frame = (b"", b"") if start else self.recipe[1:3]
        return self._replace(recipe=Recipe(self.recipe.kind, *frame, told))

    @property
    def own(self) -> int:
        """About how many bytes it has beside its pixels."""
        recipe = sum(map(len, self.recipe[1:]))
        return recipe + len(self.source.name) + self.source.attributes.weight


class Part(NamedTuple):
    """Consecutive tiles of a picture, to be coded."""

    pixels: Samples
    files: list[File]
    """Those that have its pixels: one, and its twins."""
    factor: int
    """Of the size of its tiles."""
    first: int
    """Number of the first tile."""
    tiles: int
    """How many."""
    orientation: int = 0
    """How the picture lies in them (see images/orientation.py)."""
    model: int = 0
    """Number of the codec's model in the header."""

    @property
    def name(self) -> bytes:
        """That of the first file."""
        return self.files[0].source.name

    @property
    def limit(self) -> int:
        """Bytes that the whole files take without the model."""
        return sum(file.limit for file in self.files)


class CodedParts(NamedTuple):
    """Parts as the body of a TILE chunk."""

    body: bytes
    kept: list[Part]
    """What is in the body."""
    lost: list[Part]
    """What had better be kept byte for byte."""
    bits: float
    """Net bits of what is in the body."""


def code_part(codec: TileCodec, part: Part) -> CodedParts:
    """Code a part of a large picture as a chunk of its own."""
    body, bits = _encode(codec, [part])
    return CodedParts(body, [part], [], float(bits.sum()))


def code_batch(codec: TileCodec, parts: list[Part], *, oriented: bool = False) -> CodedParts:
    """Code whole pictures as one chunk, without those for which the model does not pay.

    They have one model, and tiles of one size. If the archive has room for `oriented` ones, small
    pictures are laid as they are coded best.

    Each round codes what is left; it ends when nothing loses, which may leave nothing. Whoever
    loses by bad luck gets a second chance, behind the others: the latents that are popped depend on
    all that was pushed before, the times of files among it, and a stray one may cost a picture more
    than zstd takes for it.
    """
    if oriented:
        chosen = choose_orientations(codec, [part.pixels for part in parts], parts[0].factor)
        parts = [p._replace(orientation=k) for p, k in zip(parts, chosen, strict=True)]
    kept = parts
    lost: list[Part] = []
    unlucky: set[bytes] = set()  # who lost before, by their names
    while kept:
        body, bits = _encode(codec, kept)
        costs = np.add.reduceat(bits, np.cumsum([0, *(part.tiles for part in kept[:-1])])) / 8
        recipes = recipe_costs([file.recipe for part in kept for file in part.files])
        costs += np.add.reduceat(recipes, np.cumsum([0, *(len(part.files) for part in kept[:-1])]))
        losers = [cost >= part.limit for part, cost in zip(kept, costs, strict=True)]
        if not any(losers):
            # The initial bits and whatever else the chunk costs as a whole have to pay as well.
            if len(body) < sum(part.limit for part in kept):
                return CodedParts(body, kept, lost, float(bits.sum()))
            losers = [True] * len(kept)
        out = [part for part, loses in zip(kept, losers, strict=True) if loses]
        kept = [part for part, loses in zip(kept, losers, strict=True) if not loses]
        few = _FEW * sum(part.tiles for part in out) <= sum(part.tiles for part in kept)
        for part in out:
            chance = few and part.name not in unlucky and _pays_alone(codec, part)
            (kept if chance else lost).append(part)
        unlucky |= {part.name for part in out}
    return CodedParts(b"", [], lost, 0.0)


def _pays_alone(codec: TileCodec, part: Part) -> bool:
    """Tell whether the model makes a picture smaller if nothing is coded before it."""
    _, bits = _encode(codec, [part])
    recipes = sum(recipe_costs([file.recipe for file in part.files]))
    return bool(bits.sum() / 8 + recipes < part.limit)


def _encode(codec: TileCodec, parts: list[Part]) -> tuple[bytes, NDArray[np.float64]]:
    factor = parts[0].factor
    shape = (codec.tile_height * factor, codec.tile_width * factor, codec.channels)
    tiles, sizes = joined(
        cut(turn(part.pixels, part.orientation), *shape, part.first, part.tiles) for part in parts
    )
    told = [
        segments_of(part.files, part.pixels.shape, part.first, part.tiles, part.orientation)
        for part in parts
    ]
    segments = [segment for own, _ in told for segment in own]
    extras = [extra for _, own in told for extra in own]
    return encode_tiles(codec, segments, tiles, sizes, extras, parts[0].model)


def segments_of(
    files: Sequence[File], shape: tuple[int, int, int], first: int, tiles: int, orientation: int
) -> tuple[list[TileSegment], list[Extra]]:
    """Return what a chunk tells of files that share tiles of a picture: rows of its table, and
    extras of those that begin there, or are told in parts."""
    segments = [
        TileSegment(
            source.name,
            recipe.kind,
            *shape,
            first,
            tiles,
            0 if crc is None else source.size,
            orientation,
            crc,
            NONE if first else source.attributes,
            twin,
        )
        for twin, (source, recipe, _, crc) in enumerate(files)
    ]
    rows = zip(segments, files, strict=True)
    extras = [
        Extra(0 if first else source.mtime, *recipe[1:])
        for segment, (source, recipe, *_) in rows
        if segment.tells
    ]
    return segments, extras


def join(files: list[File], twin: File) -> bool:
    """Add a file to those of a picture that are to share its tiles, if that pays and there is room
    for it; tell whether it was added."""
    joins = len(files) <= MAX_TWINS and recipe_costs([twin.recipe])[0] < twin.limit
    if joins := joins and sum(file.own for file in (*files[1:], twin)) <= _OWN:
        files.append(twin)
    return joins


def recipe_costs(recipes: Sequence[Recipe]) -> list[float]:
    """Return about how many bytes each picture's recipe takes; what is equal shares its own."""
    frames = [recipe.prefix + recipe.suffix for recipe in recipes]
    descriptions = [recipe.description for recipe in recipes]
    own = zip(_shared(frames), _shared(descriptions), strict=True)
    return [frame + description for frame, description in own]


def _shared(texts: list[bytes]) -> list[float]:
    """Return about how many bytes each text takes."""
    users = Counter(texts)
    costs = {one: min(len(one), squeezed(one)) / number for one, number in users.items()}
    return [costs[one] for one in texts]
