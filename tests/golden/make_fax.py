"""Make the golden archive of facsimiles, and write what has to come out of it into manifest.json.

python -m tests.golden.make_fax [--force]
"""

from pathlib import Path

from tests.golden.make import HERE
from tests.golden.make_formats import freeze
from tests.images.formats.samples import drawn, of_facsimiles

ARCHIVE = HERE / "photo-fax-5.bsw"


def write_files(folder: Path) -> None:
    """Write pages as TIFF files and what stands in PDF files, and one within a PDF file."""
    files = of_facsimiles(drawn(150, 130, 1, seed=4))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "page.pdf").write_bytes(b"%PDF-1.4 << /Filter " + files["fax group4"] + b" endobj")


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
