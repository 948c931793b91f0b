"""The register of codecs."""

from collections.abc import Iterable

from benchmarks.peers.codecs.flif import FLIF
from benchmarks.peers.codecs.jpeg_xl import JPEG_XL
from benchmarks.peers.codecs.peer import Peer
from benchmarks.peers.codecs.png import PNG
from benchmarks.peers.codecs.webp import WEBP
from benchmarks.peers.codecs.xz import XZ

CODECS = (PNG, XZ, WEBP, FLIF, JPEG_XL)


def peers(name: str = "") -> list[Peer]:
    """Those that this machine has, or the one of a name; nothing else is looked for then."""
    codecs = [codec for codec in CODECS if not name or name.startswith(codec.name)]
    return [peer for codec in codecs for peer in codec.peers() if name in ("", peer.name)]


def missing(found: Iterable[Peer]) -> list[str]:
    """What is not here, each with how to get it."""
    names = " ".join(peer.name for peer in found)
    ways = {word: way for codec in CODECS for word, way in codec.missing.items()}
    return [f"not here: {word}: {way}" for word, way in ways.items() if word not in names]
