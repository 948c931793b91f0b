"""What chunks hold: segments of pictures and of files, and tables of these."""

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple, Protocol

from bitswap_cli.archive.format.attributes import NONE, Attributes, features_of
from bitswap_cli.archive.format.header import (
    COPIES,
    DECODINGS,
    EMBEDDED,
    FOLDERS,
    NESTED,
    PIECES,
    SAMPLES,
    STREAMS,
    TEXTS,
)
from bitswap_cli.archive.format.names import depth_of, host_of
from bitswap_cli.errors import ArchiveError, display
from bitswap_cli.images.formats.register import kind_of, shown_shape
from bitswap_cli.images.orientation import turned_shape
from bitswap_cli.images.picture import is_held

_OLDEST = "file", "dir", "link", "copy", "hard link", "parent", "picture", "host"
BYTE_KINDS = (*_OLDEST, "unfolded", "unfolded-large", "unfolded-text")
COPY_KINDS = COPY, HARD_LINK = BYTE_KINDS[3:5]
PARENT = BYTE_KINDS[5]  # a folder that other entries are in: told for its attributes, not listed
FOLDER_KINDS = ("dir", PARENT)
PICTURE = BYTE_KINDS[6]  # a file as its picture, see format/pictures.py
HOST = BYTE_KINDS[7]  # a file by the pictures inside of it, see format/values/pieces.py
# A file with what deflate streams inflate to in their place, see format/values/streams.py: a host,
# too, if there are pictures in that.
UNFOLDED = BYTE_KINDS[8]
LARGE_UNFOLDED = BYTE_KINDS[9]  # the same, with large ones in pieces
TEXT = BYTE_KINDS[10]  # the same, with what stands in base64, too, decoded
HOST_KINDS = (HOST, UNFOLDED, LARGE_UNFOLDED, TEXT)
FILE_KINDS = ("file", PICTURE, *HOST_KINDS)
# Files of pictures whose pixels a JPEG decoder made: byte for byte, or pixel for pixel.
DECODED_KINDS = DECODED_EXACT, DECODED = "decoded-exact", "decoded"
MAX_TWINS = 63  # rows between a twin and its original, the last one counted
_NO_ORIGINALS = {COPY: BYTE_KINDS[1:6], HARD_LINK: ("dir", "link", HARD_LINK, PARENT)}
_FEATURES = {
    COPY: COPIES,
    HARD_LINK: COPIES,
    PARENT: FOLDERS,
    PICTURE: SAMPLES,
    HOST: EMBEDDED,
    UNFOLDED: STREAMS,
    LARGE_UNFOLDED: PIECES,
    TEXT: TEXTS,
    DECODED_EXACT: DECODINGS,
    DECODED: DECODINGS,
}  # of kinds that need one


def equals(kind: str, original: str) -> bool:
    """Tell whether what is of one kind, a copy or hard link, may equal an entry of another kind."""
    return original not in _NO_ORIGINALS[kind]


class Summary(NamedTuple):
    """What a segment tells of the whole entry."""

    exact: bool
    """Whether it comes back byte for byte; else pixel for pixel."""
    size: int | None
    """Bytes of the original file; None: not told."""
    shape: tuple[int, int, int] | None
    """Height, width and channels of a picture that a model coded."""
    crc: int | None
    """CRC-32 of the original file, or of a link's target; None: not told."""


class TileSegment(NamedTuple):
    """Consecutive tiles of one picture."""

    name: bytes
    kind: str
    height: int
    width: int
    channels: int
    first: int
    """Number of its first tile in the picture."""
    tiles: int
    """How many tiles."""
    size: int
    """Bytes of the original file, or 0: not told."""
    orientation: int = 0
    """How the picture lies in its tiles (see images/orientation.py)."""
    crc: int | None = None
    """CRC-32 of the original file's bytes, or None: not told, as before version 5."""
    attributes: Attributes = NONE
    """Of the original file, where the picture begins here."""
    twin: int = 0
    """If not 0, its tiles are those of the segment so many rows before it, and not told again."""

    @property
    def begins(self) -> bool:
        """Whether the picture begins here."""
        return not self.first

    @property
    def tells(self) -> bool:
        """Whether the extras tell of it: where the picture begins, or its description has parts."""
        return self.begins or kind_of(self.kind).parts

    @property
    def summary(self) -> Summary:
        """Of the picture."""
        shape = shown_shape(self.kind, (self.height, self.width, self.channels))
        return Summary(kind_of(self.kind).exact, self.size or None, shape, self.crc)

    @property
    def whole(self) -> "TileSegment":
        """What all segments of one picture have in common."""
        return self._replace(first=0, tiles=0, attributes=NONE, twin=0)

    @property
    def large(self) -> bool:
        """Whether the picture is larger than every archive can hold."""
        return not is_held(self.height, self.width, self.channels, large=False)

    @property
    def laid(self) -> tuple[int, int, int]:
        """Height, width and channels of the picture as it lies in its tiles."""
        return turned_shape((self.height, self.width, self.channels), self.orientation)

    @property
    def lie(self) -> tuple[int, ...]:
        """How its tiles lie in the picture: what twins have in common."""
        return (*self[2:7], self.orientation)


class TileTable(NamedTuple):
    """What a TILE chunk holds."""

    segments: list[TileSegment]
    checksum: int
    """CRC-32 of the decoded samples."""
    swallowed: int
    """How many bytes of the extras are in the initial bits."""
    factor: int
    """How many times as high and wide as the model's its tiles are."""
    model: int = 0
    """Number of the model, of those that the header names."""

    @property
    def coded(self) -> list[TileSegment]:
        """Those whose tiles are in the message, in their order: all but twins."""
        return [segment for segment in self.segments if not segment.twin]

    @property
    def starts(self) -> list[int]:
        """Of each segment its first tile, of those in the message; equal ones are those of
        twins."""
        starts, end = list[int](), 0
        for segment in self.segments:
            starts.append(starts[-segment.twin] if segment.twin else end)
            end += 0 if segment.twin else segment.tiles
        return starts


class ByteSegment(NamedTuple):
    """Consecutive bytes of one file; a link's target; a folder; or what equals another entry,
    without any bytes."""

    name: bytes
    kind: str
    size: int
    """Bytes of the whole file."""
    offset: int
    """Of these bytes in the file."""
    length: int
    """Of these bytes; of a picture, a host or an unfolded file, those that are stored."""
    mtime: int
    """Nanoseconds since 1970."""
    crc: int | None = None
    """CRC-32 of the file's bytes up to the end of these; None in archives before version 5."""
    attributes: Attributes = NONE
    """Of the file, where it begins here."""
    original: bytes = b""
    """Name of the entry that a copy or a hard link equals."""

    @property
    def begins(self) -> bool:
        """Whether the file begins here."""
        return not self.offset

    @property
    def ends(self) -> bool:
        """Whether the file ends here."""
        return self.kind in (PICTURE, *HOST_KINDS) or self.offset + self.length == self.size

    @property
    def summary(self) -> Summary:
        """Of the file, if it ends here."""
        return Summary(True, self.size, None, self.crc)

    @property
    def whole(self) -> "ByteSegment":
        """What all segments of one file have in common."""
        return self._replace(offset=0, length=0, crc=None, attributes=NONE)


class ByteTable(NamedTuple):
    """What a BYTE chunk holds."""

    segments: list[ByteSegment]
    checksum: int
    """CRC-32 of the unpacked bytes."""
    mixed: int = 0  # by which version of context mixing they are coded; 0: by zstd
    frames: int = 0  # how many VP8 frames in them are coded by their decisions
    repeats: int = 0  # how many repeats of them are told, of bytes that are mixed

    @property
    def length(self) -> int:
        """How many bytes it holds."""
        return sum(segment.length for segment in self.segments)

    @property
    def starts(self) -> list[int]:
        """Of each segment its first byte, of those in the chunk."""
        return list(accumulate((segment.length for segment in self.segments[:-1]), initial=0))


class WholeSegment(NamedTuple):
    """A picture's file that a model of its own codes, as a whole."""

    name: bytes
    kind: str
    height: int
    """Of the picture that it shows, in pixels."""
    width: int
    channels: int
    size: int
    """Bytes of the file, or 0: not told, as it comes back by its pixels only."""
    mtime: int
    """Nanoseconds since 1970."""
    crc: int
    """CRC-32 of the file's bytes, where their number is told."""
    attributes: Attributes = NONE
    """Of the file."""
    depth: int = 1
    """Bytes of what the picture shows of one channel: with 2, the high ones of all channels come
    first."""
    twin: int = 0
    """If not 0, its coefficients are those of the file so many rows before it."""

    @property
    def exact(self) -> bool:
        """Whether it comes back byte for byte."""
        return self.size > 0

    @property
    def told(self) -> tuple[int | None, int | None]:
        """Size and CRC-32 of the file, if they are told."""
        return (self.size, self.crc) if self.exact else (None, None)

    @property
    def begins(self) -> bool:
        """Whether its entry begins with it: there is no other segment of it."""
        return True

    @property
    def summary(self) -> Summary:
        """Of the file."""
        shape = shown_shape(self.kind, (self.height, self.width, self.channels))
        size, crc = self.told
        return Summary(self.exact, size, shape, crc)


class WholeTable(NamedTuple):
    """What a chunk of such files holds."""

    segments: list[WholeSegment]
    mixed: int = 0
    """By which version of context mixing their recipes are coded; 0: by zstd."""

    @property
    def starts(self) -> list[int]:
        """Of each segment its number."""
        return list(range(len(self.segments)))


Segment = TileSegment | ByteSegment | WholeSegment
Table = TileTable | ByteTable | WholeTable


class DecodedFile(Protocol):
    """A file that was decoded as a whole."""

    @property
    def held(self) -> int:
        """Bytes in memory."""

    @property
    def samples(self) -> int:
        """Of a picture that was coded by its samples: how many it has."""

    def file(self, *, quick: bool = False) -> bytes:
        """Return the file, or one as good in pixels that is made sooner; raise `ArchiveError` if
        what was decoded does not fit together."""


class Extra(NamedTuple):
    """What a picture needs beyond its pixels, with its first tile; with others, parts of its
    description alone."""

    mtime: int
    prefix: bytes
    suffix: bytes
    description: bytes = b""


class _Told(Protocol):
    """A segment, or what is to become one."""

    @property
    def name(self) -> bytes: ...

    @property
    def kind(self) -> str: ...

    @property
    def attributes(self) -> Attributes: ...


def needed(entries: Iterable[_Told]) -> frozenset[str]:
    """Return the features that an archive needs to hold some entries, but for those of pictures."""
    told = list(entries)
    found = {_FEATURES[kind] for kind in {one.kind for one in told} & _FEATURES.keys()}
    inside = [one for one in told if host_of(one.name) is not None]
    found |= {EMBEDDED for _ in inside}
    found |= {NESTED for one in inside if _is_nested(one)}
    return features_of(one.attributes for one in told) | found


def _is_nested(member: _Told) -> bool:
    """Tell whether what lies in a host is one itself, lies in another, or is a file in parts."""
    parts = isinstance(member, ByteSegment) and not (member.begins and member.ends)
    return parts or member.kind in HOST_KINDS or depth_of(member.name) > 1


def no_original(segment: ByteSegment) -> ArchiveError:
    """Return the error to raise for what equals nothing that the archive holds before it."""
    return ArchiveError(
        f"{display(segment.name)} equals {display(segment.original)}, which is no file before it or"
        " is lost"
    )
