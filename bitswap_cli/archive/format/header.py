"""What an archive needs to be read: models, and the features that it uses."""

import struct
from collections.abc import Iterable, Sequence, Set
from itertools import accumulate, starmap
from typing import Any, NamedTuple

from bitswap_cli.archive.format.sections import (
    NAMED_VERSION,
    ORIENTED_VERSION,
    VERSION,
    WIDE_VERSION,
)
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.errors import ArchiveError, ModelError, display
from bitswap_cli.images.formats import high_bits, ranks, register
from bitswap_cli.images.formats.format import DESCRIBED, WIDE
from bitswap_cli.images.formats.lattice import kinds as lattice
from bitswap_cli.images.picture import CHANNELS

# How MODL begins from version 3 on: channels, further radius and width.
GROWTH = struct.Struct("<BBH")


MAX_MODELS = 8  # of tiles that an archive names, at most


class Fitted(NamedTuple):
    """A model that was fitted from one that the header names."""

    channels: int
    """Of the pictures that it codes; one-channel pictures go with those of the header's tiles."""
    radius: int
    """By how much its window is wider than the base's."""
    width: int
    """How many more hidden units it has."""
    body: bytes
    """Known answer and differences."""


TURNED, JPEGS, DRAWN, LONG, LARGE = "turned", "jpeg", "drawn", "long", "large"
COMMON, TWINS, MODELS = "common", "twins", "models"
MODES, FOLDERS, COPIES, SAMPLES = "modes", "folders", "copies", "samples"
EMBEDDED, STREAMS, NESTED, PIECES = "embedded", "streams", "nested", "pieces"
TEXTS = "texts"
SPOOLED = frozenset([STREAMS, NESTED, PIECES, TEXTS])
"""Features of archives whose files may have to be made of others before they are checked."""
MIXED, RECIPES, MIXED_2, MIXED_3 = "mixed", "mixed-recipes", "mixed-2", "mixed-3"
VP8, REPEATS = "vp8", "repeats"
OWNERS, XATTRS, SPARSE = "owners", "xattrs", "sparse"
DECODINGS, LAID, DECODERS, CORRECTED = "decoded", "laid", "decoders", "corrected"
LEARNING, EQUAL = "learning", "equal"
# Whatever models do.
_OF_ENTRIES = frozenset(
    [MODES, FOLDERS, COPIES, SAMPLES, OWNERS, XATTRS, SPARSE, DECODINGS, LAID, DECODERS]
    + [CORRECTED, EMBEDDED, STREAMS, NESTED, PIECES, TEXTS]
)
# Tables do not tell of these, but of what has need of them.
_FOLLOWS = {LAID: DECODINGS, DECODERS: DECODINGS, CORRECTED: DECODINGS, LEARNING: JPEGS}
# Of these, tables do not tell which kinds of pictures there are, or by which makers.
_HIDING = frozenset(
    [SAMPLES, DECODINGS, STREAMS, PIECES, TEXTS]
    + [*lattice.FEATURES, *high_bits.FEATURES, ranks.FEATURE]
)


OTHERS = (JPEGS, DRAWN)
"""Features of chunks that a model of their own codes, in the order in which archives name these."""


class Tiled(NamedTuple):
    """A model of tiles of pixels, as a header names it."""

    name: str
    sha256: str
    """SHA-256 of its file, 64 hexadecimal digits."""
    scheme: str
    """``'bitswap'``, ``'bbans'`` or ``'topdown'``."""
    profile: int
    """Numeric profile."""
    tile: tuple[int, int, int]
    """Height, width and channels of a tile."""
    fitted: tuple[Fitted, ...] = ()
    """Models that were fitted from it, at most one for a number of channels."""


class Named(NamedTuple):
    """A model of chunks that none of tiles codes."""

    feature: str
    """Of these chunks, one of `OTHERS`."""
    model: str
    """Its name."""
    sha256: str
    """SHA-256 of its file, 64 hexadecimal digits."""
    scheme: str
    """As that of pixels."""
    profile: int
    """Numeric profile."""


class Header(NamedTuple):
    """What an archive needs to be read: which models, which schemes, which geometry."""

    models: tuple[Tiled, ...] = ()
    """Those of tiles: chunks say by their number which one codes them; none if every file is kept
    byte for byte, or coded by others."""
    features: frozenset[str] = frozenset()
    """What the archive may hold beyond what every one may: `WIDE`, wide pictures (see
    images/formats); `TURNED`, pictures turned or mirrored (see images/orientation.py);
    `DESCRIBED`, pictures with descriptions, and those of makers that these name; `JPEGS`,
    chunks of JPEG files (see format/jpeg.py), `LEARNING`, by models that learn while they code, and
    `EQUAL`, files by the coefficients of others;
    `DRAWN`, chunks of whole pictures (see format/drawn.py); `LONG`, BYTE chunks of up to
    `MAX_BLOCK` bytes, and `MIXED`, those by context mixing (see mixing/octets.py); `RECIPES`,
    chunks of whole pictures whose recipes are, too, and `MIXED_2` and `MIXED_3`, either of these by
    the second and third version of that; `VP8`, BYTE chunks with frames of VP8 by their decisions,
    and `REPEATS`, those whose long repeats are told;
    `LARGE`, pictures of more than `MAX_PIXELS` pixels (see images/strips.py);
    `COMMON`, chunks of tiles by a model that tells what they share (see coding/common.py);
    `TWINS`, pictures by the tiles of others (see `TileSegment.twin`);
    `MODELS`, chunks of tiles by more models than one;
    those that kinds of pictures name; those of entries, whatever these are: `MODES`, `OWNERS`,
    `XATTRS` and `SPARSE`, what is told of them (see format/attributes.py), `FOLDERS`, those that
    are not empty, `COPIES`, entries that equal others, `SAMPLES`, files as samples under zstd,
    `EMBEDDED`, files by the pictures inside of them (see format/values/pieces.py), `STREAMS`, files
    with what deflate streams inflate to in their place (see format/values/streams.py), `NESTED`,
    such files inside of others, `PIECES`, large streams in pieces, `TEXTS`, those with what stands
    in base64 decoded,
    `DECODINGS`, those that a JPEG decoder made (see format/segments.py), `LAID`, those that it made
    and that were turned or given an alpha afterwards, `DECODERS`, those that another one than
    libjpeg's by default made, and `CORRECTED`, those whose corrections are told by decisions."""
    others: tuple[Named, ...] = ()
    """Models of chunks that need one of their own, in the order of `OTHERS`."""

    @property
    def wide(self) -> bool:
        """Whether wide pictures may go through a model."""
        return WIDE in self.features

    @property
    def oriented(self) -> bool:
        """Whether pictures may be turned or mirrored."""
        return TURNED in self.features

    def using(self, features: Iterable[str]) -> "Header":
        """Return the header of an archive that uses these features, too."""
        return self._replace(features=self.features.union(features))

    def narrowed(self, told: Set[str], models: int) -> "Header":
        """Return the header of this archive without what it turned out to have no need of.

        Parameters
        ----------
        told : set of str
            The features that the tables of all its chunks tell.
        models : int
            How many models of tiles there are up to the last one that codes any.
        """
        needed = {name for name in self.features if _FOLLOWS.get(name, name) in told}
        pictures = {DESCRIBED, *register.every_feature()}
        if told & _HIDING:
            needed |= self.features & pictures
        elif told & pictures:  # files of many kinds hold deflate streams
            needed |= self.features & register.features_of_makers()
        if models:
            needed |= self.features & {COMMON}
        if models < 2:
            needed.discard(MODELS)
        others = tuple(one for one in self.others if one.feature in told)
        return Header(self.models[:models], frozenset(needed), others)

    @property
    def described(self) -> bool:
        """Whether pictures may have descriptions."""
        return DESCRIBED in self.features

    @property
    def fitted_bytes(self) -> int:
        """Bytes of the fitted models."""
        return sum(len(fitted.body) for model in self.models for fitted in model.fitted)

    def other(self, feature: str) -> Named | None:
        """Return the model of a feature's chunks, if there may be any."""
        return next((one for one in self.others if one.feature == feature), None)

    def with_others(self, models: Iterable[Named]) -> "Header":
        """Return the header of an archive that may hold what some other models code."""
        others = sorted(models, key=lambda one: OTHERS.index(one.feature))
        header = self._replace(others=tuple(others))
        return header.using(one.feature for one in others)

    def fitted_models(self) -> list[bytes]:
        """Return the bodies of the MODL sections, those of the first model first."""
        return [
            GROWTH.pack(*fitted[:3]) + fitted.body
            for model in self.models
            for fitted in model.fitted
        ]

    def with_fitted(self, bodies: Sequence[bytes], counts: Sequence[int], version: int) -> "Header":
        """Return this header with the models of MODL sections, so many of each that it names, or
        raise `ArchiveError`."""
        ends = list(accumulate(counts))
        models = tuple(
            model._replace(fitted=_fitted(bodies[end - count : end], model, version))
            for model, count, end in zip(self.models, counts, ends, strict=True)
        )
        return self._replace(models=models)

    @classmethod
    def without_model(cls) -> "Header":
        """Return the header of an archive that keeps every file byte for byte."""
        return cls()

    def to_bytes(self) -> bytes:
        """Return the body of the HEAD section, of version 5."""
        models: list[object] = [
            [name, bytes.fromhex(sha256), scheme, profile, *tile, len(fitted)]
            for name, sha256, scheme, profile, tile, fitted in self.models
        ]
        for _, model, sha256, scheme, profile in self.others:
            models.append([model, bytes.fromhex(sha256), scheme, profile])
        return pack_object([sorted(self.features), models])

    @classmethod
    def from_bytes(cls, body: bytes, version: int) -> "tuple[Header, list[int]]":
        """Read the body of a HEAD section, and how many MODL sections there are of each model.

        The header knows none of these yet.

        Raises
        ------
        ArchiveError
            If it is malformed.
        ModelError
            If it names features that this program does not know.
        """
        found = unpack_object(body, "header")
        read = _of_version_5 if version >= NAMED_VERSION else _before_version_5
        header = read(found, version)
        if header is None:
            raise ArchiveError("the archive's header is malformed")
        return header


def known_features() -> set[str]:
    """Return the features of archives that this program knows."""
    named = {WIDE, TURNED, DESCRIBED, LONG, LARGE, LEARNING, EQUAL, COMMON, TWINS, MODELS}
    kept = [MIXED, RECIPES, MIXED_2, MIXED_3, VP8, REPEATS]
    return named.union(kept, OTHERS, _OF_ENTRIES, register.every_feature())


def _of_version_5(found: Any, version: int) -> tuple[Header, list[int]] | None:
    match found:
        case [[*features], [*models]] if all(isinstance(name, str) for name in features):
            if unknown := sorted(set(features) - known_features()):
                raise newer(f"the feature {display(unknown[0])}")
            used = [feature for feature in OTHERS if feature in features]
            count = len(models) - len(used)
            fewest, most = (2, MAX_MODELS) if MODELS in features else (0, 1)
            if fewest <= count <= most:
                own = [one for one in map(_tiled, models[:count]) if one]
                rows = zip(used, models[count:], strict=True)
                others = [one for one in starmap(_named, rows) if one]
                different = len({model.sha256 for model, _ in own}) == len(own)
                if len(own) == count and len(others) == len(used) and different:
                    told = tuple(model for model, _ in own), frozenset(features), tuple(others)
                    return Header(*told), [fitted for _, fitted in own]
    return None


def _before_version_5(found: Any, version: int) -> tuple[Header, list[int]] | None:
    features = [WIDE] if version >= WIDE_VERSION else []
    features += [TURNED] if version >= ORIENTED_VERSION else []
    match found:
        case [None, None, str(), int(), 0, 0, 0] if not features:
            return Header(), []
        case [*row] if len(row) == (8 if features else 7):
            read = _tiled(row if features else [*row, version - VERSION])
            if read and (features or read[0].tile[2] in (1, 3)):
                return Header((read[0],), frozenset(features)), [read[1]]
    return None


def _tiled(row: Any) -> tuple[Tiled, int] | None:
    """Return a model of tiles, as the header tells it, and the number of those fitted from it."""
    match row:
        case [
            str(name),
            bytes(digest),
            str(scheme),
            int(profile),
            int(height),
            int(width),
            int(channels),
            int(count),
        ] if len(digest) == 32 and channels in CHANNELS and 0 <= count <= len(CHANNELS):
            if 0 < height <= 4096 and 0 < width <= 4096:
                return Tiled(name, digest.hex(), scheme, profile, (height, width, channels)), count
    return None


def _fitted(bodies: Sequence[bytes], base: Tiled, version: int) -> tuple[Fitted, ...]:
    """Return the models of some MODL sections, or raise `ArchiveError`."""
    if version < WIDE_VERSION:
        return tuple(Fitted(base.tile[2], 0, 0, body) for body in bodies)
    if any(len(body) < GROWTH.size for body in bodies):
        raise ArchiveError("the archive's model is malformed")
    fitted = tuple(
        Fitted(channels, radius, width, body[GROWTH.size :])
        for body in bodies
        for channels, radius, width in (GROWTH.unpack_from(body),)
    )
    if len({one.channels for one in fitted}) < len(fitted):
        raise ArchiveError("the archive holds two models for the same pictures")
    return fitted


def _named(feature: str, row: Any) -> Named | None:
    """Return the model of a feature's chunks, as the header tells it."""
    match row:
        case [str(name), bytes(digest), str(scheme), int(profile)] if len(digest) == 32:
            return Named(feature, name, digest.hex(), scheme, profile)
    return None


def newer(what: str) -> ModelError:
    """Return the error to raise for what this version of the program does not know."""
    return ModelError(
        f"the archive uses {what}, which this program does not know: use the version that wrote it"
        " or a newer one"
    )
