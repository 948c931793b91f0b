"""Arrays of planar pictures: NumPy's .npy, and pickles of arrays, as CIFAR-10 and CIFAR-100 come
(Python's documentation, pickletools; NumPy's, numpy.lib.format); and colours in SGI files.

Nothing is unpickled: an array is found by how pickles tell its axes and its bytes.
"""

import re
from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.arrays import npy_header
from bitswap_cli.images.formats.arrays.planes import Planes, of_axes, of_shape
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.picture import Picture, Recipe

_PLANAR = "planar"
_SGI = b"\x01\xda\0\1\0\3"  # not packed, of bytes, with three axes
_SGI_HEAD = 512
MAGIC: Sequence[bytes] = (npy_header.MAGIC, b"\x80\2", b"\x80\3", b"\x80\4\x95", _SGI)
KINDS: Sequence[Kind] = (
    Kind(
        _PLANAR, 30, exact=True, plain=False, common=True, feature="planar",
        large=lambda head, _: not head.startswith(npy_header.MAGIC),
    ),
)  # fmt: skip

# The version, 1, and 2 to 4 axes; what else an array has; its order, False; and its bytes.
_PICKLED = re.compile(
    rb"K\x01(\(?(?:K.|M..|J.{4}){2,4})[\x86\x87t].{16,160}?\x89[BT](.{4})", re.DOTALL
)
_AXIS = re.compile(rb"K(.)|M(..)|J(.{4})", re.DOTALL)


class _Array(NamedTuple):
    """An array of bytes, and where it lies in its file."""

    start: int
    shape: list[int]
    sure: bool = False
    """Whether nothing else may be laid so: its first axes are those of pictures or channels."""


def planes_in(data: bytes) -> tuple[int, int, Planes] | None:
    """Return where the first array of planar pictures begins and ends in a file, and how these lie;
    None if there is none."""
    for start, shape, sure in _arrays(data):
        planes, end = of_axes(shape) if sure else of_shape(shape), start + prod(shape)
        if planes is None or not start < end <= len(data):
            continue
        if sure and not planes.held(end - start):
            continue
        if sure or planes.holds(np.frombuffer(data, np.uint8, end - start, start)):
            return start, end, planes
    return None


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: of the first such array in the file."""
    found = planes_in(data)
    if found is None:
        return None
    return laid(data, *found)


def laid(data: bytes, start: int, end: int, planes: Planes) -> Picture:
    """Split a file into pictures that lie so in some of its bytes, and a recipe."""
    pixels = planes.to_pixels(np.frombuffer(data, np.uint8, end - start, start))
    description = b"".join(map(varint, planes))
    return Picture(pixels, Recipe(_PLANAR, data[:start], data[end:], description))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    reader = Reader(recipe.description)
    planes = Planes(reader.varint(), reader.varint(), reader.varint())
    height, *others = samples.shape
    if not (reader.done and planes.sound and others == [planes.width, planes.channels]):
        raise misfit(recipe)
    if height % planes.height:
        raise misfit(recipe)
    return b"".join([recipe.prefix, planes.from_pixels(samples.view(np.uint8)), recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures one below the other."""
    return samples.view(np.uint8)


def _arrays(data: bytes) -> Iterator[_Array]:
    """Yield the arrays of unsigned bytes of a file, in C order; of .npy, in Fortran's, too, and of
    booleans."""
    if data.startswith(npy_header.MAGIC):
        told = npy_header.read_any(data)
        if told and told.type in (b"|u1", b"|b1"):
            yield _Array(told.size, told.shape, told.other)
        return
    if data.startswith(_SGI):
        width, height, channels = (int.from_bytes(data[at : at + 2]) for at in (6, 8, 10))
        yield _Array(_SGI_HEAD, [channels, height, width], sure=True)
        return
    for match in _PICKLED.finditer(data):
        axes = [next(filter(None, groups)) for groups in _AXIS.findall(match[1])]
        shape = [int.from_bytes(axis, "little") for axis in axes]
        if prod(shape) == int.from_bytes(match[2], "little"):
            yield _Array(match.end(), shape)
