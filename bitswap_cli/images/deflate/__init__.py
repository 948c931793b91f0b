"""zlib streams, byte for byte: inflated bytes and a short description of what deflate decided.

Deflate leaves a writer free: which matches to take, where blocks end, which codes they have. A
predictor of our own, frozen, does what zlib, zlib-ng and libdeflate do at each of their levels; a
description says which of them wrote the stream, and corrects it where it did something else.
Neither reading nor writing needs any of them: what comes back does not depend on the one at hand.

This room knows nothing of images. Its sibling `bitswap_cli.ans` codes the corrections.
"""

from bitswap_cli.images.deflate.describing import Described, describe, inflate
from bitswap_cli.images.deflate.pieces import Joiner, Piece, describe_pieces
from bitswap_cli.images.deflate.remembering import once, remembering
from bitswap_cli.images.deflate.restoring import restore

__all__ = [
    "Described",
    "Joiner",
    "Piece",
    "describe",
    "describe_pieces",
    "inflate",
    "once",
    "remembering",
    "restore",
]
