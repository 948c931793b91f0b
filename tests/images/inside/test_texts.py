"""Texts in base64 are found, decoded, and made again, whatever parts their lines."""

import base64
import io
import json
from email.mime.image import MIMEImage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.inside.scanning import BASE64, find
from bitswap_cli.images.inside.streams import fold, in_pieces, inflate, unfold
from bitswap_cli.images.inside.texts import LARGEST, TEXTS, decode, encode
from tests.images.formats.samples import files

PNG = next(data for name, data in files().items() if name.startswith("apng"))
TEXT = base64.b64encode(PNG)
BREAKS = [b"\n", b"\r\n", b"\\n", b"\\r\\n", b"\n    ", b"\r\n\t", b"%0A", b"&#10;", b"&#xA;"]


def lines(text: bytes, length: int, parted: bytes) -> bytes:
    return parted.join(text[at : at + length] for at in range(0, len(text), length))


def found_in(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """What is found, where, as it lies there, and what it stands for."""
    told = []
    for start, length, stream in find(io.BytesIO(data), len(data), [TEXTS]):
        own = data[start : start + length]
        assert stream is not None and stream.packing == BASE64
        unfolded = unfold(own, stream)
        assert unfolded is not None and unfolded.inflated == inflate(own, stream)
        assert len(unfolded.inflated) == stream.size
        assert fold(unfolded.inflated, unfolded.description, BASE64) == own
        told.append((start, own, unfolded.inflated))
    return told


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(4, 25).map(lambda k: 4 * k), st.sampled_from(BREAKS))
def test_texts_come_back(data: bytes, length: int, parted: bytes) -> None:
    for text in (base64.b64encode(data), lines(base64.b64encode(data), length, parted)):
        found = decode(text)
        assert found is not None and found[0] == data
        assert encode(*found) == text and len(found[1]) <= 2 + len(parted)


@pytest.mark.parametrize("parted", BREAKS)
@pytest.mark.parametrize("length", [16, 57, 76, 1000])
def test_they_are_found_among_others(parted: bytes, length: int) -> None:
    text = lines(TEXT, length, parted)
    for before, behind in (
        (b'{"a": "', b'\\n"}'),
        (b"<img src='data:;base64,", b"'/>"),
        (b"", b"\n\n"),
    ):
        data = before + text + behind
        assert found_in(data) == [(len(before), text, PNG)]
        assert found_in(data * 2) == [(at, text, PNG) for at in (len(before), len(data + before))]


def test_notebooks_and_mail() -> None:
    told = {"cells": [{"image/png": base64.encodebytes(PNG).decode(), "text": ["a", "b"]}]}
    for data in (json.dumps(told).encode(), MIMEImage(PNG, "png").as_bytes()):
        ((_, _, found),) = found_in(data)
        assert found == PNG


@pytest.mark.parametrize("parted", BREAKS)
def test_its_first_part_may_end_within_what_parts_its_lines(parted: bytes) -> None:
    for length in (60, 61, 62, 63):
        text = lines(base64.b64encode(PNG + bytes(1 << 16)), length, parted)
        assert found_in(text)[0][:2] == (0, text)


def test_a_long_one_is_found() -> None:
    text = base64.b64encode(PNG + bytes(range(256)) * 1024)
    for data in (text, lines(text, 76, b"\n")):
        assert [own for _, own, _ in found_in(b">" + data + b"<")] == [data]


def test_the_longest_one() -> None:
    """Which decodes to what is held as a whole."""
    text = base64.b64encode(PNG + bytes(LARGEST // 4 * 3 - len(PNG)))
    assert len(text) == LARGEST
    for data, count in ((text, 1), (text + b"AAAA", 0), (lines(text, 1 << 20, b"\n"), 0)):
        spans = find(io.BytesIO(data), len(data), [TEXTS])
        assert len(spans) == count
        assert not any(span.stream is None or in_pieces(span.stream) for span in spans)


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:99],
        TEXT[:126] + b"==",
        TEXT[:200] + b"_" + TEXT[200:],
        TEXT[:201],
        TEXT[:201] + b"===",
        TEXT[:202] + b"v==",  # bits that stand for nothing
        lines(TEXT, 76, b"\n")[:200].replace(b"\n", b"\n\n", 1),
        b"iVBORw0K",
        b"/9j/" * 30 + b"/",
    ],
)
def test_others_are_not(text: bytes) -> None:
    assert all(own in text and len(own) < len(text) for _, own, _ in found_in(text))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=90),
    st.one_of(
        st.binary(max_size=9),
        st.tuples(st.integers(0, 99), st.integers(0, 70)).map(
            lambda told: varint(told[0]) + varint(told[1]) + bytes(told[1])
        ),
    ),
)
def test_any_description_makes_a_text_or_is_refused(data: bytes, description: bytes) -> None:
    try:
        assert len(encode(data, description)) <= 4 + len(data) * 7
    except ArchiveError as error:
        assert "damaged" in str(error)
