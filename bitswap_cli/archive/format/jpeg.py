"""Chunks of JPEG files, and of pictures that were: a table, recipes, messages with coefficients.

The pictures of all files of a chunk, in order, are cut into bands (images/bands.py), and these are
coded in messages, none of which needs another one. What is cut where follows from the recipes.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.sections import LENGTH, MAX_EXTRAS, after_table, framed
from bitswap_cli.archive.format.segments import (
    DECODED,
    DECODED_EXACT,
    DecodedFile,
    WholeSegment,
    WholeTable,
)
from bitswap_cli.archive.format.tables import no_twin, pack_whole_table
from bitswap_cli.archive.format.values.blobs import pack_blob, unpack_blob
from bitswap_cli.archive.format.values.columns import malformed
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.coefficients import BlockCodec, EncodedPictures, Frame
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import bands
from bitswap_cli.images.formats.jpeg import codec as files
from bitswap_cli.images.formats.jpeg.outline import outline
from bitswap_cli.images.history import recipe as history
from bitswap_cli.images.history.jpeg import as_jpeg, is_jpeg
from bitswap_cli.threads import Run

KINDS = (KIND, *_) = ("jpeg", DECODED_EXACT, DECODED)  # of its entries, by their numbers
MAX_BLOCKS = 1 << 22  # of all pictures of a chunk, 64 coefficients each
MAX_EXCESS = 1 << 25  # bytes of a message's excess, unpacked
"""Does what `map` does, perhaps at once and in several threads."""


class JpegFile(NamedTuple):
    """A file as it is coded."""

    kind: str
    recipe: bytes
    pictures: list[list[NDArray[np.int16]]]
    """Coefficients of each picture: of each component, (rows, columns, 64)."""

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return len(self.recipe) + sum(x.nbytes for own in self.pictures for x in own)

    @property
    def samples(self) -> int:
        """None: it is coded by its coefficients."""
        return 0

    def file(self, *, quick: bool = False) -> bytes:
        """Return the file, which nothing makes sooner; raise `ArchiveError` if recipe and
        coefficients do not fit."""
        join = files.join if self.kind == KIND else history.join
        return join(self.recipe, self.pictures)

    def was(self) -> bytes | None:
        """Return a JPEG that decodes to the same pixels; None of a file that is none, and where
        there is none. Raise `ArchiveError` if these are not the picture's pixels."""
        if self.kind == KIND:
            return None
        told = history.unpack(self.recipe)
        history.pixels_of(told, self.pictures)
        return as_jpeg(told, self.pictures[0])


def outlines(kind: str, recipe: bytes) -> list[Frame]:
    """Return the frames of a file's pictures; raise `ArchiveError` if its recipe is malformed."""
    if kind == KIND:
        return [outline(*told) for told in files.outlines(recipe)]
    return list(history.outlines(recipe))


def encode_jpegs(
    segments: Sequence[WholeSegment],
    recipes: Sequence[bytes],
    messages: Sequence[EncodedPictures],
) -> bytes:
    """Build the body of a JPEG chunk; twins are in no message."""
    told = pack_blob(pack_object(list(recipes)))
    parts = [(one.words, pack_blob(one.excess) if one.excess else b"") for one in messages]
    rest = pack_object([list(part) for part in parts])
    table = pack_whole_table(WholeTable(list(segments)), KINDS)
    return b"".join([framed(table), LENGTH.pack(len(told)), told, rest])


def decode_jpegs(
    codec: BlockCodec, table: WholeTable, body: bytes, run: Run
) -> Callable[[], list[DecodedFile]]:
    """Begin to invert `encode_jpegs`; what is returned waits for it.

    Parameters
    ----------
    codec : BlockCodec
    table : WholeTable
    body : bytes
    run : callable
        Decodes the messages.

    Raises
    ------
    ArchiveError
        Here or later, if anything is not as the table says.
    """
    recipes, messages = _parts(table, body)
    kinds = [segment.kind for segment in table.segments]
    outlined = [outlines(*told) for told in zip(kinds, recipes, strict=True)]
    told = [own for own, one in zip(outlined, table.segments, strict=True) if not one.twin]
    frames = [frame for own in told for frame in own]
    if sum(map(bands.blocks_of, frames)) > MAX_BLOCKS:
        raise ArchiveError("the archive holds a chunk of too many coefficients")
    found = _to_be_filled(table.segments, recipes, outlined)
    cuts = [bands.bands(frame) for frame in frames]
    coded = [one for one, row in zip(found, table.segments, strict=True) if not row.twin]
    pictures = [picture for one in coded for picture in one.pictures]
    places = [
        band
        for picture, own in zip(pictures, cuts, strict=True)
        for band in bands.cut(picture, own)
    ]
    narrow = [band for own in cuts for band in own]
    spans = bands.together(narrow)
    if len(spans) != len(messages):
        raise malformed()

    def decode(number: int) -> None:
        words, excess = messages[number]
        span = spans[number]
        decoded, payload = codec.decode(words, excess, narrow[span])
        if any(payload):
            raise ArchiveError("the archive holds a chunk whose initial bits are wrong")
        for band, x in zip(places[span], decoded, strict=True):
            for into, part in zip(band, x, strict=True):
                into[:] = part

    return partial(_whole, list[DecodedFile](found), run(decode, range(len(messages))))


def _to_be_filled(
    segments: Sequence[WholeSegment], recipes: Sequence[bytes], outlined: Sequence[list[Frame]]
) -> list[JpegFile]:
    """Return files whose coefficients are to come; twins have those of their originals."""
    found = list[JpegFile]()
    for row, (segment, recipe, own) in enumerate(zip(segments, recipes, outlined, strict=True)):
        original = row - segment.twin
        pictures = found[original].pictures[: len(own)] if segment.twin else []
        if not segment.twin:
            pictures = [[_nothing(c.rows, c.columns) for c in frame] for frame in own]
        elif len(pictures) < len(own) or not all(map(is_like, own, outlined[original])):
            raise no_twin(segment.name)
        found.append(JpegFile(segment.kind, recipe, pictures))
    return found


def is_like(frame: Frame, other: Frame) -> bool:
    """Tell whether pictures of two frames may have the same coefficients."""
    return [one[:3] for one in frame] == [one[:3] for one in other] and all(
        np.array_equal(one.steps, like.steps) for one, like in zip(frame, other, strict=True)
    )


def _whole(files: list[DecodedFile], decoded: Iterator[None]) -> list[DecodedFile]:
    for _ in decoded:
        pass
    return files


def _nothing(rows: int, columns: int) -> NDArray[np.int16]:
    return np.empty((rows, columns, 64), np.int16)


def were(table: WholeTable, body: bytes) -> dict[bytes, str]:
    """Return, by its name, which JPEG each picture of a chunk was that was one; nothing is decoded.

    Raises
    ------
    ArchiveError
        If the recipes are malformed.
    """
    return {name: history.was(recipe) for name, recipe in _histories(table, body)}


def become_jpegs(table: WholeTable, body: bytes) -> list[bytes]:
    """Return the names of the pictures of a chunk that `JpegFile.was` makes JPEGs of, as far as
    recipes tell; raise as `were` does."""
    told = _histories(table, body)
    return [name for name, recipe in told if is_jpeg(history.unpack(recipe))]


def _histories(table: WholeTable, body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the names and recipes of the pictures of a chunk that were JPEGs."""
    recipes, _ = _recipes(table, body)
    told = zip(table.segments, recipes, strict=True)
    return [(one.name, recipe) for one, recipe in told if one.kind != KIND]


def _parts(table: WholeTable, body: bytes) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """Return the recipes of a chunk, and words and excess of its messages."""
    recipes, end = _recipes(table, body)
    messages: list[tuple[bytes, bytes]] = []
    match unpack_object(body[end:], "chunk"):
        case [*rows]:
            for row in rows:
                match row:
                    case [bytes(words), bytes(excess)]:
                        excess = excess and unpack_blob(excess, MAX_EXCESS, "chunk")
                        messages.append((words, excess))
            if len(messages) == len(rows):
                return recipes, messages
    raise malformed()


def _recipes(table: WholeTable, body: bytes) -> tuple[list[bytes], int]:
    """Return the recipes of a chunk, and where they end."""
    start = after_table(body) + LENGTH.size
    if start > len(body):
        raise malformed()
    end = start + LENGTH.unpack_from(body, start - LENGTH.size)[0]
    match unpack_object(unpack_blob(body[start:end], MAX_EXTRAS, "recipes"), "recipes"):
        case [*told] if len(told) == len(table.segments):
            if all(isinstance(one, bytes) for one in told):
                return told, end
    raise malformed()
