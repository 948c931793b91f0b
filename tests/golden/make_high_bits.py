"""Make the golden archive of pictures by their highest bits, and write what has to come out of it
into manifest.json.

python -m tests.golden.make_high_bits [--force]
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import array_file, saved

ARCHIVE = HERE / "photo-high-bits-5.bsw"


def deep(height: int, width: int, seed: int, bits: int) -> np.ndarray:
    """A photograph of so many bits a sample: (H, W, 3) uint16"""
    random = np.random.default_rng(seed)
    values = photo(height, width, seed).astype(np.int64) << (bits - 8)
    noise = random.integers(0, 1 << (bits - 8), values.shape)
    return (values + noise).astype(np.uint16)


def write_files(folder: Path) -> None:
    """Write photographs of 10 to 16 bits as PNG, TIFF, .npy, PGM and PPM files."""
    gray = deep(48, 64, 90, 12)[..., 1]
    rgb = deep(40, 56, 91, 10)
    curve = (np.arange(512, dtype=np.uint32) ** 2 // 4).astype(np.uint16)
    every = {
        "12.png": saved(Image.fromarray(gray), "PNG"),
        "12.tif": saved(Image.fromarray(gray[::-1]), "TIFF"),
        "12 high.npy": array_file(np.ascontiguousarray(gray.T) << 4),
        "10.npy": array_file(rgb),
        "10.ppm": b"P6 56 40 1023\n" + rgb[::-1].astype(">u2").tobytes(),
        "curve.tif": saved(Image.fromarray(curve[gray >> 3]), "TIFF"),
        "16.pgm": b"P5 64 48 65535\n" + deep(48, 64, 92, 16)[..., 0].astype(">u2").tobytes(),
    }
    for name, data in every.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
