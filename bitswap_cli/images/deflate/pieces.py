"""Raw deflate streams in pieces, of which one is held at a time.

A piece is some blocks of a stream that end with a byte, as those before do. It is described as a
zlib stream of its own: its blocks, the last of them marked as the last of a stream, behind a stored
block of the bytes that lie before what they inflate to, as far as matches reach.
"""

from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.describing import describe
from bitswap_cli.images.deflate.engine import engine
from bitswap_cli.images.deflate.inflated import DAMAGED
from bitswap_cli.images.deflate.restoring import restore

MOST = 1 << 24
"""Bytes that a piece inflates to, at most."""
_ENOUGH = 1 << 22  # bytes with which a piece ends, where a block ends with a byte
_HELD = MOST + (1 << 20)  # bytes of a stream that are looked at for a piece
_WINDOW = 1 << 15  # bytes that a match may reach back


class Piece(NamedTuple):
    """Some blocks of a stream."""

    size: int
    """Bytes that they inflate to."""
    last: int
    """How many bits the last block has, or 0 if it is the last of the stream."""
    description: bytes
    """Of the stream that is made of them."""


def describe_pieces(
    file: BinaryIO, header: bytes, keep: Callable[[bytes], None]
) -> list[Piece] | None:
    """Take a raw deflate stream apart.

    Parameters
    ----------
    file : BinaryIO
        All of it, and nothing else.
    header : bytes
        The two bytes with which a zlib stream of it begins, or might begin.
    keep : callable
        Called with what it inflates to, piece by piece.

    Returns
    -------
    list of Piece or None
        None if it is none, has more behind it, or has hardly any block that ends with a byte.
    """
    pieces, base, window = list[Piece](), 0, b""
    while True:
        file.seek(base)
        data = file.read(_HELD)
        walked = engine().walk(data, len(window), _ENOUGH, MOST)
        if walked is None:
            return None
        length = -(-walked.end // 8)
        body, last = bytearray(data[:length]), 0
        if not walked.last:
            last = walked.end - walked.start
            _turn(body, last)
        described = describe(header + _stored(window) + body, len(window) + walked.size)
        if described is None or len(described.inflated) != len(window) + walked.size:
            return None
        keep(described.inflated[len(window) :])
        window = described.inflated[-_WINDOW:]
        pieces.append(Piece(walked.size, last, described.description))
        base += length
        if walked.last:
            file.seek(base)
            return None if file.read(1) else pieces


class Joiner:
    """Makes a stream of its pieces, one after the other."""

    def __init__(self) -> None:
        self._window = b""

    def join(self, inflated: bytes, piece: Piece) -> bytes:
        """Return the next bytes of the stream, given what the next piece inflates to.

        Raises
        ------
        ArchiveError
            If the piece is damaged, or does not belong here.
        """
        whole = self._window + inflated
        body = bytearray(restore(whole, piece.description)[2 + len(_stored(self._window)) :])
        if not 0 <= piece.last <= 8 * len(body):
            raise ArchiveError(DAMAGED)
        if piece.last:
            _turn(body, piece.last)
        self._window = whole[-_WINDOW:]
        return bytes(body)


def _stored(window: bytes) -> bytes:
    """Return some bytes as a stored block that is not the last one; nothing, if there are none."""
    if not window:
        return b""
    length = len(window)
    return b"\0" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + window


def _turn(data: bytearray, bits: int) -> None:
    """Turn over the bit that lies so many before the end."""
    place = 8 * len(data) - bits
    data[place >> 3] ^= 1 << (place & 7)
