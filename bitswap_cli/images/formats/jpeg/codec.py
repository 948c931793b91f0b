"""A JPEG file <-> quantized coefficients of its pictures and a recipe, byte for byte.

A file may hold several pictures: thumbnails within segments, previews behind the end of the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.jpeg import recipe as recipes
from bitswap_cli.images.formats.jpeg import scan as scans
from bitswap_cli.images.formats.jpeg.frame import (
    MOST_VISITS,
    SOI,
    Frame,
    NotJpeg,
    Parsed,
    Scan,
    parse,
)
from bitswap_cli.images.formats.jpeg.notes import Coefficients, Notes, Unwritable
from bitswap_cli.images.formats.jpeg.recipe import MOST_CUT, Part, Stream, Told

BEGINNING = SOI + b"\xff"
_MOST_TRIES = 16  # places that look like the beginning of a picture and are not
_BLOCKS_A_BYTE = 32  # of its scans at most; else it breaks off too early to be worth it

Steps = dict[int, tuple[int, ...]]


class Picture(NamedTuple):
    """One picture of a file."""

    frame: Frame
    quantization: Steps
    """Tables by their numbers, 64 steps each in zigzag order."""
    coefficients: Coefficients
    """Of each component, int16 (rows, columns, 64), in zigzag order."""


class Jpeg(NamedTuple):
    """A file split into pictures and recipe."""

    pictures: list[Picture]
    """The first is the one that is shown; those within another one follow it."""
    recipe: bytes


def split(data: bytes) -> Jpeg | None:
    """Split a file into pictures and recipe, if it can be written again from them.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    Jpeg or None
        None if it does not begin with a JPEG, or with one that is kept as it is: arithmetic,
        lossless or hierarchical coding, height told behind the scan, too large, broken early, or by
        a writer that cannot be followed.
    """
    if not data.startswith(BEGINNING):
        return None
    splitter = _Splitter(data)
    stream = splitter.stream(0, len(data), depth=0)
    if not isinstance(stream[0], Part):
        return None
    return Jpeg(splitter.pictures, recipes.pack(stream))


class _Splitter:
    """Splits a file, and keeps account of what that takes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pictures: list[Picture] = []
        self.tries = _MOST_TRIES
        self.room = recipes.MOST_SIZE - len(data)
        self.visits = MOST_VISITS

    def stream(self, start: int, stop: int, depth: int) -> Stream:
        """Find the pictures between start and stop."""
        stream: Stream = []
        at = look = start
        while self.tries and len(self.pictures) < recipes.MOST_PICTURES:
            look = self.data.find(BEGINNING, look, stop)
            if look < 0:
                break
            found = self.picture(look, stop, depth)
            if found is None:
                self.tries -= 1
                look += len(BEGINNING)
                continue
            part, end = found
            stream += [self.data[at:look], part] if at < look else [part]
            at = look = end
        return [*stream, self.data[at:stop]] if at < stop else stream

    def picture(self, start: int, stop: int, depth: int) -> tuple[Part, int] | None:
        """Split the picture that begins at `start`; also tell where it ends."""
        try:
            parsed = parse(self.data, start, stop)
        except NotJpeg:
            return None
        size = parsed.samples
        bytes_of_scans = sum(scan.end - scan.start for scan in parsed.scans)
        if size > min(self.room, 64 * _BLOCKS_A_BYTE * bytes_of_scans):
            return None
        self.visits -= parsed.visits
        if self.visits < 0:
            return None
        components = parsed.frame.components
        coefficients = [np.zeros((c.rows, c.columns, 64), np.int16) for c in components]
        told = _told(self.data, parsed, coefficients)
        if told is None or 2 * sum(len(own.rest) for own in told if own) > bytes_of_scans + 2:
            return None
        self.room -= size
        count = len(self.pictures)
        self.pictures.append(Picture(parsed.frame, parsed.quantization, coefficients))
        part = self.cut(start, parsed, told, depth)
        if part is None:
            del self.pictures[count:]
            return None
        return part, parsed.end

    def cut(self, start: int, parsed: Parsed, told: list[Told | None], depth: int) -> Part | None:
        """Cut scans and pictures within segments out of a picture, if what is left tells where."""
        cuts: list[tuple[int, int, Stream]] = [(s.start, s.end, []) for s in parsed.scans]
        for first, last in parsed.applications if depth < recipes.MOST_DEPTH else ():
            within = self.stream(first, last, depth + 1)
            if any(isinstance(piece, Part) for piece in within):
                cuts.append((first, last, within))
        skeleton, at = bytearray(), start
        inserted: list[tuple[int, Stream]] = []
        places: list[int] = []
        for first, last, within in sorted(cuts, key=lambda cut: cut[:2]):
            skeleton += self.data[at:first]
            if within:
                inserted.append((len(skeleton), within))
            else:
                places.append(len(skeleton))
            at = last
        skeleton += self.data[at : parsed.end]
        again = parse(bytes(skeleton))
        moved = zip(parsed.scans, places, strict=True)
        scans_there = [scan._replace(start=place, end=place) for scan, place in moved]
        if (again.frame, again.quantization) != (parsed.frame, parsed.quantization):
            return None
        if (again.scans, again.end) != (scans_there, len(skeleton)):
            return None
        return Part(again, bytes(skeleton), told, inserted)


def _told(data: bytes, parsed: Parsed, coefficients: Coefficients) -> list[Told | None] | None:
    """Read all scans; return what there is besides, or None if one cannot be written again."""
    frame = parsed.frame
    read = [scans.read(frame, scan, data, coefficients) for scan in parsed.scans]
    told: list[Told | None] = []
    for scan, notes in zip(parsed.scans, read, strict=True):
        if _is_plain(data, frame, scan, coefficients, notes):
            told.append(None)
            continue
        own = _proved(data, frame, scan, coefficients, notes)
        if own is None:
            return None
        told.append(own)
    return told


def _is_plain(
    data: bytes, frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes
) -> bool:
    """Whether a scan is whole and has nothing of its own."""
    plain, size = recipes.plain(frame, scan), scan.end - scan.start
    if (notes.units, notes.restarts) != (
        plain.units,
        plain.restarts,
    ) or size > notes.end + MOST_CUT:
        return False
    return scans.compare(frame, scan, data, coefficients, plain) == size


def _proved(
    data: bytes, frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes
) -> Told | None:
    """What gives the data of a scan back, if it is proved to."""
    padding = notes.padding
    if padding is not None and padding.count(255) == len(padding):
        padding = None
    for runs in (None, notes.runs):
        known = Notes(notes.units, notes.restarts, 0, 0, padding, runs, notes.odd)
        end = scan.start + notes.end
        length = scans.compare(frame, scan._replace(end=end), data, coefficients, known)
        if length is not None:
            return Told(known, length - notes.end, data[end : scan.end])
    return None


def outlines(recipe: bytes) -> list[tuple[Frame, Steps]]:
    """Return frame and quantization of each picture; raise `ArchiveError` if malformed."""
    found = [part.parsed for part in recipes.parts(recipes.unpack(recipe))]
    return [(parsed.frame, parsed.quantization) for parsed in found]


def join(recipe: bytes, coefficients: Sequence[Coefficients]) -> bytes:
    """Write the file again.

    Parameters
    ----------
    recipe : bytes
        Of `split`.
    coefficients : sequence of lists of int16 arrays (rows, columns, 64)
        Of each picture.

    Raises
    ------
    ArchiveError
        If recipe and coefficients do not belong together.
    """
    stream = recipes.unpack(recipe)
    shapes = [
        [(c.rows, c.columns, 64) for c in part.parsed.frame.components]
        for part in recipes.parts(stream)
    ]
    if [[blocks.shape for blocks in own] for own in coefficients] != shapes:
        raise _unfit()
    return b"".join(_pieces(stream, iter(coefficients)))


def _unfit() -> ArchiveError:
    return ArchiveError("the archive holds a JPEG whose recipe does not fit its coefficients")


def _pieces(stream: Stream, coefficients: Iterator[Coefficients]) -> Iterator[bytes | memoryview]:
    """Yield what a stream is made of, in the order of the file."""
    for piece in stream:
        if isinstance(piece, bytes):
            yield piece
            continue
        own, frame, at = next(coefficients), piece.parsed.frame, 0
        cuts: list[tuple[int, int, Scan | Stream, Told | None]] = [
            *(
                (s.start, 0, s, told)
                for s, told in zip(piece.parsed.scans, piece.told, strict=True)
            ),
            *((offset, 1, within, None) for offset, within in piece.inserted),
        ]
        for offset, _, cut, told in sorted(cuts, key=lambda cut: cut[:2]):
            yield piece.skeleton[at:offset]
            at = offset
            if isinstance(cut, Scan):
                yield from _body(frame, cut, own, told)
            else:
                yield from _pieces(cut, coefficients)
        yield piece.skeleton[at:]


def _body(
    frame: Frame, scan: Scan, coefficients: Coefficients, told: Told | None
) -> Iterator[bytes | memoryview]:
    notes, cut, rest = told or Told(recipes.plain(frame, scan), 0, b"")
    try:
        body = scans.write(frame, scan, coefficients, notes)
    except Unwritable:
        raise _unfit() from None
    if cut > len(body):
        raise _unfit()
    yield body[: len(body) - cut]
    yield rest
