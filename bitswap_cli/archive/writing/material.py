"""The pictures that are to be archived, cut into tiles as they will be coded, to fit models to."""

from collections import Counter
from contextlib import closing
from typing import NamedTuple

from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.coders.choice import choose
from bitswap_cli.archive.writing.coders.orientation import choose_orientations, may_turn
from bitswap_cli.contract import Samples, TileCodec, Tiles
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.orientation import turn
from bitswap_cli.images.repeats import middle
from bitswap_cli.images.tiles import cut, joined

MOST = 1 << 26  # samples; of larger folders some pictures are looked at
EDGE = 1 << 13  # pixels of each side of a picture that are fitted to, its middle
TURNED = 1 << 25  # samples of small pictures: more would take minutes to turn


class Portion(NamedTuple):
    """What one model is fitted to: the tiles that its codec takes, and how many samples all
    pictures for it have (estimated where not all are looked at)."""

    tiles: list[Tiles]
    samples: int


class Material(NamedTuple):
    """The pictures by channels: those of the codec, and of others where there are any for them."""

    portions: dict[int, Portion]
    wide: bool
    """Whether some of them are wide pictures."""
    oriented: bool
    """Whether small ones are turned: there are some, and not too many."""

    @property
    def samples(self) -> int:
        """Of all pictures."""
        return sum(portion.samples for portion in self.portions.values())


def material(
    catalogue: Catalogue, codec: TileCodec, *, threads: int = 0, only: int | None = None
) -> Material:
    """Return the pictures of a catalogue that a codec takes, `MOST` samples of them.

    Parameters
    ----------
    catalogue : Catalogue
    codec : TileCodec
        Knows those of wide pictures.
    threads : int
        To turn small pictures by, as they are coded best; none leaves them as they are.
    only : int, optional
        Channels of the one portion to look for; all by default.

    Raises
    ------
    InputError
        If something cannot be read.
    """
    files = catalogue.candidates()
    found: dict[int, dict[int, list[Samples]]] = {}  # by channels and the factor of tiles
    codecs: dict[int, TileCodec] = {}
    samples: Counter[int] = Counter()
    looked, small, wide = 0, 0, False
    with closing(catalogue.look_at(files)) as looks:
        for source, seen in looks:
            looked += source.size
            chosen = seen and choose(codec, seen.pictures, large=True)
            if not chosen:
                continue
            own, (pixels, recipe), factor, _ = chosen
            channels = codec.channels if own is codec else pixels.shape[2]
            if only not in (None, channels):
                continue
            codecs[channels] = own
            found.setdefault(channels, {}).setdefault(factor, []).append(middle(pixels, EDGE))
            small += pixels.size if may_turn(own, pixels, factor) else 0
            samples[channels] += pixels.size
            wide = wide or kind_of(recipe.kind).wide
            if samples.total() >= MOST:
                break
    share = sum(s.size for s in files) / max(looked, 1)
    oriented = threads > 0 and 0 < small * share <= TURNED
    portions = {}
    for channels, factors in sorted(found.items()):
        tiles = [
            _tiles(codecs[channels], some, factor, threads if oriented else 0)
            for factor, some in sorted(factors.items())
        ]
        portions[channels] = Portion(tiles, round(samples[channels] * share))
    return Material(portions, wide, oriented)


def _tiles(codec: TileCodec, pictures: list[Samples], factor: int, threads: int) -> Tiles:
    """Cut pictures into tiles; with `threads` to turn small ones by, as they are coded best."""
    shape = (codec.tile_height * factor, codec.tile_width * factor, codec.channels)
    orientations = [0] * len(pictures)
    if threads:
        orientations = choose_orientations(codec, pictures, factor, threads)
    return joined(
        cut(turn(pixels, orientation), *shape)
        for pixels, orientation in zip(pictures, orientations, strict=True)
    )
