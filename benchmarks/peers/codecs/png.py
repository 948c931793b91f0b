"""PNG by Pillow, and what oxipng makes of it."""

import os
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

from benchmarks.data.pictures import Pixels
from benchmarks.peers.codecs.peer import Codec, Peer, opened, pillow, program, version_of

BEST = "PNG oxipng -o max"
OXIPNG = ["oxipng", "-q", "-o", "max", "--strip", "all", "-t", "1", "--out", "{target}", "{source}"]
FAST = pillow("PNG", compress_level=1)  # what oxipng is given


def peers() -> Iterator[Peer]:
    """Pillow's, and oxipng's if it is here."""
    yield Peer("PNG optimize", f"Pillow {version('pillow')}", pillow("PNG", optimize=True), opened)
    if found := version_of("oxipng", "--version"):
        yield Peer(BEST, f"oxipng {found}", _program, opened)
    elif find_spec("oxipng"):
        yield Peer(BEST, f"pyoxipng {version('pyoxipng')}", _package, opened)


def _program(pixels: Pixels) -> bytes:
    return program(OXIPNG, ".png", ".png", FAST(pixels))


def _package(pixels: Pixels) -> bytes:
    os.environ["RAYON_NUM_THREADS"] = "1"
    oxipng = import_module("oxipng")
    data: bytes = oxipng.optimize_from_memory(FAST(pixels), level=6, strip=oxipng.StripChunks.all())
    return data


PNG = Codec("PNG", peers, {"PNG oxipng": "oxipng (cargo install oxipng), or pip install pyoxipng"})
