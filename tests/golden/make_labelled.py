"""Make the golden archive of planar pictures behind labels, and write what has to come out of it
into manifest.json.

python -m tests.golden.make_labelled [--force]
"""

from pathlib import Path

import numpy as np

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.arrays.test_labelled import records

ARCHIVE = HERE / "photo-labelled-5.bsw"


def write_files(folder: Path) -> None:
    """Write photographs as CIFAR-10 and CIFAR-100 come."""
    rgb = np.concatenate([photo(32, 32, seed) for seed in range(16)])
    (folder / "data_batch_1.bin").write_bytes(records((10,), rgb))
    (folder / "train.bin").write_bytes(records((20, 100), rgb, seed=1))


if __name__ == "__main__":
    freeze(ARCHIVE, write_files, "photo")
