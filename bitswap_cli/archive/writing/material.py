"""The pictures that are to be archived, cut into tiles as they will be coded, to fit models to."""

from collections import Counter
from contextlib import closing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.values.blobs import pack_blob, squeezed
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.coders.batches import recipe_costs
from bitswap_cli.archive.writing.coders.choice import choose
from bitswap_cli.archive.writing.coders.orientation import choose_orientations, may_turn
from bitswap_cli.contract import Samples, TileCodec, Tiles
from bitswap_cli.images import repeats
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.orientation import turn
from bitswap_cli.images.picture import Recipe
from bitswap_cli.images.tiles import cut, joined

MOST = 1 << 26  # samples; of larger folders some pictures are looked at
EDGE = 1 << 13  # pixels of each side of a picture that are fitted to, its middle
TURNED = 1 << 25  # samples of small pictures: more would take minutes to turn


class Portion(NamedTuple):
    """What one model is fitted to."""

    tiles: list[Tiles]
    """That its codec takes, of one size each."""
    owners: list[NDArray[np.intp]]
    """For each of these, the number of the picture that a tile is of."""
    limits: NDArray[np.float64]
    """Bytes that each picture takes without the model, less those of its recipe."""
    together: float
    """Bytes that all of these take without any model, where none has these channels; likewise."""
    samples: int
    """Of all pictures for it (estimated where not all are looked at)."""


class Material(NamedTuple):
    """The pictures by channels: those of the codec, and of others where there are any for them."""

    portions: dict[int, Portion]
    wide: bool
    """Whether some of them are wide pictures."""
    oriented: bool
    """Whether small ones are turned: there are some, and not too many."""
    drawn: int
    """How many drawn pictures were left out."""

    @property
    def samples(self) -> int:
        """Of all pictures."""
        return sum(portion.samples for portion in self.portions.values())


class _Picture(NamedTuple):
    """A picture that is fitted to, or its middle."""

    pixels: Samples
    limit: float
    """Bytes that it takes without the model."""
    recipe: Recipe
    is_kept: bool
    """Whether no model codes it but a fitted one."""

    @property
    def by_samples(self) -> bool:
        """Whether it is kept by its samples, if it is kept."""
        return self.is_kept and squeezed(self.pixels.tobytes()) < self.limit


def material(
    catalogue: Catalogue,
    codec: TileCodec,
    *,
    threads: int = 0,
    only: int | None = None,
    drawn: bool = True,
) -> Material:
    """Return the pictures of a catalogue that a codec takes, each once, `MOST` samples of them.

    Parameters
    ----------
    catalogue : Catalogue
    codec : TileCodec
        Knows those of wide pictures.
    threads : int
        To turn small pictures by, as they are coded best; none leaves them as they are.
    only : int, optional
        Channels of the one portion to look for; all by default.
    drawn : bool
        Whether drawn pictures, which another model may code, are among them.

    Raises
    ------
    InputError
        If something cannot be read.
    """
    files = [one for one in catalogue.candidates() if one.name not in catalogue.twins]
    found: dict[int, dict[int, list[_Picture]]] = {}  # by channels and the factor of tiles
    codecs, samples = dict[int, TileCodec](), Counter[int]()
    looked, small, wide, without = 0, 0, False, 0
    with closing(catalogue.look_at(files)) as looks:
        for source, seen in looks:
            looked += source.size
            chosen = seen and choose(Codecs({0: codec}), seen.pictures, large=True)
            if not seen or not chosen:
                continue
            if not drawn and any(map(repeats.repeats_itself, seen.pictures)):
                without += 1
                continue
            (_, used), (pixels, recipe), factor, _ = chosen
            channels = codec.channels if used is codec else pixels.shape[2]
            if only not in (None, channels):
                continue
            part = repeats.middle_of(chosen.picture, EDGE)
            limit = seen.limit * part.size / pixels.size
            own = _Picture(part, limit, recipe, used is not codec)
            found.setdefault(channels, {}).setdefault(factor, []).append(own)
            small += pixels.size if may_turn(used, pixels, factor) else 0
            codecs[channels], samples[channels] = used, samples[channels] + pixels.size
            wide = wide or kind_of(recipe.kind).wide
            if samples.total() >= MOST:
                break
    share = sum(s.size for s in files) / max(looked, 1)
    oriented = threads > 0 and 0 < small * share <= TURNED
    portions = {
        c: _portion(codecs[c], found[c], round(samples[c] * share), threads * oriented)
        for c in sorted(found)
    }
    return Material(portions, wide, oriented, without)


def _portion(
    codec: TileCodec, factors: dict[int, list[_Picture]], samples: int, threads: int
) -> Portion:
    """Cut pictures, by the factors of their tiles; with `threads` to turn small ones by, as they
    are coded best."""
    tiles, owners = list[Tiles](), list[NDArray[np.intp]]()
    pictures = [picture for _, some in sorted(factors.items()) for picture in some]
    first = 0
    for factor, some in sorted(factors.items()):
        shape = (codec.tile_height * factor, codec.tile_width * factor, codec.channels)
        pixels = [picture.pixels for picture in some]
        orientations = [0] * len(some)
        if threads:
            orientations = choose_orientations(codec, pixels, factor, threads)
        parts = [cut(turn(*one), *shape) for one in zip(pixels, orientations, strict=True)]
        counts = [len(part.pixels) for part in parts]
        tiles.append(joined(parts))
        owners.append(np.repeat(np.arange(first, first + len(some)), counts))
        first += len(some)
    costs = recipe_costs([picture.recipe for picture in pictures])
    limits = np.array([picture.limit for picture in pictures]) - costs
    return Portion(tiles, owners, limits, _together(pictures) - sum(costs), samples)


def _together(pictures: list[_Picture]) -> float:
    """Return about how many bytes pictures take that are kept: samples, which tell of each other,
    as one text."""
    told = [picture.by_samples for picture in pictures]
    text = b"".join(p.pixels.tobytes() for p, by in zip(pictures, told, strict=True) if by)
    others = sum(p.limit for p, by in zip(pictures, told, strict=True) if not by)
    return others + (len(pack_blob(text)) if text else 0)
