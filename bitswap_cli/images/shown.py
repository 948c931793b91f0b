"""The samples that a file shows, whichever way its pixels were coded."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bitswap_cli.errors import InputError
from bitswap_cli.images.formats.format import Pixels
from bitswap_cli.images.formats.register import START, beginning, find
from bitswap_cli.images.picture import Picture

# What Pillow may have decoded an image to, and what has the same samples as an array.
_MODES = {"1": "L", "P": "RGB", "PA": "RGBA"}
_ARRAYS = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")


def shown(picture: Picture) -> Pixels:
    """Return the samples that a picture shows, see `Format.shown`."""
    pixels, recipe = picture
    return find(recipe.kind)[0].shown(recipe, pixels)


def read_samples(data: bytes) -> Pixels:
    """Return the samples that a file shows, of whatever format; of several frames, the first.

    Returns
    -------
    uint8 or uint16 array (H, W, C)
        As `Format.shown` returns them; C is 4 for CMYK, too.

    Raises
    ------
    InputError
        If it is no picture that can be decoded, or has samples of more than 16 bits.
    """
    for form in beginning(data[:START]):
        for kind in form.KINDS:
            # A description shows nothing, and takes time.
            picture = None if kind.described else form.split(data, kind.name)
            if picture is not None:
                return shown(picture).copy()  # else the whole file would live on in it
    from PIL import Image  # deferred: it takes time, and few files have need of it

    try:
        with _quiet(), Image.open(io.BytesIO(data)) as image:
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


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing be said of metadata that are damaged: pixels are all that is asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
