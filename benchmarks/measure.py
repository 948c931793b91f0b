"""Code image files by one peer, one after another, in this process; prints figures as JSON.

Every image is decoded and compared. Images are read and compared outside of the clock, and are not
kept, so that the peak memory of this process is about one image's (and the interpreter's).

    python benchmarks/measure.py PEER LIST [--mosaic]
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from peers import Peer, peers
from pictures import Pixels, mosaic, read

T = TypeVar("T")
U = TypeVar("U")


class Clock:
    """Adds up wall-clock and processor seconds, those of finished programs included."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0

    def timed(self, function: Callable[[T], U], argument: T) -> U:
        """Call a function."""
        started, before = time.perf_counter(), self._cpu()
        result = function(argument)
        self.seconds += time.perf_counter() - started
        self.cpu_seconds += self._cpu() - before
        return result

    @staticmethod
    def _cpu() -> float:
        return sum(os.times()[:4])


def equal(before: Pixels, after: Pixels) -> bool:
    """Whether pixels came back; gray ones may come back as three equal channels, and conversely."""
    if before.ndim == after.ndim:
        return np.array_equal(before, after)
    before, after = (np.repeat(p[..., None], 3, -1) if p.ndim == 2 else p for p in (before, after))
    return np.array_equal(before, after)


def measure(peer: Peer, paths: list[Path], as_mosaic: bool) -> dict[str, float]:
    """Code images; return bytes and seconds.

    Raises
    ------
    ValueError
        If one comes back different.
    """
    images = iter([mosaic([read(path) for path in paths])] if as_mosaic else map(read, paths))
    size, encoding, decoding = 0, Clock(), Clock()
    peer.decode(peer.encode(np.zeros((8, 8, 3), np.uint8)))  # loads what it needs
    for image in images:
        coded = encoding.timed(peer.encode, image)
        size += len(coded)
        if not equal(image, decoding.timed(peer.decode, coded)):
            raise ValueError(f"{peer.name}: an image came back different")
    return {
        "bytes": size,
        "encode_seconds": encoding.seconds,
        "decode_seconds": decoding.seconds,
        "encode_cpu_seconds": encoding.cpu_seconds,
        "decode_cpu_seconds": decoding.cpu_seconds,
    }


def main() -> None:
    """Measure one peer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("list", type=Path, help="file with the images' paths, as JSON")
    parser.add_argument("--mosaic", action="store_true", help="all images as one")
    arguments = parser.parse_args()
    found = peers(arguments.peer)
    if not found:
        sys.exit(f"{arguments.peer} is not here")
    paths = [Path(path) for path in json.loads(arguments.list.read_text())]
    print(json.dumps(measure(found[0], paths, arguments.mosaic)))


if __name__ == "__main__":
    main()
