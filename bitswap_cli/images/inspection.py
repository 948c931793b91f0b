"""Files <-> pictures: which files can be restored from their pixels, and how."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import png, raster
from bitswap_cli.images.picture import KINDS, MAX_RECIPE, Picture, Recipe, is_exact


def looks_like_picture(start: bytes) -> bool:
    """Tell from its first bytes whether `inspect` may find a picture in a file."""
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
        None if the file should be kept byte for byte, be it broken, foreign or too large.
    """
    if not looks_like_picture(data):
        return None
    picture = png.split(data) if data[:1] == b"\x89" else raster.split(data)
    if picture is None or len(picture.recipe.prefix) + len(picture.recipe.suffix) > MAX_RECIPE:
        return None
    if is_exact(picture.recipe.kind):
        return picture if rebuild(picture.recipe, picture.pixels) == data else None
    again = png.split(png.join(picture.recipe, picture.pixels, level=1))
    if again is None or again.recipe != picture.recipe:
        return None
    return picture if np.array_equal(again.pixels, picture.pixels) else None


def rebuild(recipe: Recipe, pixels: NDArray[np.uint8]) -> bytes:
    """Put pixels back into a file.

    Parameters
    ----------
    recipe : Recipe
        Of `inspect`.
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
    join = png.join if recipe.kind == "png" else raster.join
    return join(recipe, pixels)
