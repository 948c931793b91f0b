"""Images are found in PDF files, wherever they lie, and nothing else is."""

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.images.inside.pdf_images import PDF_IMAGES
from bitswap_cli.images.inside.scanning import find
from tests.images.formats.pdfs import flate, of_facsimiles, of_pdf
from tests.images.formats.samples import drawn

LARGE = np.kron(drawn(60, 50, 4), np.ones((8, 8, 1), np.uint8))
FAX = of_facsimiles(LARGE[..., 0])
ONES = [*(data for name, data in FAX.items() if "tiff-" not in name), *of_pdf(LARGE).values()]
OBJECT = b"%PDF-1.4\n1 0 obj\n"


def found_in(data: bytes) -> list[bytes]:
    spans = find(io.BytesIO(data), len(data), [PDF_IMAGES])
    return [data[span.start : span.start + span.length] for span in spans]


def test_all_are_found() -> None:
    data = b"".join(OBJECT + one + b"\nendobj\n" for one in ONES)
    assert found_in(data) == ONES
    assert found_in(data.replace(b"endstream", b"endstrean")) == []
    assert found_in(data.replace(b"obj", b"job")) == []
    assert found_in(ONES[0]) == []
    assert found_in(OBJECT + ONES[0][: -len(b"endstream") - 1]) == []
    assert found_in(OBJECT + ONES[0].replace(b"<< /Subtype", b" /Subtype")) == []


def test_small_ones_are_left() -> None:
    """Of which a PDF file may have thousands."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 1)).astype(np.uint8)
    for side in (4, 8, 20):
        one = flate(noise[:side, :side])
        assert found_in(OBJECT + one + b"endobj") == [one] * (side == 20)


def test_a_long_one_is_found() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 1)).astype(np.uint8)
    one = flate(noise)
    assert len(one) > 1 << 18 and found_in(OBJECT + one + b"endobj") == [one]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 20), st.integers(0, 255))
def test_what_is_spoilt_is_found_only_where_it_lies(place: int, byte: int) -> None:
    data = bytearray(OBJECT + ONES[0] + b"\nendobj\n" + OBJECT + ONES[-1])
    data[place % len(data)] = byte
    assert all(one in bytes(data) for one in found_in(bytes(data)))
