"""GIF as a format: its frames one below the other, by their indices or by their colours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.gif import blocks
from bitswap_cli.images.formats.gif.blocks import Frame, in_blocks, lengths_of, read_frames
from bitswap_cli.images.formats.palette import colours_of, indices_of, shown_by
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.packings import lzw
from bitswap_cli.images.picture import MAX_PIXELS, MAX_SAMPLES, Picture, Recipe

_INDICES = Kind("gif-indices", 19, exact=True, plain=False, feature="gif")
_COLOURS = Kind("gif-colours", 20, exact=True, plain=False, feature="gif")

MAGIC: Sequence[bytes] = blocks.MAGIC
KINDS: Sequence[Kind] = (_INDICES, _COLOURS)

_PASSES = (slice(0, None, 8), slice(4, None, 8), slice(2, None, 4), slice(1, None, 2))

Bytes = NDArray[np.uint8]


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "gif-indices" and "gif-colours" are the former or the latter, with alpha
    if anything is transparent. What is beside a frame narrower than others is zero."""
    frames = _frames(data, skeleton=False)
    if frames is None:
        return None
    channels = _channels(frames) if kind == _COLOURS.name else 1
    pixels = np.zeros((*_size(frames), channels), np.uint8)
    skeleton, description, at, top = [], [], 0, 0
    for frame in frames:
        stream, lengths = _stream(data[frame.end : frame.after])
        found = lzw.take(stream, frame.height * frame.width, frame.least)
        if found is None:
            return None
        indices = _in_order(found[0].reshape(frame.height, frame.width, 1), frame)
        seen = colours_of(indices, _palette(frame, channels)) if channels > 1 else indices
        if seen is None:
            return None
        pixels[top : top + frame.height, : frame.width] = seen
        skeleton.append(data[at : frame.end])
        description += [lengths, found[1]]
        at, top = frame.after, top + frame.height
    told, before = b"".join(description), b"".join([*skeleton, data[at:]])
    if len(told) + len(before) >= len(data):
        return None
    return Picture(pixels, Recipe(kind, before, b"", told))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    frames = _frames(recipe.prefix, skeleton=True)
    pixels, reader = samples.view(np.uint8), Reader(recipe.description)
    if frames is None or pixels.shape != (*_size(frames), _wanted(recipe.kind, frames)):
        raise misfit(recipe)
    parts, at, top = [], 0, 0
    for frame in frames:
        seen = pixels[top : top + frame.height, : frame.width]
        indices = _indices(recipe, frame, seen)
        lengths = _lengths(reader)
        stream = lzw.give(_as_stored(indices, frame), reader, frame.least)
        parts += [recipe.prefix[at : frame.end], in_blocks(stream, _whole(lengths, len(stream)))]
        at, top = frame.end, top + frame.height
    if reader.rest() or recipe.suffix:
        raise _damaged()
    return b"".join([*parts, recipe.prefix[at:]])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: all frames, one below the other."""
    pixels = samples.view(np.uint8)
    frames = _frames(recipe.prefix, skeleton=True)
    if frames is None or pixels.shape != (*_size(frames), _wanted(recipe.kind, frames)):
        raise misfit(recipe)
    if recipe.kind == _COLOURS.name:
        return pixels
    channels, top = _channels(frames), 0
    seen = np.zeros((*pixels.shape[:2], channels), np.uint8)
    for frame in frames:
        here = slice(top, top + frame.height), slice(frame.width)
        seen[here] = shown_by(pixels[here], _palette(frame, channels))
        top += frame.height
    return seen


def _damaged() -> ArchiveError:
    return ArchiveError("the archive holds a damaged description of a GIF file")


def _frames(data: bytes, *, skeleton: bool) -> list[Frame] | None:
    """Return the frames of a file, or of one without their data; None if they are too large."""
    frames = read_frames(data, skeleton=skeleton)
    if frames is None:
        return None
    height, width = _size(frames)
    most = min(MAX_PIXELS, MAX_SAMPLES // 4)
    return frames if height * width <= most else None


def _size(frames: Sequence[Frame]) -> tuple[int, int]:
    return sum(frame.height for frame in frames), max(frame.width for frame in frames)


def _channels(frames: Sequence[Frame]) -> int:
    """Of colours."""
    return 4 if any(frame.transparent >= 0 for frame in frames) else 3


def _wanted(kind: str, frames: Sequence[Frame]) -> int:
    return _channels(frames) if kind == _COLOURS.name else 1


def _palette(frame: Frame, channels: int) -> Bytes:
    """Return a frame's palette, with alpha if there are four channels."""
    if channels == 3:
        return frame.palette
    alpha = np.full((len(frame.palette), 1), 255, np.uint8)
    alpha[np.arange(len(alpha)) == frame.transparent] = 0
    return np.concatenate([frame.palette, alpha], axis=1)


def _indices(recipe: Recipe, frame: Frame, seen: Bytes) -> Bytes:
    if recipe.kind != _COLOURS.name:
        return seen
    indices = indices_of(seen, _palette(frame, seen.shape[2]))
    if indices is None:
        raise misfit(recipe)
    return indices


def _in_order(stored: Bytes, frame: Frame) -> Bytes:
    """Return rows from the top down."""
    if not frame.interlaced:
        return stored
    rows, at = np.empty_like(stored), 0
    for lines in _PASSES:
        count = len(rows[lines])
        rows[lines] = stored[at : at + count]
        at += count
    return rows


def _as_stored(rows: Bytes, frame: Frame) -> Bytes:
    """Invert `_in_order`, as one line."""
    if frame.interlaced:
        rows = np.concatenate([rows[lines] for lines in _PASSES])
    return np.ascontiguousarray(rows).reshape(-1)


def _stream(run: bytes) -> tuple[bytes, bytes]:
    """Return the stream that lies in blocks, and what tells their lengths: 255 if all but the last
    have as many bytes, or another such number; or 0, how many there are, and each."""
    lengths = lengths_of(run)
    usual = lengths[0] if len(lengths) > 1 else 255
    starts = np.cumsum([1, *(1 + length for length in lengths)]).tolist()
    stream = b"".join(run[at : at + length] for at, length in zip(starts, lengths, strict=False))
    if lengths == _whole([usual], len(stream)):
        return stream, bytes([usual])
    return stream, b"".join([b"\0", varint(len(lengths)), bytes(lengths)])


def _lengths(reader: Reader) -> list[int]:
    """Read what tells the lengths of blocks: one of them, or of all, behind a zero."""
    (usual,) = reader.take(1)
    return [usual] if usual else [0, *reader.take(reader.varint())]


def _whole(told: list[int], size: int) -> list[int]:
    """Return the lengths of blocks of a stream of some bytes; raise `ArchiveError` if they are not
    those."""
    if told[0]:
        rest = size % told[0]
        return [told[0]] * (size // told[0]) + [rest] * (rest > 0)
    if sum(told) != size or not all(told[1:]):
        raise _damaged()
    return told[1:]
