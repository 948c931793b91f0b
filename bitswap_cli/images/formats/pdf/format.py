"""Images of PDF files as a format: a dictionary, and a stream up to its end."""

from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.pdf import flate
from bitswap_cli.images.formats.pdf.image import (
    BEGINNING,
    END,
    FAX,
    FLATE,
    LINES,
    Image,
    read_image,
)
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.packings import fax
from bitswap_cli.images.picture import MAX_LARGE, Picture, Recipe, is_held

_LARGE = 1 << 20  # bytes of a facsimile that may be large
_FAX = Kind(
    "fax", 48, exact=True, plain=False, common=True, feature="fax",
    large=lambda head, size: size > _LARGE and read_image(head) is not None,
)  # fmt: skip
_FLATE = Kind("flate", 49, exact=True, plain=False, common=True, feature="flate")
_CODINGS = (
    fax.T6,
    fax.T6._replace(aligned=True),
    *fax.t4(tagged=False),
    *fax.t4(tagged=True),
    fax.BYTES_OF_LENGTHS,
    fax.BYTES_OF_LENGTHS._replace(aligned=False),
)

MAGIC: Sequence[bytes] = (BEGINNING,)
KINDS: Sequence[Kind] = (_FAX, _FLATE)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`. In "fax", white is 255; samples of "flate" are as they are stored."""
    image = read_image(data)
    if image is None or image.filter != (FAX if kind == _FAX.name else FLATE):
        return None
    end = data.rfind(END) if data.endswith(END) else len(data)
    for line in LINES:
        stop = end - len(line)
        if stop > image.start and data[stop:end] == line:
            stream = data[image.start : stop]
            found = _rows(stream, image) if kind == _FAX.name else flate.take(stream, image)
            if found is not None:
                told = b"".join([*map(varint, found[0].shape), found[1]])
                return Picture(found[0], Recipe(kind, data[: image.start], data[stop:], told))
    return None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    pixels, told = samples.view(np.uint8), _told(recipe, samples)
    if recipe.kind == _FLATE.name:
        stream = flate.give(pixels, told)
    else:
        reader = Reader(told)
        if pixels.shape[2] != 1 or np.any((pixels != 0) & (pixels != 255)):
            raise misfit(recipe)
        stream = fax.give((pixels[..., 0] == 0).view(np.uint8), reader)
        if reader.rest():
            raise misfit(recipe)
    return b"".join([recipe.prefix, stream, recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: samples that are indices as they are."""
    pixels = samples.view(np.uint8)
    told = _told(recipe, samples)
    deep = recipe.kind == _FLATE.name and flate.how(told)[0] == 16
    return whole(pixels) if deep else pixels


def may_be(data: bytes) -> bool:
    """Tell whether a file is such an image, as far as it can be told without a description."""
    image = read_image(data)
    if image is None or image.filter == FAX:
        return image is not None and split(data, _FAX.name) is not None
    return flate.head_of(data[image.start :], image) is not None


def _told(recipe: Recipe, samples: Samples) -> bytes:
    """Return what is told of a stream; raise `ArchiveError` if it is of other samples."""
    reader = Reader(recipe.description)
    if tuple(reader.varint() for _ in range(3)) != samples.shape:
        raise misfit(recipe)
    return reader.rest()


def _rows(stream: bytes, image: Image) -> tuple[Samples, bytes] | None:
    """Return the pixels of a facsimile, and a description."""
    most, worth = image.height or MAX_LARGE // image.width, fax.BLANK * len(stream) // image.width
    if not is_held(most, image.width, 1, large=True):
        return None
    found = fax.take(stream, min(most, worth + 1), image.width, _CODINGS)
    if found is None or len(found[0]) > worth:  # nearly blank: a file may have thousands
        return None
    return (1 - found[0][..., None]) * np.uint8(255), found[1]
