"""Images as they stand in PDF files, and facsimiles in TIFF files."""

import io
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from bitswap_cli.images.packings.filters import filtered

Pixels = NDArray[np.uint8]

PACKINGS = ("group4", "group3", "tiff_ccitt")
"""Of facsimiles, as Pillow names them."""


def pdf_image(stream: bytes, told: str) -> bytes:
    """An image with what its dictionary tells."""
    return b"<< /Subtype /Image %b /Length 9 >>\nstream\r\n%b\nendstream" % (told.encode(), stream)


def of_facsimiles(gray: Pixels) -> dict[str, bytes]:
    """Black and white as codes of facsimile: TIFF as libtiff writes it, and images of PDF files."""
    bits = Image.fromarray(gray).convert("1", dither=Image.Dither.NONE)
    found, more = {}, [bits.resize((20, 9))]
    for kind, name in enumerate(PACKINGS):
        out, pages = io.BytesIO(), io.BytesIO()
        bits.save(out, "TIFF", compression=name)
        bits.save(pages, "TIFF", compression=name, save_all=True, append_images=more)
        told = "/K {} /Columns {} /Rows {}".format(kind - 1, *bits.size)
        told = f"/DecodeParms << {told} >> /Filter /CCITTFaxDecode /Width 7"
        found[f"tiff-fax {name}"] = out.getvalue()
        found[f"tiff-fax pages {name}"] = pages.getvalue()
        found[f"fax {name}"] = pdf_image(strip_of(out.getvalue()), told)
    return found


def strip_of(data: bytes) -> bytes:
    """The only strip of a TIFF file."""
    with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as image:
        (start,), (length,) = (image.tag_v2[tag] for tag in (273, 279))
    return data[start : start + length]


def flate(stored: Pixels, depth: int = 8, predictor: int = 1) -> bytes:
    """Rows (H, bytes of a pixel in a row) of an image of so many bits a sample, deflated."""
    height, width, channels = stored.shape
    samples = channels * 8 // max(8, depth)
    rows = stored.reshape(height, -1)
    if depth < 8:
        bits = np.unpackbits(stored, axis=2)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    if predictor >= 10:
        rows = filtered(rows, max(1, channels), np.arange(height, dtype=np.uint8) % 5)
    told = f"/Width {width} /Height {height} /BitsPerComponent {depth}"
    parameters = f"/DecodeParms << /Predictor {predictor} /Colors {samples} /Columns {width} >>"
    told += f" /Filter [ /FlateDecode ] {parameters if predictor > 1 else ''}"
    return pdf_image(zlib.compress(rows.tobytes(), 9), told)


def of_pdf(rgba: Pixels) -> dict[str, bytes]:
    """Images of PDF files, deflated with filters and without."""
    found = {}
    for predictor in (1, 15):
        kinds = {"gray": rgba[..., :1], "RGB": rgba[..., :3], "CMYK": rgba, "deep": rgba}
        for name, pixels in kinds.items():
            depth = 16 if name == "deep" else 8
            stored = pixels.repeat(2, axis=2)[..., :6] if depth == 16 else pixels
            found[f"flate {name} {predictor}"] = flate(stored, depth, predictor)
        for depth in (1, 2, 4):
            stored = rgba[..., :1] >> np.uint8(8 - depth)
            found[f"flate {depth} bits {predictor}"] = flate(stored, depth, predictor)
    return found
