"""Planar pictures of one size, each behind its labels, as the binary versions of CIFAR-10 and
CIFAR-100 come (A. Krizhevsky, "The CIFAR-10 dataset", "Binary version")."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.arrays.planes import Planes
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.picture import Picture, Recipe

_LABELLED = "labelled"
MAGIC: Sequence[bytes] = ()
"""No byte is the same in all: see images/unheaded.py."""
KINDS: Sequence[Kind] = (
    Kind(_LABELLED, 248, exact=True, plain=False, common=True, feature="labelled"),
)
_FEWEST = 16  # pictures
_MOST = 16  # labels of one


class _Set(NamedTuple):
    """A data set that comes so."""

    classes: tuple[int, ...]
    """How many values each label of a picture has."""
    planes: Planes


_SETS = (_Set((10,), Planes(3, 32, 32)), _Set((20, 100), Planes(3, 32, 32)))


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`."""
    for classes, planes in _SETS:
        count, rest = divmod(len(data), len(classes) + planes.size)
        if rest or count < _FEWEST:
            continue
        records = np.frombuffer(data, np.uint8).reshape(count, -1)
        labels = records[:, : len(classes)]
        if (labels < np.array(classes)).all():
            pictures = np.ascontiguousarray(records[:, len(classes) :]).ravel()
            if planes.holds(pictures):
                told = [*map(varint, (*planes, len(classes))), labels.T.tobytes()]
                return Picture(planes.to_pixels(pictures), Recipe(kind, b"", b"", b"".join(told)))
    return None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    reader = Reader(recipe.description)
    planes = Planes(reader.varint(), reader.varint(), reader.varint())
    each, labels = reader.varint(), np.frombuffer(reader.rest(), np.uint8)
    height, *others = samples.shape
    if not planes.sound or others != [planes.width, planes.channels] or not 0 < each <= _MOST:
        raise misfit(recipe)
    count, rest = divmod(height, planes.height)
    if rest or recipe.prefix or recipe.suffix or len(labels) != count * each:
        raise misfit(recipe)
    pictures = np.frombuffer(planes.from_pixels(samples.view(np.uint8)), np.uint8)
    parts: list[NDArray[np.uint8]] = [labels.reshape(each, count).T, pictures.reshape(count, -1)]
    return np.concatenate(parts, axis=1).tobytes()


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures one below the other."""
    return samples.view(np.uint8)
