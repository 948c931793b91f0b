"""JPEG files for training: photographs in many hands, and files as they are found.

A drawn file is a crop of a photograph, perhaps reduced, sharpened, blurred or noisy, saved by one
of many tables, perhaps twice, as files in the world are.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bitswap_cli.errors import InputError

SIDES = (256, 384, 512, 512)  # of crops
QUALITIES = (75, 85, 90, 92, 95, 98)  # that many writers use
SAMPLINGS = (0, 0, 1, 2, 2, 2)  # Pillow's: 4:4:4, 4:2:2, 4:2:0
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


def found(paths: Sequence[Path]) -> list[bytes]:
    """Files as they are; raise InputError if one cannot be read."""
    try:
        return [path.read_bytes() for path in paths]
    except OSError as error:
        raise InputError(f"cannot read a JPEG file: {error}") from None


def tables_of(files: Sequence[bytes]) -> list[Tables]:
    """Quantization tables of colour files that Pillow reads, for others to be saved with."""
    tables = []
    for data in files:
        try:
            image = Image.open(io.BytesIO(data))
        except OSError:
            continue
        told: dict[int, list[int]] = getattr(image, "quantization", {})
        if image.mode == "RGB" and len(told) >= 2:
            tables.append([list(told[number]) for number in sorted(told)[:2]])
    return tables


class Drawer:
    """Draws files from photographs.

    Parameters
    ----------
    photographs : sequence of Path
    tables : list
        Quantization tables of real files.
    seed : int
    """

    def __init__(self, photographs: Sequence[Path], tables: list[Tables], seed: int) -> None:
        self.paths, self.tables = list(photographs), tables
        self.random = np.random.default_rng(seed)
        sizes = np.array([path.stat().st_size for path in self.paths], np.float64)
        self.weights = np.sqrt(sizes) / np.sqrt(sizes).sum()

    def draw(self) -> bytes:
        """Draw a file."""
        random = self.random
        image = self._crop()
        if random.random() < 0.06:
            image = image.convert("L")
        often = (random.integers(30, 101), *random.integers(70, 100, 2), *QUALITIES)
        quality, sampling = int(random.choice(often)), int(random.choice(SAMPLINGS))
        if random.random() < 0.2:  # saved twice, most often on the same grid
            before = self._saved(image, int(random.integers(40, 98)), sampling)
            image = Image.open(io.BytesIO(before))
            if random.random() < 0.3:
                x, y = random.integers(0, 8, 2)
                image = image.crop((int(x), int(y), image.width, image.height))
            image = image.convert("L" if image.mode == "L" else "RGB")
        return self._saved(image, quality, sampling)

    def _crop(self) -> Image.Image:
        """A part of a photograph, changed as photographs are before they are saved."""
        random = self.random
        image = _opened(self.paths[random.choice(len(self.paths), p=self.weights)])
        if random.random() < 1 / 3:
            share = random.uniform(0.35, 1)
            size = [max(64, int(side * share)) for side in image.size]
            image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        side = int(random.choice(SIDES))
        width, height = min(image.width, side), min(image.height, side)
        x = int(random.integers(image.width - width + 1))
        y = int(random.integers(image.height - height + 1))
        image = image.crop((x, y, x + width, y + height))
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if random.random() < 0.25:
            image = image.transpose(Image.Transpose.ROTATE_90)
        chance = random.random()
        if chance < 0.2:
            percent = int(random.uniform(30, 150))
            return image.filter(ImageFilter.UnsharpMask(random.uniform(0.5, 2), percent, 0))
        if chance < 0.25:
            return image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1)))
        if chance < 0.31:
            pixels = np.asarray(image, np.float64)
            noisy = pixels + random.normal(0, random.uniform(1, 8), pixels.shape)
            return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        return image

    def _saved(self, image: Image.Image, quality: int, sampling: int) -> bytes:
        options: dict[str, Any] = {"quality": quality}
        chance = self.random.random()
        if chance > 0.9 and self.tables:
            options = {"qtables": self.tables[self.random.integers(len(self.tables))]}
        elif chance > 0.6:
            bases = BASES[self.random.integers(len(BASES))]
            tilt = self.random.normal(0, 0.35) if chance > 0.75 else 0.0
            options = {"qtables": [scaled(base, quality, tilt) for base in bases]}
        if image.mode == "L":
            options["qtables"] = options.get("qtables", [])[:1] or None
        else:
            options["subsampling"] = sampling
        file = io.BytesIO()
        image.save(file, "JPEG", **{k: v for k, v in options.items() if v is not None})
        return file.getvalue()


def _opened(path: Path) -> Image.Image:
    """A picture in colour; raise InputError if it cannot be read."""
    try:
        with Image.open(path) as file:
            return file.convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read the picture {path}: {error}") from None


def scaled(base: list[int], quality: int, tilt: float) -> list[int]:
    """A table as libjpeg scales it by quality; high frequencies have e^tilt times as much."""
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    slope = np.add.outer(np.arange(8), np.arange(8)).ravel() / 7 - 0.6
    table: NDArray[np.float64] = np.array(base) * percent / 100 * np.exp(tilt * slope)
    return [int(step) for step in table.round().clip(1, 255)]
