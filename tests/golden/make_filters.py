"""Make the golden archive of PNG files whose filters Pillow chose, and write what has to come out
of it into manifest.json.

python -m tests.golden.make_filters [--force]
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-pillow-5.bsw"


def write_files(folder: Path) -> None:
    """Write photographs of one to four channels, and one of 16 bits, as Pillow does."""
    rgb = photo(48, 40, 75)
    rgba = np.dstack([rgb, rgb[::-1, :, 0]])
    deep = rgb[..., 0].astype(np.uint16) * 251
    every: dict[str, NDArray[Any]] = {}
    every |= {
        "rgb": rgb,
        "rgba": rgba,
        "gray": rgb[..., 1],
        "gray alpha": rgba[..., 2:],
        "16": deep,
    }
    for name, pixels in every.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
