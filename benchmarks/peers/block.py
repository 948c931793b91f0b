"""The images that all codecs are given."""

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data import pictures
from benchmarks.report import Figures


class Block:
    """The images of one folder, as PNG files in a new `folder`; only those of some modes.

    Raises
    ------
    ValueError
        If there are none.
    """

    def __init__(
        self, source: pictures.Source, folder: Path, modes: Sequence[str] = pictures.MODES
    ) -> None:
        self.name, self.folder, self.left_out = source.name, folder, 0
        folder.mkdir()
        if source.cell:
            pictures.write_cells(source.folder, source.cell, folder)
        else:
            self.left_out = pictures.write_files(source.folder, folder, modes)
        self.paths = sorted(folder.iterdir())
        if not self.paths:
            raise ValueError(f"no 8-bit images of {', '.join(modes)} in {source.folder}")
        shapes = [pictures.shape(path) for path in self.paths]
        self.subpixels = dict(zip(self.paths, map(math.prod, shapes), strict=True))
        self.small = pictures.small_and_equal(shapes)

    def head(self) -> Figures:
        """What there is to code."""
        return {
            "folder": self.name,
            "images": len(self.paths),
            "left_out": self.left_out,
            "subpixels": sum(self.subpixels.values()),
            "png_bytes": sum(path.stat().st_size for path in self.paths),
        }

    def figures(self, paths: list[Path], size: int) -> Figures:
        """Rates of images that take `size` bytes."""
        png = sum(path.stat().st_size for path in paths)
        samples = sum(map(self.subpixels.__getitem__, paths))
        return {
            "images": len(paths),
            "of_images": len(self.paths),
            "subpixels": samples,
            "bytes": size,
            "png_bytes": png,
            "bpd": round(size * 8 / samples, 5),
            "of_png": round(size / png, 5),
        }
