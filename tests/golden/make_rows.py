"""Make the golden archive of plain rows with headers, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_rows [--force]
"""

from functools import partial
from pathlib import Path

import numpy as np

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import drawn, files

ARCHIVE = HERE / "photo-rows-5.bsw"


def write_files(folder: Path, kinds: tuple[str, ...]) -> None:
    """Write a photograph and a drawing as files whose kinds begin so."""
    flat = np.kron(drawn(20, 16, 3, seed=4), np.ones((3, 4, 1), np.uint8))
    for name, pixels in {"photo": photo(24, 28, 95), "flat": flat}.items():
        for kind, data in files(pixels).items():
            if kind.startswith(kinds):
                (folder / f"{kind} {name}").write_bytes(data)


if __name__ == "__main__":
    freeze(ARCHIVE, partial(write_files, kinds=("rows", "planar sgi")))
