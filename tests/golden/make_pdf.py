"""Make the golden archive of facsimiles and of images of PDF files, and write what has to come out
of it into manifest.json.

python -m tests.golden.make_pdf [--force]
"""

from pathlib import Path

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze
from tests.images.formats.pdfs import flate, of_facsimiles, of_pdf
from tests.images.formats.samples import drawn

ARCHIVE = HERE / "photo-pdf-5.bsw"


def write_files(folder: Path) -> None:
    """Write pages as TIFF files, what stands in PDF files, and a PDF file of some of that."""
    pixels = drawn(60, 70, 4, seed=4)
    files = of_facsimiles(pixels[..., 0]) | of_pdf(pixels)
    files["flate photo"] = flate(photo(48, 56, 95), predictor=15)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    images = files["fax group4"], files["flate RGB 15"], files["flate photo"]
    (folder / "pages.pdf").write_bytes(b"%PDF-1.4\n" + b"\n".join(b"1 0 obj\n" + i for i in images))


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
