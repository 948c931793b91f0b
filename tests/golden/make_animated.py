"""Make the golden archive of animated PNG files, and write what has to come out of it into
manifest.json.

python -m tests.golden.make_animated [--force]
"""

from pathlib import Path

import numpy as np

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import drawn, of_frames

ARCHIVE = HERE / "photo-apng-5.bsw"


def write_files(folder: Path) -> None:
    """Write files of frames that are drawn, and of photographs."""
    rgb = photo(48, 40, 71)
    every = {"photo": np.dstack([rgb, rgb[::-1, :, 0]]), "drawn": drawn(40, 60, 4)}
    for name, pixels in every.items():
        for kind, data in of_frames(pixels).items():
            (folder / f"{name} {kind}.png").write_bytes(data)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
