"""What cannot be coded."""

from __future__ import annotations

from bitswap_cli.errors import ArchiveError


def damaged() -> ArchiveError:
    """Return the error to raise for words that no encoder made."""
    return ArchiveError("the compressed data is damaged: it is none of these pictures")


def lacking() -> ValueError:
    """Return the error to raise for a palette that is not its picture's."""
    return ValueError("a picture has a colour that its palette lacks")
