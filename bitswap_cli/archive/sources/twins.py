"""Pictures of equal pixels in files of different bytes: twins, whose pixels are coded once."""

import hashlib
from collections.abc import Iterable

import numpy as np

from bitswap_cli.contract import Samples


def digest(pixels: Samples) -> bytes:
    """Return what two arrays have in common only if they are equal."""
    own = hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode())
    own.update(np.ascontiguousarray(pixels).data)
    return own.digest()


def find(pictures: Iterable[tuple[bytes, Iterable[bytes]]]) -> dict[bytes, bytes]:
    """Return which pictures have the pixels of others, by their names, and the first of these.

    Parameters
    ----------
    pictures : iterable of (bytes, iterable of bytes)
        Names, and digests of the pixels by all that a file can be seen as.
    """
    found, firsts = dict[bytes, bytes](), dict[bytes, bytes]()
    for name, digests in pictures:
        every = list(digests)
        first = next((firsts[own] for own in every if own in firsts), name)
        if first != name:
            found[name] = first
        for own in every:
            firsts.setdefault(own, first)
    return found
