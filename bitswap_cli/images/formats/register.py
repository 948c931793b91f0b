"""The formats that this program knows: a new one is a module and a line here."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.makers import MAKERS
from bitswap_cli.images.formats import high_bits, ico, qoi, ranks
from bitswap_cli.images.formats.arrays import idx, labelled, npy, npz, planar
from bitswap_cli.images.formats.format import WIDE, Format, Kind, Shape
from bitswap_cli.images.formats.gif import format as gif
from bitswap_cli.images.formats.lattice import format as lattice
from bitswap_cli.images.formats.pdf import format as pdf
from bitswap_cli.images.formats.png import animated as apng
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.rasters import bare, bmp, plain, pnm, tga
from bitswap_cli.images.formats.tiff import format as tiff

START = 16
"""Bytes at the beginning of a file that tell its format."""

HEAD = 1 << 12
"""Bytes at the beginning of a file that tell which kinds of pictures it may be."""

FORMATS: dict[str, Format] = {
    "png": png,
    "apng": apng,
    "bmp": bmp,
    "pnm": pnm,
    "plain": plain,
    "bare": bare,
    "planar": planar,
    "labelled": labelled,
    "npy": npy,
    "npz": npz,
    "idx": idx,
    "qoi": qoi,
    "tga": tga,
    "gif": gif,
    "tiff": tiff,
    "pdf": pdf,
    "ico": ico,
    "lattice": lattice,
    "high-bits": high_bits,
    "ranks": ranks,
}


class _Tables(NamedTuple):
    """What is looked up in them, often many times for a file."""

    beginnings: list[list[tuple[Format, tuple[bytes, ...]]]]
    """By the first byte, how files of formats begin."""
    named: dict[str, tuple[Format, Kind]]
    """Kinds by their names, with the formats that they are of."""
    numbered: list[Kind]
    """Kinds in the order of their numbers."""


@cache
def tables() -> _Tables:
    """Return what is looked up; whoever changes `FORMATS` clears the cache."""
    named = {kind.name: (form, kind) for form in FORMATS.values() for kind in form.KINDS}
    numbered = sorted((kind for _, kind in named.values()), key=lambda kind: kind.number)
    begins: list[list[tuple[Format, tuple[bytes, ...]]]] = [[] for _ in range(256)]
    for form in FORMATS.values():
        by_first: dict[int, list[bytes]] = {}
        for magic in form.MAGIC:
            by_first.setdefault(magic[0], []).append(magic)
        for first, some in by_first.items():
            begins[first].append((form, tuple(some)))
    return _Tables(begins, named, numbered)


def beginning(start: bytes) -> list[Format]:
    """Return the formats whose files begin so, told by their first `START` bytes."""
    likely = tables().beginnings[start[0]] if start else ()
    return [form for form, magic in likely if start.startswith(magic)]


def features(names: Iterable[str]) -> set[str]:
    """Return the features, but for that of wide pictures, of archives that can hold kinds of
    pictures."""
    told = [kind_of(name) for name in names]
    return {kind.feature for kind in told if not kind.plain and kind.feature != WIDE}


def features_of_makers() -> set[str]:
    """Return the features of archives in which descriptions may name makers of later versions."""
    return set(MAKERS)


def every_feature() -> set[str]:
    """Return the features of archives that can hold all that this program makes of files."""
    return MAKERS.union(kind.feature for kind in kinds() if not kind.plain)


def may_be_large(head: bytes, size: int) -> bool:
    """Tell whether a file may be a large picture that is held as a whole, told by its first `HEAD`
    bytes and how many it has."""
    kinds = [kind for form in beginning(head[:START]) for kind in form.KINDS]
    layouts = [kind.rows(head) for kind in kinds if kind.rows]
    if any(layout and layout.fits for layout in layouts):
        return True
    every = {kind.large for kind in kinds}
    return any(large(head, size) for large in every if large is not None)


def kinds() -> Sequence[Kind]:
    """Return all kinds of pictures, in the order of their numbers."""
    return tables().numbered


def find(name: str) -> tuple[Format, Kind]:
    """Return a kind and the format that it is of; raise `ArchiveError` if there is none."""
    found = tables().named.get(name)
    if found is None:
        raise ArchiveError("the archive holds a picture of an unknown kind")
    return found


def kind_of(name: str) -> Kind:
    """Return the kind of a name; raise `ArchiveError` if there is none."""
    return find(name)[1]


def is_described(name: str) -> bool:
    """Whether pictures of a kind have descriptions, without which their files are made sooner; what
    is no such kind has none."""
    found = tables().named.get(name)
    return found is not None and found[1].described


def is_inexact(name: str) -> bool:
    """Whether pictures of a kind come back by their pixels, in files whose bytes may be others."""
    found = tables().named.get(name)
    return found is not None and not found[1].exact


def shown_shape(name: str, shape: Shape) -> Shape:
    """Return the shape of what a picture shows, for that of its samples: another one in few kinds;
    the same in those that are none of these."""
    found = tables().named.get(name)
    return found[1].shows(shape) if found and found[1].shows else shape
