"""Code image files by one peer, one after another, in this process; prints figures as JSON.

Every image is decoded and compared. Images are read and compared outside of the clock, and are not
kept, so that the peak memory of this process is about one image's (and the interpreter's).

    python -m benchmarks.peers.measure PEER LIST [--mosaic]
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from benchmarks.data.pictures import Pixels, mosaic, read
from benchmarks.peers.codecs.peer import Peer
from benchmarks.peers.codecs.register import peers

T = TypeVar("T")
U = TypeVar("U")


class Cost(NamedTuple):
    """What a peer takes for an image, or for many."""

    bytes: int
    encode_seconds: float
    decode_seconds: float
    encode_cpu_seconds: float  # those of finished programs included
    decode_cpu_seconds: float


def total(costs: Iterable[Cost]) -> Cost:
    """The sum; nothing costs nothing."""
    sums = [sum(column) for column in zip(Cost(0, 0, 0, 0, 0), *costs, strict=True)]
    return Cost(int(sums[0]), *sums[1:])


def _timed(function: Callable[[T], U], argument: T) -> tuple[U, float, float]:
    """Call a function; its result, seconds, and seconds of processors."""
    started, before = time.perf_counter(), _cpu()
    result = function(argument)
    return result, time.perf_counter() - started, _cpu() - before


def _cpu() -> float:
    return sum(os.times()[:4])


def equal(before: Pixels, after: Pixels) -> bool:
    """Whether pixels came back; some codecs leave out an alpha that hides nothing, or give three
    equal channels for gray ones, and conversely."""
    return np.array_equal(before, after) or np.array_equal(_with_all(before), _with_all(after))


def _with_all(pixels: Pixels) -> Pixels:
    """Gray, RGB or RGBA as RGBA: (H, W, 4)"""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, -1)
    opaque = np.full((*pixels.shape[:2], 4 - pixels.shape[2]), 255, np.uint8)
    return np.concatenate([pixels, opaque], -1)


def code(peer: Peer, pixels: Pixels) -> Cost:
    """Code an image there and back again.

    Raises
    ------
    ValueError
        If it cannot be coded, or comes back different.
    """
    coded, encode, encode_cpu = _timed(peer.encode, pixels)
    back, decode, decode_cpu = _timed(peer.decode, coded)
    if not equal(pixels, back):
        raise ValueError(f"{peer.name}: an image came back different")
    return Cost(len(coded), encode, decode, encode_cpu, decode_cpu)


def warm(peer: Peer) -> None:
    """Load what a peer needs."""
    peer.decode(peer.encode(np.zeros((8, 8, 3), np.uint8)))


def measure(peer: Peer, paths: list[Path], as_mosaic: bool) -> Cost:
    """Code images.

    Raises
    ------
    ValueError
        If one comes back different.
    """
    images = iter([mosaic([read(path) for path in paths])] if as_mosaic else map(read, paths))
    warm(peer)
    return total(code(peer, image) for image in images)


def main(given: Sequence[str] | None = None) -> None:
    """Measure one peer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("list", type=Path, help="file with the images' paths, as JSON")
    parser.add_argument("--mosaic", action="store_true", help="all images as one")
    arguments = parser.parse_args(given)
    found = peers(arguments.peer)
    if not found:
        sys.exit(f"{arguments.peer} is not here")
    paths = [Path(path) for path in json.loads(arguments.list.read_text())]
    print(json.dumps(measure(found[0], paths, arguments.mosaic)._asdict()))


if __name__ == "__main__":
    main()
