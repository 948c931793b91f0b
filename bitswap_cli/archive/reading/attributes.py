"""Giving restored entries what the archive tells of them beside their bytes."""

import os

from bitswap_cli.archive.format.attributes import Attributes

_PERMISSIONS = 0o777  # to run as somebody else is no file's right only because an archive says so


def mode_of(attributes: Attributes) -> int | None:
    """Return the mode that an entry is to have; None where that is the system's to say."""
    if attributes.mode is None or os.name == "nt":
        return None
    return attributes.mode & _PERMISSIONS


def give(path: bytes, attributes: Attributes) -> None:
    """Give a folder its mode; raise OSError if that cannot be."""
    mode = mode_of(attributes)
    if mode is not None:
        os.chmod(path, mode)
