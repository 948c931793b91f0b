"""The archive format: constants, header, sections and blobs (docs/format.md)."""

import struct
import zlib
from typing import NamedTuple

import zstandard

from bitswap_cli.archive.format.objects import pack_object, unpack_object
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.picture import CHANNELS

# Like PNG's: a byte with the high bit set, a name, and line ends that text-mode transfers damage.
MAGIC = b"\x89BSW\r\n\x1a\n"
END_MAGIC = b"\x89BSWEND\n"
VERSION = 1
FITTED_VERSION = 2  # of archives that carry a fitted model of the base's shape, and no more
WIDE_VERSION = 3  # of archives that hold wide pictures or models of other shapes
ORIENTED_VERSION = 4  # of archives that hold pictures turned or mirrored

PREAMBLE = struct.Struct("<8sH")  # magic, version
SECTION = struct.Struct("<4sI")  # tag, length of the body
CRC = struct.Struct("<I")
TRAILER = struct.Struct("<Q8s")  # offset of INDX, end magic

HEAD, MODL, TILE, BYTE, INDX = b"HEAD", b"MODL", b"TILE", b"BYTE", b"INDX"
SECTION_EXTRA = SECTION.size + CRC.size

# What a reader accepts. They bound the memory that a hostile archive can make it use; the writer
# stays well below.
MAX_BODY = 1 << 26  # bytes of a section's body
MAX_TABLE = 1 << 24  # bytes of a table, unpacked
MAX_EXTRAS = 1 << 25  # bytes of a chunk's extras, unpacked
MAX_CHUNK_BYTES = 1 << 24  # raw bytes of a BYTE chunk
MAX_CHUNK_SAMPLES = 1 << 24  # of a TILE chunk
MAX_SEGMENTS = 1 << 16  # segments in a chunk
MAX_CHUNKS = 1 << 22
HEAD_COPY_FROM = 1 << 14  # an archive at least this long repeats its header before the index

_STORED, _ZSTD = 0, 1


# How MODL begins from version 3 on: channels, further radius and width.
GROWTH = struct.Struct("<BBH")


class Fitted(NamedTuple):
    """A model that was fitted from the one that the header names."""

    channels: int
    """Of the pictures that it codes; one-channel pictures go with those of the header's tiles."""
    radius: int
    """By how much its window is wider than the base's."""
    width: int
    """How many more hidden units it has."""
    body: bytes
    """Known answer and differences."""


class Header(NamedTuple):
    """What an archive needs to be read: which model, which scheme, which geometry."""

    model: str | None
    """Name of the model, or None if the archive was written without one."""
    sha256: str | None
    """SHA-256 of the model file, 64 hexadecimal digits, or None without a model."""
    scheme: str
    """``'bitswap'``, ``'bbans'``, ``'topdown'``, or ``''`` without a model."""
    profile: int
    """Numeric profile."""
    tile: tuple[int, int, int]
    """Height, width and channels of a tile; (0, 0, 0) without a model."""
    fitted: tuple[Fitted, ...] = ()
    """Models that were fitted from the one that is named, at most one for a number of channels."""
    wide: bool = False
    """Whether there may be wide pictures (see images/formats)."""
    oriented: bool = False
    """Whether pictures may be turned or mirrored (see images/orientation.py)."""

    @property
    def version(self) -> int:
        """Format version of an archive with this header: the first that can hold it."""
        if self.oriented:
            return ORIENTED_VERSION
        alike = [f[:3] == (self.tile[2], 0, 0) for f in self.fitted]
        if self.wide or alike not in ([], [True]) or self.tile[2] not in (0, 1, 3):
            return WIDE_VERSION
        return FITTED_VERSION if alike else VERSION

    @property
    def fitted_bytes(self) -> int:
        """Bytes of the fitted models."""
        return sum(len(fitted.body) for fitted in self.fitted)

    def models(self) -> list[bytes]:
        """Return the bodies of the MODL sections."""
        if self.version < WIDE_VERSION:
            return [fitted.body for fitted in self.fitted]
        return [GROWTH.pack(*fitted[:3]) + fitted.body for fitted in self.fitted]

    def with_models(self, bodies: list[bytes]) -> "Header":
        """Return this header with the models of MODL sections; raise `ArchiveError` if malformed.

        One of version 3 or 4 has to be marked as `wide` before.
        """
        if not self.wide:
            return self._replace(fitted=tuple(Fitted(self.tile[2], 0, 0, b) for b in bodies))
        if any(len(body) < GROWTH.size for body in bodies):
            raise ArchiveError("the archive's model is malformed")
        fitted = tuple(
            Fitted(channels, radius, width, body[GROWTH.size :])
            for body in bodies
            for channels, radius, width in (GROWTH.unpack_from(body),)
        )
        if len({f.channels for f in fitted}) < len(fitted):
            raise ArchiveError("the archive holds two models for the same pictures")
        return self._replace(fitted=fitted)

    @classmethod
    def without_model(cls) -> "Header":
        """Return the header of an archive that keeps every file byte for byte."""
        return cls(None, None, "", 1, (0, 0, 0))

    def to_bytes(self) -> bytes:
        """Return the body of the HEAD section."""
        digest = None if self.sha256 is None else bytes.fromhex(self.sha256)
        models = [len(self.fitted)] if self.version >= WIDE_VERSION else []
        return pack_object([self.model, digest, self.scheme, self.profile, *self.tile, *models])

    @classmethod
    def from_bytes(cls, body: bytes, version: int) -> "tuple[Header, int]":
        """Read the body of a HEAD section, and how many MODL sections there are.

        The header knows none of these yet.

        Raises
        ------
        ArchiveError
            If it is malformed.
        """
        wide, oriented = version >= WIDE_VERSION, version >= ORIENTED_VERSION
        match unpack_object(body, "header"), wide:
            case [None, None, str(scheme), int(profile), 0, 0, 0], False:
                return cls(None, None, scheme, profile, (0, 0, 0)), 0
            case [
                str(model),
                bytes(digest),
                str(scheme),
                int(profile),
                int(height),
                int(width),
                int(channels),
                *models,
            ], _ if len(digest) == 32 and 0 < height <= 4096 and 0 < width <= 4096:
                header = cls(model, digest.hex(), scheme, profile, (height, width, channels))
                match models, wide:
                    case [], False if channels in (1, 3):
                        return header, version - VERSION
                    case [int(count)], True if channels in CHANNELS and 0 <= count <= len(CHANNELS):
                        return header._replace(wide=True, oriented=oriented), count
        raise ArchiveError("the archive's header is malformed")


def section(tag: bytes, body: bytes) -> bytes:
    """Frame a body: tag, length, body, CRC-32 over all three."""
    framed = SECTION.pack(tag, len(body)) + body
    return framed + CRC.pack(zlib.crc32(framed))


def pack_blob(data: bytes, level: int = 19) -> bytes:
    """Return a method byte and the data: as zstd, or stored where zstd does not help."""
    squeezed = zstandard.ZstdCompressor(level=level).compress(data)
    if len(squeezed) < len(data):
        return bytes([_ZSTD]) + squeezed
    return bytes([_STORED]) + data


def unpack_blob(blob: bytes, limit: int, what: str) -> bytes:
    """Invert `pack_blob`; raise `ArchiveError` if malformed or longer than `limit` bytes."""
    method, data = blob[:1], blob[1:]
    if method == bytes([_STORED]) and len(data) <= limit:
        return data
    if method == bytes([_ZSTD]):
        try:
            # The decompressor trusts the size a frame declares, so that is looked at first.
            size = zstandard.get_frame_parameters(data).content_size
            if size <= limit:
                return zstandard.ZstdDecompressor().decompress(data, max_output_size=limit)
        except (zstandard.ZstdError, MemoryError, ValueError) as error:
            raise ArchiveError(f"the archive's {what} is malformed") from error
    raise ArchiveError(f"the archive's {what} is malformed or too large")
