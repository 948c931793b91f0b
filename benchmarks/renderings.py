"""Pictures of kinds that no embedded model was trained on, rendered: plots, maps, sprites, scans.

python benchmarks/renderings.py OUT [--only plots|maps|sprites|scans] [--seed N]

Each set is a folder of PNG files below OUT: figures by matplotlib, tiles of maps, sprites with
alpha, and scanned pages of text. A seed gives the same pixels again, with the same versions of
Pillow, matplotlib and numpy.
"""

import argparse
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from renderings_maps import maps
from renderings_plots import plots
from renderings_scans import scans
from renderings_shared import Random
from renderings_sprites import sprites

SETS: dict[str, Callable[[Random], Iterator[tuple[str, Image.Image]]]] = {
    "plots": plots,
    "maps": maps,
    "sprites": sprites,
    "scans": scans,
}
TIME = 1_700_000_000  # when all files were modified, in seconds


def write(name: str, folder: Path, seed: int) -> tuple[int, int, int]:
    """Render a set; return the number of files, of subpixels and of bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    count = subpixels = size = 0
    for file, image in SETS[name](np.random.default_rng([seed, zlib.crc32(name.encode())])):
        path = folder / f"{file}.png"
        image.save(path, optimize=True)
        os.utime(path, (TIME, TIME))
        count += 1
        subpixels += image.width * image.height * len(image.getbands())
        size += path.stat().st_size
    return count, subpixels, size


def main() -> None:
    """Render the sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder; each set gets one in it")
    parser.add_argument("--only", choices=SETS, help="this set (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else SETS:
        count, subpixels, size = write(name, arguments.out / name, arguments.seed)
        print(f"{name}: {count} files, {subpixels / 1e6:.1f} MB of pixels, {size / 1e6:.2f} MB PNG")


if __name__ == "__main__":
    main()
