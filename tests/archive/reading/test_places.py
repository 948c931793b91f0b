"""Which entries can be restored beside each other."""

import pytest

from bitswap_cli.archive.reading.places import Places
from bitswap_cli.errors import ArchiveError, InputError


def test_names_are_taken_once_and_below_folders_only() -> None:
    places = Places()
    places.take(b"a/b/c")
    places.take(b"a/b", folder=True)
    places.take(b"a/x")
    for name in (b"a/b/c", b"a/b", b"a", b"a/x"):
        with pytest.raises(ArchiveError, match="twice"):
            places.take(name)
    with pytest.raises(ArchiveError, match="no folder"):
        places.take(b"a/x/y")
    with pytest.raises(ArchiveError, match="unsafe"):
        places.take(b"../x")


def test_lengths() -> None:
    places = Places()
    places.take(b"x" * 255)
    places.take(b"/".join([b"y" * 255] * 15))
    for name in (b"x" * 256, b"a/" + b"x" * 256 + b"/b", b"/".join([b"z" * 255] * 17)):
        with pytest.raises(InputError, match="too long"):
            places.take(name)
