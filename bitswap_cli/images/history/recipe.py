"""What gives a picture's file back besides coefficients, and its bytes in an archive.

docs/format.md says how it is written down.
"""

import zlib
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, TypeGuard

import msgpack
import numpy as np
from numpy.typing import NDArray

from bitswap_cli.coefficients import Component
from bitswap_cli.contract import BYTES
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.corrections import columns, layers
from bitswap_cli.images.corrections.state import Grid
from bitswap_cli.images.formats import register
from bitswap_cli.images.history.decoder import SAMPLINGS, Decoder, Origin, colours_of, shown
from bitswap_cli.images.history.tables import quality_of, standard
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.orientation import ORIENTATIONS, turn, turn_back, turned_shape
from bitswap_cli.images.picture import MAX_PIXELS, MAX_RECIPE, Picture, Recipe

_MOST_MARGIN = 255  # pixels of a JPEG beyond an edge of the picture
_TURN = 8  # what an orientation adds to how a picture was decoded
_DECODER = _TURN * ORIENTATIONS  # and another decoder
_BY = {
    Decoder.LIBJPEG: "",
    Decoder.FAST: ", decoded fast",
    Decoder.WIDE: ", decoded by libjpeg 7 or later",
    Decoder.FFMPEG: ", decoded by FFmpeg",
    Decoder.FFMPEG_PLAIN: ", decoded by FFmpeg",
}
Coefficients = Sequence[NDArray[np.int16]]


class Told(NamedTuple):
    """What an archive tells of a picture that was a JPEG."""

    recipe: Recipe
    height: int
    """Of the picture."""
    width: int
    origin: Origin
    corrections: bytes | list[bytes]
    """Where pixels differ from decoded ones, and by what: columns, or two layers; none, if
    empty."""
    checksum: int
    """CRC-32 of the pixels."""
    alpha: int | None
    """That of all pixels, if they have any."""


def pack(picture: Picture, origin: Origin, coefficients: Coefficients) -> bytes:
    """Write what gives a picture's file back besides coefficients.

    What is corrected asks for the feature `CORRECTED` of an archive.
    """
    pixels, recipe = np.ascontiguousarray(picture.pixels, np.uint8), picture.recipe
    height, width, channels = pixels.shape
    told = _corrections(origin, coefficients, pixels[:, :, : len(origin.steps)])
    rows, across, _ = turned_shape(pixels.shape, origin.orientation)
    below = origin.height - origin.top - rows
    right = origin.width - origin.left - across
    manner = 2 * SAMPLINGS.index(origin.sampling) + origin.fancy
    how = _DECODER * origin.decoder + _TURN * origin.orientation + manner
    tables = [_packed_table(steps, k > 0) for k, steps in enumerate(origin.steps)]
    if len(tables) == 3 and tables[1] == tables[2]:
        tables.pop()
    packed: bytes = msgpack.packb(
        [
            register.kind_of(recipe.kind).number, *recipe[1:],
            height, width, [origin.top, below, origin.left, right],
            how, len(origin.steps), tables, told,
            zlib.crc32(pixels.data), *([int(pixels[0, 0, -1])] if channels % 2 == 0 else []),
        ],
        use_bin_type=True,
    )  # fmt: skip
    return packed


def _grid(origin: Origin) -> Grid:
    return Grid(origin.top, origin.left, *origin.sampling, linked=True)


def _corrections(
    origin: Origin, coefficients: Coefficients, pixels: NDArray[np.uint8]
) -> bytes | list[bytes]:
    planes = shown(origin, coefficients, *pixels.shape[:2])
    laid = np.ascontiguousarray(turn(pixels, origin.orientation))
    told = layers.told(laid, planes, partial(colours_of, origin), _grid(origin))
    return told if any(told) else b""


def _packed_table(steps: NDArray[np.int32], chroma: bool) -> int | bytes:
    quality = quality_of(steps, chroma)
    return steps.astype(np.uint8).tobytes() if quality is None else quality


def unpack(packed: bytes) -> Told:
    """Read what `pack` wrote, and check all of it.

    Raises
    ------
    ArchiveError
        If it is malformed, or of more than a picture can be.
    """
    try:
        found = msgpack.unpackb(packed, raw=False)
    except (ValueError, msgpack.UnpackException):
        raise _malformed() from None
    match found:
        case [
            int(number), bytes(prefix), bytes(suffix), bytes(description),
            int(height), int(width), [int(top), int(below), int(left), int(right)],
            int(how), 1 | 3 as components, [*tables], wrong, int(checksum), *alpha,
        ] if 0 < height <= MAX_PIXELS and 0 < width <= MAX_PIXELS // height:  # fmt: skip
            kinds = [kind for kind in register.kinds() if kind.number == number]
            margins = all(0 <= margin <= _MOST_MARGIN for margin in (top, below, left, right))
            corrected = sum(map(len, _layers(wrong)))
            few = len(prefix) + len(suffix) + len(description) + corrected <= MAX_RECIPE
            steps = _tables(tables, components)
            (by, turned), manner = divmod(how, _DECODER), how % _TURN
            orientation = turned // _TURN
            known = kinds and kinds[0].alphabet == BYTES and 0 <= by < len(Decoder)
            if known and manner < 2 * len(SAMPLINGS) and margins and few and steps:
                sampling = SAMPLINGS[manner // 2]
                rows, columns, _ = turned_shape((height, width, components), orientation)
                size = top + rows + below, left + columns + right
                origin = Origin(
                    *size, top, left, sampling, bool(manner % 2), steps, orientation, Decoder(by)
                )
                fits = origin.wide == (by == Decoder.WIDE) and not (
                    origin.fancy and by > Decoder.FAST and sampling[1] > 1
                )
                if (components == 3 or sampling == (1, 1)) and fits and _is_alpha(alpha):
                    recipe = Recipe(kinds[0].name, prefix, suffix, description)
                    same = alpha[0] if alpha else None
                    return Told(recipe, height, width, origin, wrong, checksum, same)
    raise _malformed()


def _tables(packed: list[object], components: int) -> tuple[NDArray[np.int32], ...] | None:
    """Return the tables of components; the second may serve both chroma."""
    tables = []
    for k, table in enumerate(packed):
        match table:
            case int(quality) if 1 <= quality <= 100:
                tables.append(standard(k > 0)[quality])
            case bytes(steps) if len(steps) == 64 and 0 not in steps:
                tables.append(np.frombuffer(steps, np.uint8).astype(np.int32))
    if len(tables) == len(packed) == 2 and components == 3:
        tables.append(tables[1])
    return tuple(tables) if len(tables) == components and len(packed) <= components else None


def _layers(told: object) -> list[bytes]:
    """Return columns as one layer, or two others."""
    match told:
        case bytes():
            return [told]
        case [bytes(first), bytes(second)] if first or second:
            return [first, second]
    raise _malformed()


def _is_alpha(told: list[object]) -> TypeGuard[list[int]]:
    """Tell whether this is no alpha, or one."""
    return not told or (len(told) == 1 and type(told[0]) is int and 0 <= told[0] <= 255)


def _malformed() -> ArchiveError:
    return ArchiveError("the archive holds a picture that was a JPEG, whose recipe is malformed")


def outlines(packed: bytes) -> list[list[Component]]:
    """Return the frames of a recipe's pictures, of which there is one; raise `ArchiveError` if
    malformed."""
    return [unpack(packed).origin.frame()]


def join(packed: bytes, pictures: Sequence[Coefficients]) -> bytes:
    """Write the file again.

    Raises
    ------
    ArchiveError
        If recipe and coefficients do not belong together.
    """
    told = unpack(packed)
    return rebuild(told.recipe, pixels_of(told, pictures))


def pixels_of(told: Told, pictures: Sequence[Coefficients]) -> NDArray[np.uint8]:
    """Return a picture's pixels; raise `ArchiveError` if recipe and coefficients do not fit."""
    shapes = [(c.rows, c.columns, 64) for c in told.origin.frame()]
    if [[own.shape for own in picture] for picture in pictures] != [shapes]:
        raise _malformed()
    colours = partial(colours_of, told.origin)
    planes = shown(told.origin, pictures[0], told.height, told.width)
    if isinstance(told.corrections, bytes):
        pixels = turn_back(colours(planes), told.origin.orientation)
        pixels = columns.corrected(np.ascontiguousarray(pixels), told.corrections)
    else:
        pixels = layers.corrected(planes, colours, _grid(told.origin), told.corrections)
        pixels = np.ascontiguousarray(turn_back(pixels, told.origin.orientation))
    if told.alpha is not None:
        alpha = np.full((*pixels.shape[:2], 1), told.alpha, np.uint8)
        pixels = np.concatenate([pixels, alpha], axis=2)
    if zlib.crc32(pixels.data) != told.checksum:
        raise ArchiveError("the archive holds a picture that was a JPEG, and is another one now")
    return pixels


def was(packed: bytes) -> str:
    """Say what a picture was: ``quality 80, 4:4:4``; then, maybe, how it was decoded and turned."""
    told = unpack(packed)
    steps = told.origin.steps
    number = quality_of(steps[0])
    fits = number and all(np.array_equal(standard(True)[number], own) for own in steps[1:])
    quality = f"quality {number}" if fits else "tables of its own"
    names = {(1, 1): "4:4:4", (1, 2): "4:2:2", (2, 2): "4:2:0"}
    sampling = names[told.origin.sampling] if len(steps) == 3 else "gray"
    turned = ", turned" if told.origin.orientation else ""
    return f"{quality}, {sampling}{_BY[told.origin.decoder]}{turned}"
