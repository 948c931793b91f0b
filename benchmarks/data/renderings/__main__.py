"""Render the sets of pictures.

    python -m benchmarks.data.renderings OUT [--only SET] [--seed N] [--count N]

Each set is a folder of PNG files below OUT: figures by matplotlib, tiles of maps, sprites with
alpha, and scanned pages of text. A seed gives the same pixels again, with the same versions of
Pillow, matplotlib and numpy.
"""

import argparse
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.data.renderings.maps import maps
from benchmarks.data.renderings.plots import plots
from benchmarks.data.renderings.scans import scans
from benchmarks.data.renderings.shared import Random
from benchmarks.data.renderings.sprites import sprites

SETS: dict[str, Callable[[Random], Iterator[tuple[str, Image.Image]]]] = {
    "plots": plots,
    "maps": maps,
    "sprites": sprites,
    "scans": scans,
}
TIME = 1_700_000_000  # when all files were modified, in seconds


def write(name: str, folder: Path, seed: int = 0, most: int | None = None) -> tuple[int, int, int]:
    """Render a set, or its first files; return the number of files, of subpixels and of bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    count = subpixels = size = 0
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    for file, image in islice(SETS[name](rng), most):
        path = folder / f"{file}.png"
        image.save(path, optimize=True)
        os.utime(path, (TIME, TIME))
        count += 1
        subpixels += image.width * image.height * len(image.getbands())
        size += path.stat().st_size
    return count, subpixels, size


def main(given: Sequence[str] | None = None) -> None:
    """Render the sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder; each set gets one in it")
    parser.add_argument("--only", choices=SETS, help="this set (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, help="so many files of each set (default: all)")
    arguments = parser.parse_args(given)
    for name in [arguments.only] if arguments.only else SETS:
        folder = arguments.out / name
        count, subpixels, size = write(name, folder, arguments.seed, arguments.count)
        print(f"{name}: {count} files, {subpixels / 1e6:.1f} MB of pixels, {size / 1e6:.2f} MB PNG")


if __name__ == "__main__":
    main()
