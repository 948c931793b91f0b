"""The errors a user can meet, each with the exit code that scripts rely on (docs/scripting.md).

A message is one line: what went wrong, where, and what to do about it.
"""

import os


class BitswapError(Exception):
    """Base of every error that is reported as one line instead of a traceback."""

    exit_code = 1


class InputError(BitswapError):
    """A source or a destination cannot be used: missing, unreadable, already there."""

    exit_code = 3


class ArchiveError(BitswapError):
    """The archive is not one, is damaged, or is truncated."""

    exit_code = 4


class ModelError(BitswapError):
    """The model (or format version) that is needed cannot be used on this machine."""

    exit_code = 5


class PartialError(BitswapError):
    """Only part of an archive could be restored (``--keep-going``)."""

    exit_code = 6


def display(name: bytes | str | os.PathLike[str]) -> str:
    r"""Return a name on one printable line, with escapes where it is not.

    Examples
    --------
    >>> print(display(b"two\nlines, not UTF-8: \xff"))
    two\nlines, not UTF-8: \xff
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
