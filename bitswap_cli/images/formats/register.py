"""The formats that this program knows: a new one is a module and a line here."""

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats import bmp, pnm
from bitswap_cli.images.formats.format import Format, Kind
from bitswap_cli.images.formats.png import format as png

START = 16
"""Bytes at the beginning of a file that tell its format."""

FORMATS: dict[str, Format] = {
    "png": png,
    "bmp": bmp,
    "pnm": pnm,
}


def beginning(start: bytes) -> list[Format]:
    """Return the formats whose files begin so, told by their first `START` bytes."""
    return [form for form in FORMATS.values() if start.startswith(tuple(form.MAGIC))]


def kinds() -> list[Kind]:
    """Return all kinds of pictures, in the order of their numbers."""
    every = [kind for form in FORMATS.values() for kind in form.KINDS]
    return sorted(every, key=lambda kind: kind.number)


def find(name: str) -> tuple[Format, Kind]:
    """Return a kind and the format that it is of; raise `ArchiveError` if there is none."""
    for form in FORMATS.values():
        for kind in form.KINDS:
            if kind.name == name:
                return form, kind
    raise ArchiveError("the archive holds a picture of an unknown kind")


def kind_of(name: str) -> Kind:
    """Return the kind of a name; raise `ArchiveError` if there is none."""
    return find(name)[1]
