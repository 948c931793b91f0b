"""Finding whole sections in a damaged archive, but none of an archive that is stored inside it."""

import mmap
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from bitswap_cli.archive.format.sections import (
    CHUNKS,
    CRC,
    END_MAGIC,
    HEAD,
    INDX,
    MAGIC,
    MODL,
    SECTION,
    TRAILER,
    framing,
    max_body,
)

_TAGS = (HEAD, MODL, *CHUNKS, INDX)
_TAG = re.compile(b"|".join((*_TAGS, re.escape(MAGIC))))


class Found(NamedTuple):
    """A section whose CRC-32 is right."""

    tag: bytes
    offset: int
    """Of the section."""
    length: int
    """Of its body."""


def sections(file: BinaryIO, size: int, start: int, own: bytes) -> Iterator[Found]:
    """Yield the sections whose CRC-32 is right, in the order of the file.

    A file that is kept as it is may itself be an archive, and its sections look like those of the
    one around it, but for the archive's id from version 5 on. Where a chunk is whole, what is in it
    is not looked at. Without ids, one that is damaged is jumped over if its length can be believed;
    else an archive's magic tells that another one begins, and a trailer that fits that place, that
    it ends.

    Parameters
    ----------
    file : binary file
        The archive; must have a file descriptor.
    size : int
        Its bytes.
    start : int
        Where to begin.
    own : bytes
        The archive's id; none before version 5.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
        yield from _Scan(data, view, size, own).run(start)


class _Scan:
    def __init__(self, data: mmap.mmap, view: memoryview, size: int, own: bytes) -> None:
        self._data = data
        self._view = view
        self._size = size
        self._own = own
        self._framing = framing(own)
        # False tags cost the checksum of what they claim: without a budget, a file full of them
        # would take time that grows with the square of its size.
        self._budget = 4 * size + (1 << 26)

    def run(self, start: int) -> Iterator[Found]:
        while self._budget > 0:
            found = self._whole(start)
            if found:
                yield found
                start = found.offset + found.length + self._framing
                continue
            behind = start if self._own else self._after_damaged(start)
            if behind > start:
                start = behind
                continue
            match = _TAG.search(self._data, start)
            if match is None:
                return
            offset, tag = match.span()[0], match[0]
            # The match would keep the map open.
            del match
            start = offset
            if tag == MAGIC and not self._own:
                start = self._after_archive(offset)
            elif not self._whole(offset):
                start = offset + 1

    def _header(self, offset: int) -> tuple[bytes, int] | None:
        """Return tag and length of what looks like a section."""
        if not 0 <= offset <= self._size - SECTION.size:
            return None
        tag, length = SECTION.unpack_from(self._view, offset)
        return (tag, length) if tag in _TAGS and length <= max_body(tag) else None

    def _whole(self, offset: int) -> Found | None:
        """Return the section at an offset, if its CRC-32 is right."""
        header = self._header(offset)
        if header is None or offset + header[1] + self._framing > self._size:
            return None
        tag, length = header
        body = offset + SECTION.size
        if self._view[body : body + len(self._own)] != self._own:
            return None
        end = body + len(self._own) + length
        self._budget -= length
        with self._view[offset:end] as framed:
            right = CRC.unpack_from(self._view, end)[0] == zlib.crc32(framed)
        return Found(tag, offset, length) if right else None

    def _after_damaged(self, offset: int) -> int:
        """Return where to go on behind what stands where a section should, but is none."""
        header = self._header(offset)
        if header is None:
            return offset
        end = offset + header[1] + self._framing
        if end > self._size - TRAILER.size:
            # Its end is cut off, unless the end of the file shows that its length is wrong.
            return offset if self._ends(0, self._size) else self._size
        return end if self._header(end) else offset

    def _ends(self, start: int, end: int) -> bool:
        """Tell whether an archive that begins and one that ends in these places may be one."""
        place, magic = TRAILER.unpack_from(self._view, end - TRAILER.size)
        header = self._header(start + place)
        return magic == END_MAGIC and header == (
            INDX,
            end - TRAILER.size - framing(b"") - start - place,
        )

    def _after_archive(self, start: int) -> int:
        """Return where an archive ends that begins here: nothing behind it is believed if that
        cannot be told."""
        end = start
        while (end := self._data.find(END_MAGIC, end)) >= 0:
            end += len(END_MAGIC)
            if self._ends(start, end):
                return end
        return self._size
