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
    for path in below(folder):
        try:
            with Image.open(path) as image:
                if image.mode not in modes or not whole(image):
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


def whole(image: Image.Image) -> bool:
    """Whether Pillow gives all that is in an image just opened: one frame of at most 8 bits.

    It opens color of 16 bits as if it had 8: PNG, and PNM whose largest value is not 255, as the
    arguments of its decoder tell.
    """
    frames = getattr(image, "n_frames", 1)
    tiles = getattr(image, "tile", [])
    deep = any("16" in str(tile.args) or "65535" in str(tile.args) for tile in tiles)
    return frames == 1 and not deep


def plain(path: Path) -> Pixels | None:
    """The pixels of a file that holds them as they are, for codecs of gray, RGB and RGBA.

    Palettes and two shades become the colors that they stand for. None if the file is no such
    image: pixels of a JPEG are not what is in it, and some images do not fit 8 bits or one frame.
    """
    modes = {"P": "RGB", "PA": "RGBA", "LA": "RGBA", "1": "L"} | {m: m for m in WITH_ALPHA}
    try:
        with Image.open(path) as image:
            if image.format == "JPEG" or image.mode not in modes or not whole(image):
                return None
            clear = image.mode == "P" and "transparency" in image.info
            return np.asarray(image.convert("RGBA" if clear else modes[image.mode]))
    except (OSError, SyntaxError, ValueError):  # not an image, or a damaged one
        return None


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


def subpixels(path: Path) -> int:
    """Subpixels of an image file; 0 of other files."""
    try:
        return math.prod(shape(path))
    except (OSError, SyntaxError):
        return 0


def below(folder: Path) -> list[Path]:
    """All files below a folder, or the file itself."""
    return sorted(path for path in [folder, *folder.rglob("*")] if path.is_file())


def compare(before: Path, after: Path) -> int:
    """Compare two folders, bytes or else pixels, and times; return the number of subpixels.

    Raises
    ------
    ValueError
        At the first difference.
    """
    names, restored = (
        [path.relative_to(folder) for path in below(folder)] for folder in (before, after)
    )
    if names != restored:
        raise ValueError(f"{len(names)} files went in, {len(restored)} came back")
    for name in names:
        first, second = before / name, after / name
        if first.read_bytes() != second.read_bytes() and not _same_pixels(first, second):
            raise ValueError(f"{name} came back different")
        if first.stat().st_mtime_ns != second.stat().st_mtime_ns:
            raise ValueError(f"{name} came back with another time")
    return sum(subpixels(before / name) for name in names)


def _same_pixels(first: Path, second: Path) -> bool:
    try:
        with Image.open(first) as one, Image.open(second) as other:
            return one.mode == other.mode and np.array_equal(np.asarray(one), np.asarray(other))
    except (OSError, SyntaxError):
        return False
