"""Quantization tables: those of writers that are much used, and of files as they are found."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_models.training.pictures import UNREADABLE

FLAT = [16] * 64
# recommended by ITU-T T.81, annex K, row by row
LUMA = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]  # fmt: skip
CHROMA = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99, *[99] * 32,
]  # fmt: skip
# N. Robidoux's for ImageMagick, which mozjpeg uses
ROBIDOUX = [
    16, 16, 16, 18, 25, 37, 56, 85, 16, 17, 20, 27, 34, 40, 53, 75,
    16, 20, 24, 31, 43, 62, 91, 135, 18, 27, 31, 40, 53, 74, 106, 156,
    25, 34, 43, 53, 69, 94, 131, 189, 37, 40, 62, 74, 94, 124, 169, 238,
    56, 53, 91, 106, 131, 169, 226, 255, 85, 75, 135, 156, 189, 238, 255, 255,
]  # fmt: skip
BASES = ((LUMA, CHROMA), (ROBIDOUX, ROBIDOUX), (FLAT, FLAT))

Tables = list[list[int]]


def tables_of(files: Sequence[bytes]) -> list[Tables]:
    """Quantization tables of colour files that Pillow reads, for others to be saved with."""
    tables = []
    for data in files:
        try:
            image = Image.open(io.BytesIO(data))
        except UNREADABLE:
            continue
        told: dict[int, list[int]] = getattr(image, "quantization", {})
        if image.mode == "RGB" and len(told) >= 2:
            tables.append([list(told[number]) for number in sorted(told)[:2]])
    return tables


def scaled(base: list[int], quality: int, tilt: float) -> list[int]:
    """A table as libjpeg scales it by quality; high frequencies have e^tilt times as much."""
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    slope = np.add.outer(np.arange(8), np.arange(8)).ravel() / 7 - 0.6
    table: NDArray[np.float64] = np.array(base) * percent / 100 * np.exp(tilt * slope)
    return [int(step) for step in table.round().clip(1, 255)]
