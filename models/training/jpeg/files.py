"""JPEG files for training: photographs in many hands.

A drawn file is a crop of a photograph, perhaps reduced, enlarged, turned, of other colours,
sharpened, blurred or noisy, saved by one of many tables, perhaps twice, as files in the world are.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from bitswap_models.training.jpeg.quantization import BASES, Tables, scaled
from bitswap_models.training.pictures import opened, size_of

EACH = 4  # files that are drawn from a photograph that is opened: that takes as long as they
SIDES = (256, 384, 512, 512, 512)  # of crops
LARGEST = 512  # pixels of a side of a file
QUALITIES = (75, 75, 85, 90, 90, 92, 95, 95, 98)  # that many writers use
SAMPLINGS = (0, 0, 1, 2, 2, 2)  # Pillow's: 4:4:4, 4:2:2, 4:2:0

_Resampling = Image.Resampling
_SMALLER = (
    _Resampling.LANCZOS, _Resampling.LANCZOS, _Resampling.BICUBIC, _Resampling.BOX,
    _Resampling.HAMMING,
)  # fmt: skip
_LARGER = (
    _Resampling.LANCZOS, _Resampling.LANCZOS, _Resampling.BICUBIC, _Resampling.BICUBIC,
    _Resampling.BILINEAR,
)  # fmt: skip


class Drawer:
    """Draws files from photographs.

    Parameters
    ----------
    photographs : sequence of Path
        Pictures of any kind; the larger ones are drawn more often. JPEG files among them are
        reduced, which takes away the traces of how they were saved.
    tables : list
        Quantization tables of real files.
    seed : int

    Raises
    ------
    InputError
        Here and by `draw`, if a picture cannot be read.
    """

    def __init__(self, photographs: Sequence[Path], tables: list[Tables], seed: int) -> None:
        self.paths, self.tables, self.seed = list(photographs), tables, seed
        sides = np.array([math.sqrt(math.prod(size_of(path))) for path in self.paths])
        self.weights = sides / sides.sum()

    def draw(self, turn: int) -> list[bytes]:
        """Draw some files from one photograph: of equal turns the same."""
        random = np.random.default_rng((self.seed, turn))
        photograph = _photograph(self.paths[random.choice(len(self.paths), p=self.weights)])
        return [self._file(photograph, random) for _ in range(EACH)]

    def _file(self, photograph: Image.Image, random: np.random.Generator) -> bytes:
        image = _filtered(_crop(photograph, random), random)
        if random.random() < 0.05:
            image = image.convert("L")
        often = (random.integers(30, 101), *random.integers(70, 100, 2), *QUALITIES)
        quality = int(random.choice(often))
        sampling = 0 if quality > 92 else 2  # as libraries do if nobody asks for another
        if random.random() < 0.6:
            sampling = int(random.choice(SAMPLINGS))
        if random.random() < 0.18:  # saved twice, most often on the same grid
            first = sampling if random.random() < 0.7 else 2
            before = self._saved(image, int(random.integers(40, 98)), first, random)
            image = Image.open(io.BytesIO(before))
            chance = random.random()
            if chance < 0.25:
                x, y = (int(n) for n in random.integers(0, 8, 2))
                image = image.crop((x, y, image.width, image.height))
            elif chance < 0.4:
                share = random.uniform(0.5, 0.95)
                width, height = (max(48, int(side * share)) for side in image.size)
                image = image.resize((width, height), _Resampling.LANCZOS)
            image = image.convert("L" if image.mode == "L" else "RGB")
        return self._saved(image, quality, sampling, random)

    def _saved(
        self, image: Image.Image, quality: int, sampling: int, random: np.random.Generator
    ) -> bytes:
        options: dict[str, Any] = {"quality": quality}
        chance = random.random()
        if chance > 0.92 and self.tables:
            options = {"qtables": self.tables[random.integers(len(self.tables))]}
        elif chance > 0.68:
            bases = BASES[random.integers(len(BASES))]
            tilt = random.normal(0, 0.35) if chance > 0.8 else 0.0
            options = {"qtables": [scaled(base, quality, tilt) for base in bases]}
        if image.mode != "L":
            options["subsampling"] = sampling
        elif "qtables" in options:
            options["qtables"] = options["qtables"][:1]
        file = io.BytesIO()
        image.save(file, "JPEG", **options)
        return file.getvalue()


def _photograph(path: Path) -> Image.Image:
    """A picture in colour; raise InputError if it cannot be read."""
    with opened(path) as file:
        image = file.convert("RGB")
        if file.format == "JPEG":
            image = image.reduce(2 if min(image.size) < 1100 else 3)
        return image


def _crop(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """A part of a photograph, perhaps of another size, turned, mirrored."""
    side = int(random.choice(SIDES))
    width, height = side, side
    if random.random() < 0.3:
        width, height = (side - int(n) for n in random.integers(0, 100, 2))
    chance, factor = random.random(), 1.0
    if chance < 0.38:
        factor = random.uniform(0.3, 1)
    elif chance < 0.53:
        factor = random.uniform(1, 1.8)
    elif chance < 0.55:
        factor = random.uniform(1.8, 4)
    if 0.55 <= chance < 0.63:
        part = _turned(image, width, height, random)
    else:
        wide = min(image.width, math.ceil(width / factor))
        high = min(image.height, math.ceil(height / factor))
        x, y = (int(random.integers(n + 1)) for n in (image.width - wide, image.height - high))
        box = (x, y, x + wide, y + high)
        if factor == 1:
            part = image.crop(box)
        else:
            kinds = _SMALLER if factor < 1 else _LARGER
            wide, high = (min(LARGEST, max(32, round(n * factor))) for n in (wide, high))
            part = image.resize((wide, high), kinds[random.integers(len(kinds))], box)
    if random.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.15:
        part = part.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    if random.random() < 0.3:
        part = part.transpose(Image.Transpose.ROTATE_90)
    return part


def _turned(
    image: Image.Image, width: int, height: int, random: np.random.Generator
) -> Image.Image:
    """A part of a photograph that was not held quite straight."""
    angle, factor = random.uniform(-0.3, 0.3), random.uniform(1, 1.4)
    cos, sin = math.cos(angle) / factor, math.sin(angle) / factor
    width, height = min(width, int(image.width * 0.8)), min(height, int(image.height * 0.8))
    # half of what it covers, and where its middle may be
    x = (abs(cos) * width + abs(sin) * height) / 2
    y = (abs(sin) * width + abs(cos) * height) / 2
    x = random.uniform(min(x, image.width / 2), max(image.width - x, image.width / 2))
    y = random.uniform(min(y, image.height / 2), max(image.height - y, image.height / 2))
    first = cos, -sin, x - cos * width / 2 + sin * height / 2
    second = sin, cos, y - sin * width / 2 - cos * height / 2
    return image.transform(
        (width, height), Image.Transform.AFFINE, (*first, *second), _Resampling.BICUBIC
    )


def _filtered(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """What is done to photographs before they are saved."""
    if random.random() < 0.35:
        image = _coloured(image, random)
    chance = random.random()
    if chance < 0.2:
        percent = int(random.uniform(30, 150))
        return image.filter(ImageFilter.UnsharpMask(random.uniform(0.5, 2), percent, 0))
    if chance < 0.26:
        return image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.5)))
    if chance < 0.27:
        return image.filter(ImageFilter.GaussianBlur(random.uniform(2, 8)))
    if chance < 0.36:
        pixels = np.asarray(image, np.float32)
        noise = random.normal(0, random.uniform(1, 8), pixels.shape)
        if random.random() < 0.5:
            noise = noise[..., :1]  # gray
        return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))
    if chance < 0.38:
        return image.filter(ImageFilter.MedianFilter(3))
    return image


def _coloured(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Other colours, contrast and brightness."""
    if random.random() < 0.4:
        image = ImageEnhance.Color(image).enhance(random.uniform(0.2, 1.7))
    gamma, low, high = np.exp(random.normal(0, 0.25)), *random.uniform((-20, 225), (30, 275))
    curves: list[int] = []
    for _ in range(3):
        own = gamma * np.exp(random.normal(0, 0.06))
        curve = low + (high - low) * (np.arange(256) / 255) ** own
        curves += curve.clip(0, 255).round().astype(int).tolist()
    image = image.point(curves)
    if random.random() < 0.1:
        bands = image.split()
        image = Image.merge("RGB", [bands[i] for i in random.permutation(3)])
    return image
