"""The samples that a file shows, whichever way its pixels were coded."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.errors import InputError
from bitswap_cli.images.inspection import decode, looks_like_picture
from bitswap_cli.images.picture import KINDS, Picture
from bitswap_cli.images.png_chunks import PALETTE, read_head, read_palette

Samples = NDArray[np.uint8] | NDArray[np.uint16]

# What Pillow may have decoded an image to, and what has the same samples as an array.
_MODES = {"1": "L", "P": "RGB", "PA": "RGBA"}
_ARRAYS = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")


def shown(picture: Picture) -> Samples:
    """Return the samples of a picture.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    uint8 or uint16 array (H, W, C)
        Of 16 bits where the file's samples are; a palette image by its colours, with alpha if the
        file has that; gray of fewer than 8 bits on the scale of 0..255. C is 1 or 3, and 1 more
        with alpha.
    """
    pixels, recipe = picture
    if recipe.kind == "pnm-16":
        return _joined(pixels)
    if recipe.kind == "png-samples":
        head = read_head(recipe.prefix)
        if head is not None and head.depth == 16:
            return _joined(pixels)
        palette = read_palette(recipe.prefix)
        if head is not None and head.colour == PALETTE and palette is not None:
            return _coloured(pixels, palette)
    return pixels


def read_samples(data: bytes) -> Samples:
    """Return the samples that a file shows, of whatever format; of several frames, the first.

    Returns
    -------
    uint8 or uint16 array (H, W, C)
        As `shown` returns them; C is 4 for CMYK, too.

    Raises
    ------
    InputError
        If it is no picture that can be decoded, or has samples of more than 16 bits.
    """
    for kind in KINDS if looks_like_picture(data) else ():
        picture = decode(data, kind)
        if picture is not None:
            return shown(picture).copy()  # else the whole file would live on in it
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            transparent = image.mode == "P" and "transparency" in image.info
            mode = "RGBA" if transparent else _MODES.get(image.mode, image.mode)
            array = np.array(image if mode == image.mode else image.convert(mode))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"it is no picture that can be decoded: {error}") from error
    if mode not in _ARRAYS:
        raise InputError(f"its samples (mode {mode} of Pillow) have more than 16 bits")
    array = array.reshape(*array.shape[:2], -1)
    return array.astype(np.uint16) if array.dtype.itemsize == 2 else array.astype(np.uint8)


def _joined(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return 16-bit samples of pixels that have all their high bytes first."""
    count = pixels.shape[2] // 2
    samples = pixels[..., :count].astype(np.uint16)
    samples <<= 8
    samples |= pixels[..., count:]
    return samples


def _coloured(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colours of indices (H, W, 1); those beyond the palette show black."""
    colours = np.zeros((256, palette.shape[1]), np.uint8)
    colours[:, 3:] = 255
    colours[: len(palette)] = palette
    return colours[indices[..., 0]]
