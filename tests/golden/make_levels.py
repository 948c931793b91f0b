"""Make the golden archive of 16-bit pictures that had eight bits, and luma and chroma, once, and
write what has to come out of it into manifest.json.

python -m tests.golden.make_levels [--force]
"""

from pathlib import Path

import numpy as np

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.formats.lattice.scenes import WAYS, picture, planes
from tests.images.formats.samples import array_file

ARCHIVE = HERE / "photo-levels-5.bsw"


def write_files(folder: Path) -> None:
    """Write a picture of each map at 16, 14 and 12 bits, as PPM and NumPy files, by turns."""
    first = {used.name: (used, how) for used, how in reversed(WAYS)}
    for number, (name, (used, how)) in enumerate(sorted(first.items())):
        pixels = picture(used, how, planes(how, 64, 96, 0)).astype(np.uint32)
        most = (1 << (16, 14, 12)[number % 3]) - 1
        values = ((pixels * most + 127) // 255).astype(np.uint16)
        if number % 2:
            (folder / f"{name}.npy").write_bytes(array_file(values))
        else:
            head = f"P6 {values.shape[1]} {values.shape[0]} {most}\n".encode()
            (folder / f"{name}.ppm").write_bytes(head + values.astype(">u2").tobytes())


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
