"""The archive format: constants and sections (docs/format.md)."""

import struct
import zlib

from bitswap_cli.errors import ArchiveError

# Like PNG's: a byte with the high bit set, a name, and line ends that text-mode transfers damage.
MAGIC = b"\x89BSW\r\n\x1a\n"
END_MAGIC = b"\x89BSWEND\n"
VERSION = 1
WIDE_VERSION = 3  # of archives that hold wide pictures or models of other shapes
ORIENTED_VERSION = 4  # of archives that hold pictures turned or mirrored
NAMED_VERSION = 5  # of archives that name the features they use; the one that is written

PREAMBLE = struct.Struct("<8sH")  # magic, version
SECTION = struct.Struct("<4sI")  # tag, length of the body
CRC = struct.Struct("<I")
LENGTH = struct.Struct("<I")  # of a table, and of what follows it
TRAILER = struct.Struct("<Q8s")  # offset of INDX, end magic

HEAD, MODL, INDX = b"HEAD", b"MODL", b"INDX"
# in the order of their numbers in the index
CHUNKS = TILE, BYTE, JPEG, DRAW = b"TILE", b"BYTE", b"JPEG", b"DRAW"
ID = 8  # bytes of an archive's id, from version 5 on behind the preamble and in each section

# What a reader accepts. They bound the memory that a hostile archive can make it use; the writer
# stays well below.
MAX_BODY = 1 << 26  # bytes of a section's body
MAX_TABLE = 1 << 24  # bytes of a table, unpacked
MAX_EXTRAS = 1 << 25  # bytes of a chunk's extras, unpacked
MAX_MIXED_EXTRAS = 1 << 20  # by context mixing: a second of a reader
MAX_CHUNK_BYTES = 1 << 24  # raw bytes of a BYTE chunk
MAX_BLOCK = 1 << 27  # likewise, where the feature `LONG` allows it
MAX_BYTE_BODY = MAX_BLOCK + (1 << 25)  # bytes of a BYTE chunk's body
MAX_CHUNK_SAMPLES = 1 << 24  # of a TILE chunk
MAX_STRIP = 1 << 27  # of a row of tiles of a picture that is had by strips
MAX_FRAMES = 1 << 16  # in a chunk
MAX_SEGMENTS = 1 << 16  # segments in a chunk
MAX_CHUNKS = 1 << 22
HEAD_COPY_FROM = 1 << 14  # an archive at least this long repeats its header before the index


def framing(own: bytes) -> int:
    """Return how many bytes a section takes beside its body in an archive of this id, or none."""
    return SECTION.size + len(own) + CRC.size


def section(tag: bytes, body: bytes, own: bytes = b"") -> bytes:
    """Frame a body: tag, length, the archive's own id if it has one, body, CRC-32 over all."""
    head = SECTION.pack(tag, len(body)) + own
    return b"".join((head, body, CRC.pack(zlib.crc32(body, zlib.crc32(head)))))


def framed(table: bytes) -> bytes:
    """Return how the body of a chunk begins: the length of its table, this, its CRC-32."""
    return LENGTH.pack(len(table)) + table + CRC.pack(zlib.crc32(table))


def after_table(body: bytes) -> int:
    """Return where the table of a body ends; raise `ArchiveError` if that is beyond its end."""
    if len(body) >= LENGTH.size:
        end = LENGTH.size + int(LENGTH.unpack_from(body)[0]) + CRC.size
        if end <= len(body):
            return end
    raise ArchiveError("the archive holds a chunk that is too short")


def max_body(tag: bytes) -> int:
    """Return how many bytes the body of a section may have."""
    return MAX_BYTE_BODY if tag == BYTE else MAX_BODY
