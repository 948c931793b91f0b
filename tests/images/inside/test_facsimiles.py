"""Facsimiles are found in PDF files, wherever they lie, and nothing else is."""

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.images.inside.facsimiles import FACSIMILES
from bitswap_cli.images.inside.scanning import find
from tests.images.formats.samples import drawn, of_facsimiles

LARGE = np.kron(drawn(60, 50, 1), np.ones((8, 8), np.uint8))
ONES = [data for name, data in of_facsimiles(LARGE).items() if name.startswith("fax")]
OBJECT = b"%PDF-1.4\n1 0 obj << /Type /XObject /Filter "


def found_in(data: bytes) -> list[bytes]:
    spans = find(io.BytesIO(data), len(data), [FACSIMILES])
    return [data[span.start : span.start + span.length] for span in spans]


def test_all_are_found() -> None:
    data = b"".join(OBJECT + one + b"\nendobj\n" for one in ONES)
    assert found_in(data) == ONES
    assert found_in(data.replace(b"endstream", b"endstrean")) == []
    assert found_in(OBJECT + ONES[0][: -len(b"endstream") - 1]) == []


def test_a_long_one_is_found() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (600, 800)).astype(np.uint8) * 255
    (one,) = [data for name, data in of_facsimiles(noise).items() if name == "fax group4"]
    assert len(one) > 1 << 16 and found_in(OBJECT + one + b"endobj") == [one]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 20), st.integers(0, 255))
def test_what_is_spoilt_is_found_only_if_it_comes_back(place: int, byte: int) -> None:
    data = bytearray(OBJECT + ONES[0] + b"\nendobj")
    data[place % len(data)] = byte
    assert all(one in bytes(data) for one in found_in(bytes(data)))
