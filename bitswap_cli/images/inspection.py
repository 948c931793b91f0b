"""Files <-> pictures: which files can be restored from their pixels, and how."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import png, raster
from bitswap_cli.images.picture import KINDS, MAX_RECIPE, PLAIN, Picture, Recipe, is_exact


def looks_like_picture(start: bytes) -> bool:
    """Tell from a file's first bytes whether `inspect` or `inspect_wide` may find a picture."""
    return start[:2] in (b"BM", b"P5", b"P6") or start[:8] == b"\x89PNG\r\n\x1a\n"


def inspect(data: bytes) -> Picture | None:
    """Split a file into pixels and recipe, if it can be restored from them.

    The content decides, not a name: 8-bit gray or RGB without transparency in PNG (one frame), BMP
    (24-bit, or 8-bit with the plain gray palette; uncompressed), PGM (P5) and PPM (P6) with maxval
    255. The file is rebuilt and compared before it is called a picture.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    Picture or None
        Of a kind in `PLAIN`; None if the file should be kept byte for byte, be it broken, foreign
        or too large.
    """
    return next(_found(data, PLAIN), None)


def inspect_wide(data: bytes) -> list[Picture]:
    """Split a file into pixels and recipe in every way that only newer archives can hold.

    These are PNG of one frame with any depth and colour type that `inspect` has no kind for, and
    PGM and PPM of two bytes a sample. A palette image is seen by its indices and, where they can
    be found again, by the colours they stand for. Each way is proved as in `inspect`.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    list of Picture
        None, one or two, of different kinds, in the order of `KINDS`. Pixels are a uint8 array
        (H, W, C), C the bytes of a pixel. Samples of 16 bits have all their high bytes first;
        gray of fewer than 8 bits is scaled to 0..255; indices are as they are.
    """
    return list(_found(data, KINDS[len(PLAIN) :]))


def _found(data: bytes, kinds: tuple[str, ...]) -> Iterator[Picture]:
    """Yield a file as a picture of each of these kinds it can be restored from."""
    if not looks_like_picture(data):
        return
    family = {b"BM": "bmp", b"\x89P": "png"}.get(data[:2], "pnm")
    for kind in kinds:
        if kind.startswith(family):
            picture = _split(data, kind)
            if picture is not None and _comes_back(picture, data):
                yield picture


def _split(data: bytes, kind: str) -> Picture | None:
    return png.split(data, kind) if kind.startswith("png") else raster.split(data, kind)


def decode(data: bytes, kind: str) -> Picture | None:
    """Split a file into pixels and recipe as a picture of one of `KINDS`, without the proof that it
    can be restored from them; None if it is no such picture."""
    return _split(data, kind)


def _comes_back(picture: Picture, data: bytes) -> bool:
    """Tell whether a recipe is short enough and the file it leads to is as good as this one."""
    pixels, recipe = picture
    if len(recipe.prefix) + len(recipe.suffix) > MAX_RECIPE:
        return False
    if is_exact(recipe.kind):
        return rebuild(recipe, pixels) == data
    again = _split(png.join(recipe, pixels, level=1), recipe.kind)
    return again is not None and again.recipe == recipe and np.array_equal(again.pixels, pixels)


def rebuild(recipe: Recipe, pixels: NDArray[np.uint8]) -> bytes:
    """Put pixels back into a file.

    Parameters
    ----------
    recipe : Recipe
        Of `inspect` or `inspect_wide`.
    pixels : uint8 array (H, W, C)

    Returns
    -------
    bytes
        The file: equal to the original for BMP, PGM and PPM; for PNG equal in its pixels and in
        every chunk but IDAT.

    Raises
    ------
    ArchiveError
        If recipe and pixels do not belong together.
    """
    if recipe.kind not in KINDS:
        raise ArchiveError("the archive holds a picture of an unknown kind")
    join = png.join if recipe.kind.startswith("png") else raster.join
    return join(recipe, pixels)
