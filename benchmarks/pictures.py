"""Folders of pictures for benchmarks: files as found, or the cells of sheets."""

import math
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_models.training.data import cells

Pixels = NDArray[np.uint8]  # (H, W) gray, (H, W, 3), or (H, W, 4) with alpha
MODES = ("L", "RGB")  # that all codecs here can code
WITH_ALPHA = (*MODES, "RGBA")
SMALL = 64  # edge of images that are also coded as one mosaic, if all are of one size


class Source(NamedTuple):
    """A folder of image files, or of sheets with cells of so many pixels (0: image files)."""

    folder: Path
    cell: int

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.folder.resolve().name


def parse(text: str) -> Source:
    """Read ``FOLDER`` or ``FOLDER:CELL``."""
    match = re.fullmatch(r"(.+):(\d+)", text)
    return Source(Path(match[1]), int(match[2])) if match else Source(Path(text), 0)


def sheet_cells(folder: Path, cell: int) -> Pixels:
    """The cells of a folder of sheets. (N, H, W) if the first sheet is gray, or (N, H, W, 3)"""
    path = next((p for p in sorted(folder.glob("*")) if p.suffix in (".png", ".webp")), None)
    if path is None:
        raise ValueError(f"no sheets in {folder}")
    with Image.open(path) as image:
        gray = image.mode in ("1", "L")
    found = cells(folder, cell, 1 if gray else 3)
    return found[..., 0] if gray else found


def write_cells(folder: Path, cell: int, target: Path) -> int:
    """Write the cells of sheets as PNG files, numbered; return how many."""
    found = sheet_cells(folder, cell)
    time = folder.stat().st_mtime_ns  # as if unpacked, not written just now
    for number, pixels in enumerate(found):
        path = target / f"{number:05}.png"
        Image.fromarray(pixels).save(path, optimize=True)
        os.utime(path, ns=(time, time))
    return len(found)


def write_files(folder: Path, target: Path, modes: Sequence[str] = MODES) -> int:
    """Copy PNG files, write other images as PNG; return how many are left out.

    Left out are images of other modes than those asked for; files of other kinds do not count.
    """
    left_out = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            with Image.open(path) as image:
                if image.mode not in modes or getattr(image, "n_frames", 1) > 1:
                    left_out += 1
                    continue
                copy = target / f"{'-'.join(path.relative_to(folder).parts)}.png"
                if image.format == "PNG":
                    shutil.copy2(path, copy.with_suffix(""))
                else:
                    Image.fromarray(np.asarray(image)).save(copy, optimize=True)
        except (OSError, SyntaxError):  # not an image
            continue
    return left_out


def read(path: Path) -> Pixels:
    """The pixels of an image file."""
    with Image.open(path) as image:
        return np.asarray(image)


def shape(path: Path) -> tuple[int, int, int]:
    """Height, width and channels of an image file; its pixels are not read."""
    with Image.open(path) as image:
        return image.height, image.width, len(image.getbands())


def small_and_equal(shapes: Iterable[tuple[int, int, int]]) -> bool:
    """Whether images are of one shape, and small, and more than one."""
    found = list(shapes)
    return len(set(found)) == 1 and len(found) > 1 and max(found[0][:2]) <= SMALL


def mosaic(images: list[Pixels]) -> Pixels:
    """One nearly square sheet of equal images, row by row; cells that are left are black."""
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    height, width, *channels = images[0].shape
    sheet = np.zeros((rows, columns, *images[0].shape), np.uint8)
    for number, image in enumerate(images):
        sheet[divmod(number, columns)] = image
    return sheet.swapaxes(1, 2).reshape(rows * height, columns * width, *channels)


def compare(before: Path, after: Path) -> int:
    """Compare two folders of images, their pixels and times; return the number of subpixels.

    Raises
    ------
    ValueError
        At the first difference.
    """
    names = sorted(path.relative_to(before) for path in before.rglob("*") if path.is_file())
    restored = sorted(path.relative_to(after) for path in after.rglob("*") if path.is_file())
    if names != restored:
        raise ValueError(f"{len(names)} files went in, {len(restored)} came back")
    subpixels = 0
    for name in names:
        with Image.open(before / name) as one, Image.open(after / name) as other:
            first, second = np.asarray(one), np.asarray(other)
            if one.mode != other.mode or not np.array_equal(first, second):
                raise ValueError(f"{name} came back different")
        if os.stat(before / name).st_mtime_ns != os.stat(after / name).st_mtime_ns:
            raise ValueError(f"{name} came back with another time")
        subpixels += first.size
    return subpixels
