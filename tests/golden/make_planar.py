"""Make the golden archive of IDX files and planar pictures, and write what has to come out of it
into manifest.json.

python -m tests.golden.make_planar [--force]
"""

from pathlib import Path

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.samples import array_file, drawn, idx, pickled, planar

ARCHIVE = HERE / "photo-planar-5.bsw"


def write_files(folder: Path) -> None:
    """Write planar photographs as .npy files and pickles, and IDX files."""
    rgb = photo(64, 32, 81)
    gray = photo(48, 16, 82)[..., 1]
    every = {
        "channels.npy": array_file(planar(rgb, 32)),
        "rows.npy": array_file(planar(rgb, 32).reshape(2, -1)),
        "gray.npy": array_file(gray.reshape(3, 256)),
        "alpha.npy": array_file(planar(drawn(24, 16, 4) // 16 + rgb[:24, :16, :1] // 2, 12)),
        "batch": pickled(planar(rgb, 32).reshape(2, -1)),
        "batch 4": pickled(planar(rgb, 16), 4),
        "images-idx3-ubyte": idx(gray.reshape(3, 16, 16)),
        "colours-idx4-ubyte": idx(rgb.reshape(2, 32, 32, 3)),
    }
    for name, data in every.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
