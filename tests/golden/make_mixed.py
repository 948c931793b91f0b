"""Make the golden archive of texts, and of recipes of drawn pictures, by context mixing, and write
what has to come out of it into manifest.json.

python -m tests.golden.make_mixed [--force]
"""

import json
import struct
from pathlib import Path

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.golden.make_recipes import draw
from tests.images.formats.samples import array_file

# mixed-0.21-5 is of the second version; photo-mixed-5, drawn-recipes-5 of the first.
ARCHIVE = HERE / "mixed-0.24-5.bsw"


def write_files(folder: Path) -> None:
    """Write notes, tables and labels of a photograph, records, the photograph, and icons."""
    draw(folder)
    rgb = photo(64, 48, 91)
    rows = [[int(value) for value in rgb[k, k % 48]] for k in range(64)]
    labels = [{"id": k, "box": row, "name": f"cell {row[0] // 16}"} for k, row in enumerate(rows)]
    (folder / "labels.json").write_text(json.dumps({"labels": labels}, indent=1))
    lines = ["row,red,green,blue", *(f"{k},{r},{g},{b}" for k, (r, g, b) in enumerate(rows))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    shades = ["darker" if sum(row) < 384 else "lighter" for row in rows]
    notes = [f"Row {k} is {shade} than others." for k, shade in enumerate(shades)]
    (folder / "Notes.txt").write_text("\n".join(notes))
    records = [struct.pack("<I3Bx", 1000 * k, *row) for k, row in enumerate(rows)]
    (folder / "rows.bin").write_bytes(b"".join(records))
    (folder / "photo.npy").write_bytes(array_file(rgb))


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
