"""What a file system tells of an entry beside its name, its bytes and its time of modification.

Every table has the same columns for it, whatever else its rows are made of. They tell it in the row
in which an entry begins, and nothing in the others.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bitswap_cli.archive.format.columns import Columns, pack_column
from bitswap_cli.archive.format.sections import MODES

MOST_MODE = 0o7777


class Attributes(NamedTuple):
    """What is told; what is not told is as the system makes it."""

    mode: int | None = None
    """Twelve bits of permission, as POSIX has them; None: not told."""


NONE = Attributes()


def pack_attributes(rows: Sequence[Attributes]) -> dict[str, object]:
    """Return the columns of a table that tell attributes, one of each row."""
    modes = [0 if row.mode is None else row.mode + 1 for row in rows]
    return {"mode": pack_column(modes)}


def unpack_attributes(columns: Columns) -> list[Attributes]:
    """Invert `pack_attributes`, row by row; raise `ArchiveError` if malformed."""
    modes = columns.take("mode", MOST_MODE + 2)
    return [Attributes(mode - 1) if mode else NONE for mode in modes]


def features_of(rows: Iterable[Attributes]) -> frozenset[str]:
    """Return the features that an archive needs to tell some attributes."""
    return frozenset(MODES for row in rows if row.mode is not None)
