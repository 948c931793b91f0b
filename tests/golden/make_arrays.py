"""Make the golden archive of .npz files, and write what has to come out of it into manifest.json.

python -m tests.golden.make_arrays [--force]
"""

from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import arrays_file, drawn

ARCHIVE = HERE / "photo-npz-5.bsw"


def write_files(folder: Path) -> None:
    """Write files of arrays of photographs, of gray and deep ones, and of labels."""
    rgb, labels = photo(48, 40, 73), np.arange(7)
    arrays = {"train": rgb.reshape(4, 12, 40, 3), "labels": labels, "test": rgb[::-1, ::-1]}
    deep = {"a": rgb.astype(np.uint16) * 251, "b": rgb.astype(">u2") * 17}
    every: dict[str, dict[str, Any]] = {
        "photo": arrays,
        "gray": {"x": drawn(60, 28, 1)},
        "deep": deep,
    }
    for name, some in every.items():
        for packed in (False, True):
            data = arrays_file(**some, packed=packed)
            (folder / f"{name} {packed}.npz").write_bytes(data)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
