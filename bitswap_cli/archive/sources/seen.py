"""What a file can be seen as: read, decoded, described, and proved to come back."""

import zlib
from collections.abc import Set
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from bitswap_cli.archive.format.header import SAMPLES
from bitswap_cli.archive.format.pictures import Stored, pack_picture
from bitswap_cli.archive.format.values.blobs import squeezed
from bitswap_cli.archive.sources import source as source_files
from bitswap_cli.archive.sources import twins
from bitswap_cli.archive.sources.source import Source, SourceError
from bitswap_cli.images import bands
from bitswap_cli.images.formats import high_bits, ranks
from bitswap_cli.images.formats.jpeg.codec import Jpeg, split
from bitswap_cli.images.formats.lattice import format as lattice
from bitswap_cli.images.formats.lattice.kinds import FEATURES as LATTICES
from bitswap_cli.images.formats.rasters import strides
from bitswap_cli.images.formats.register import START, kind_of
from bitswap_cli.images.genres import genre_of
from bitswap_cli.images.history import recipe as history
from bitswap_cli.images.history.finder import Found, find
from bitswap_cli.images.inspection import (
    at_once,
    decode,
    describe,
    inspect,
    inspect_exact,
    inspect_wide,
    looks_like_picture,
    naming,
)
from bitswap_cli.images.picture import (
    MAX_LARGE_SAMPLES,
    MAX_RECIPE,
    MAX_SAMPLES,
    Picture,
    is_held,
)
from bitswap_cli.images.repeats import by_palette, repeats_itself
from bitswap_cli.images.unheaded import is_unheaded
from bitswap_cli.mixing import octets

# bytes of a file that is looked at as a picture, and of one that may be a large one
MAX_FILE = MAX_SAMPLES + 2 * MAX_RECIPE
MAX_LARGE_FILE = MAX_LARGE_SAMPLES + 2 * MAX_RECIPE


@dataclass
class History:
    """What a picture was, if that was asked before."""

    _told: dict[str, Found | None] = field(default_factory=dict)  # by its kind

    def keep(self, picture: Picture) -> Found | None:
        """Find it, for one who asks once more."""
        return self._told.setdefault(picture.recipe.kind, find(picture.pixels))

    def take(self, picture: Picture) -> Found | None:
        """Find it, unless it was kept."""
        kept = picture.recipe.kind in self._told
        return self._told.pop(picture.recipe.kind) if kept else find(picture.pixels)


class Seen(NamedTuple):
    """A file that can be seen as a picture."""

    pictures: list[Picture]
    """One, or two wide ones of different kinds; and, behind these, how else the first is laid."""
    limit: int
    """Bytes that the whole file takes without the model."""
    crc: int
    """CRC-32 of the file's bytes."""
    history: History


class SeenJpeg(NamedTuple):
    """A file that is a JPEG."""

    jpeg: Jpeg
    limit: int
    """Bytes that the whole file takes without the model."""
    crc: int
    """CRC-32 of the file's bytes."""


class Known(NamedTuple):
    """What is known of a file that was looked at."""

    kinds: tuple[str, ...] = ()
    """Of the pictures that it was proved to be."""
    limit: int = 0
    checksum: int = 0  # of its bytes
    description: bytes = b""  # of kinds that have one
    genres: tuple[str, ...] = ()
    """Of these pictures."""
    samples: int = 0
    """Of the first one."""
    pictures: list[Picture] | None = None
    """None where there was no room for them."""
    digests: tuple[bytes, ...] = ()
    """Of the pixels of its pictures: equal only if these are."""
    makers: frozenset[str] = frozenset()
    """Those that its descriptions name."""
    large: bool = False
    """Whether one of them is larger than every archive can hold."""
    history: History | None = None

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return sum(p.pixels.nbytes + sum(map(len, p.recipe[1:])) for p in self.pictures or ())

    def wanted(self, wide: bool) -> bool:
        """Tell whether some of its pictures are of interest, be wide ones or not."""
        return any(wide or not kind_of(kind).wide for kind in self.kinds)

    def seen(self, *, wide: bool) -> Seen | None:
        """Return what it can be seen as; None if that is nothing of interest."""
        pictures = self.pictures if self.wanted(wide) else None
        history = self.history or History()
        return Seen(pictures, self.limit, self.checksum, history) if pictures else None


@dataclass
class Group:
    """Files that can be seen as pictures of the same genres."""

    sources: list[Source] = field(default_factory=list)
    samples: int = 0
    """Of all of them."""


LAID = (*LATTICES, *high_bits.FEATURES, ranks.FEATURE)
"""Features of kinds of pictures that are made of those of others."""
NO_PICTURE = Known()
UNSEEN = Known(limit=-1)
_PARTS, _PART = 8, 1 << 15  # of a file, and bytes of one, that tell how well it is mixed
_SURELY = 0.9  # of what they tell


def look(source: Source, *, wide: bool, pixels: bool, mixing: bool = True) -> Known:
    """Read, decode, describe and prove a file.

    Parameters
    ----------
    source : Source
    wide : bool
        Whether wide pictures are of interest.
    pixels : bool
        Whether it is enough that pictures come back pixel for pixel; else they are described, and
        so are those that lie in other files.
    mixing : bool
        Whether files that no coder takes are mixed, where that pays.

    Raises
    ------
    SourceError
        If it cannot be read, or has changed.
    """
    pixels = pixels and source.offset is None
    if source.kind != "file" or source.size > MAX_LARGE_FILE:
        return NO_PICTURE
    data = source_files.read_if(source, looks_like_picture, START)
    if data is None and strides.may_lie_in(source.size, partial(source_files.read_some, source)):
        data = source_files.read(source)
    if data is None:
        return NO_PICTURE
    description = None
    with naming() as makers:
        plain = inspect(data) if pixels else None
        pictures = [plain] if plain else inspect_wide(data) if pixels and wide else []
        if not pictures:
            with at_once():
                description = None if pixels else describe(data)
                pictures = list(islice(inspect_exact(data, description), None if wide else 1))
    if not pictures:
        return NO_PICTURE
    large = any(not is_held(*picture.pixels.shape, large=False) for picture in pictures)
    digests = tuple(twins.digest(picture.pixels) for picture in pictures)
    pictures += _laid(pictures)
    kinds = tuple(picture.recipe.kind for picture in pictures)
    limit = _cost(data)
    if mixing and is_unheaded(data):
        limit = min(limit, int(_SURELY * _mixed(data)))
    told = kinds, limit, zlib.crc32(data), description or b"", tuple(map(genre_of, pictures))
    size = pictures[0].pixels.size
    return Known(*told, size, pictures, digests, frozenset(makers), large, History())


def look_again(source: Source, known: Known) -> list[Picture]:
    """Decode a file that was proved before; raise `SourceError` if it is no longer the same."""
    data = source_files.read(source)
    kinds = [kind for kind in known.kinds if kind_of(kind).feature not in LAID]
    pictures = [decode(data, kind, known.description) for kind in kinds]
    found = [picture for picture in pictures if picture is not None]
    if len(kinds) < len(known.kinds):
        found += _laid(found)
    if zlib.crc32(data) != known.checksum or len(found) < len(known.kinds):
        raise source_files.changed(source)
    return found


def _laid(pictures: list[Picture]) -> list[Picture]:
    """Return what the first picture is by luma and chroma, if its colours were computed of any; if
    it has more than eight bits, by its highest ones, and had it eight before, of these; and by
    ranks, if there are gaps between its values, or by luma and chroma of these."""
    if not pictures:
        return []
    own = pictures[0]
    ranked = _ranked(own)
    planes = lattice.laid(high_bits.levels(own) or own) or (ranked and lattice.laid(ranked))
    return [found for found in (planes, high_bits.laid(own), ranked) if found]


def _ranked(picture: Picture) -> Picture | None:
    """Return a picture by ranks, unless it is for the coder of drawn ones, which learns gaps."""
    found = ranks.laid(picture)
    return None if found is None or repeats_itself(picture) else found


def pays_as_jpeg(seen: Seen) -> bool:
    """Whether a picture was a JPEG, of which coefficients take less room than the file."""
    picture = seen.pictures[0]
    found = None if by_palette(seen.pictures) else seen.history.keep(picture)
    if found is None:
        return False
    recipe = history.pack(picture, found.origin, found.coefficients)
    return bands.estimate(found.coefficients) + _cost(recipe) < seen.limit


def look_for_jpeg(source: Source) -> SeenJpeg | None:
    """Return a JPEG file, proved to come back from its coefficients; None if it is none.

    Raises
    ------
    SourceError
        If it cannot be read, or has changed.
    """
    data = source_files.read(source)
    found = split(data)
    if found is None or len(found.recipe) > MAX_RECIPE:
        return None
    return SeenJpeg(found, _cost(data), zlib.crc32(data))


def stored(source: Source, known: Known, features: Set[str]) -> Stored | None:
    """Return the picture of a file that comes back byte for byte, if an archive that uses these
    features can hold it, and it takes less room so under zstd than the file does."""
    if not known.kinds or SAMPLES not in features or not kind_of(known.kinds[0]).storable(features):
        return None
    try:
        pictures = known.pictures or look_again(source, known)
    except SourceError:  # which comes again when the file itself is to be kept
        return None
    if not is_held(*pictures[0].pixels.shape, large=False):
        return None
    packed = pack_picture(pictures[0])
    return Stored(packed, known.checksum) if _cost(packed) < known.limit else None


def _mixed(data: bytes) -> int:
    """Return about how many bytes a file takes by context mixing, as some parts of it tell; as many
    as it has where there is no kernel for that."""
    if not octets.quick():
        return len(data)
    length = min(len(data), _PART)
    starts = [(len(data) - length) * part // (_PARTS - 1) for part in range(_PARTS)]
    some = b"".join(data[at : at + length] for at in starts) if len(data) > _PART * _PARTS else data
    words = octets.encode(some, len(some) // 4)
    return len(data) if words is None else words.nbytes * len(data) // len(some)


def _cost(data: bytes) -> int:
    """Return about how many bytes a file takes without the model."""
    return min(len(data), squeezed(data))
