"""Pictures inside of other files are found where they lie, in time linear in the file's size."""

import io
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.images.inside import pictures, scanning
from bitswap_cli.images.inside.pictures import SMALLEST
from bitswap_cli.images.inside.scanning import Span, View
from tests.archive.support import encoded, smooth

PIXELS = np.random.default_rng(3).integers(0, 256, (40, 40, 3)).astype(np.uint8)
PICTURES = (
    encoded(PIXELS),
    encoded(PIXELS, "JPEG"),
    encoded(PIXELS, "JPEG", progressive=True, comment=b"\xff\xd9" * 9),
    encoded(PIXELS, "JPEG", restart_marker_blocks=1),
    encoded(PIXELS, "JPEG", exif=b"Exif\0\0" + encoded(smooth(30, 30), "JPEG")),
)
TEXTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n"]),
    st.sampled_from([picture[: len(picture) // 2] for picture in PICTURES]),
)


@pytest.fixture(params=[None, 5000])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be seen by small parts, too."""
    if request.param:
        monkeypatch.setattr(scanning, "_WINDOW", request.param)
        monkeypatch.setattr(scanning, "_STEP", 100)
        monkeypatch.setattr(pictures, "_STEP", 100)


def find(data: bytes) -> list[Span]:
    """Return where pictures lie in a file of some bytes."""
    return scanning.find(io.BytesIO(data), len(data), [pictures.PICTURES])


@pytest.mark.usefixtures("small")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40), st.sampled_from(PICTURES)), max_size=6))
def test_every_picture_is_found_where_it_lies(parts: list[tuple[bytes, bytes]]) -> None:
    data, expected = bytearray(), []
    for literal, picture in parts:
        data += literal.replace(b"\xff", b"").replace(b"\x89", b"")
        expected.append(Span(len(data), len(picture)))
        data += picture
    data += b"the end"
    assert find(bytes(data)) == expected


@pytest.mark.usefixtures("small")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(TEXTS, st.sampled_from(PICTURES)), max_size=8))
def test_whatever_is_there_spans_follow_each_other(parts: list[bytes]) -> None:
    """Each begins and ends like a picture; what is cut off is none."""
    data = b"".join(parts)
    end = 0
    for start, length, _ in find(data):
        own = data[start : start + length]
        assert end <= start and length >= SMALLEST and pictures.begins_as_one(own)
        assert own[-2:] == b"\xff\xd9" or own[-8:-4] == b"IEND"
        end = start + length
    assert end <= len(data)


def test_small_pictures_and_those_that_end_too_late_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    icon = encoded(np.zeros((4, 4, 3), np.uint8))
    assert len(icon) < SMALLEST
    data = b"x" + icon + PICTURES[1] + b"x"
    (span,) = find(data)
    assert span[:2] == (1 + len(icon), len(PICTURES[1]))
    assert find(data[:-3]) == []
    monkeypatch.setattr(pictures, "LARGEST", len(PICTURES[1]) - 1)
    assert find(data) == []


def test_at_most_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MOST", 2)
    assert len(find(PICTURES[0] * 3)) == 2


class _Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def _hostile() -> Iterator[bytes]:
    """Yield what looks like many pictures, and is none."""
    size = 1 << 20
    yield b"\xff\xd8" + b"\xff" * size
    yield b"\xff\xd8\xff" * (size // 3)
    yield b"\xff\xd8\xff\xe0\xff\xf0" * (size // 6)
    yield b"\xff\xd8\xff\xda\0\2" * (size // 6)
    yield b"\xff\xd8\xff\xda\0\2" * 99 + b"\0" * size
    yield b"\x89PNG\r\n\x1a\n\0\0\0\0IHDR\0\0\0\0" * (size // 20)
    yield (b"\x89PNG\r\n\x1a\n\0\0\0\0IHDR\0\0\0\0" + b"\0\0\0\0IDATcrc!" * 50) * 999


@pytest.mark.parametrize("data", list(_hostile()))
def test_what_only_looks_like_pictures_costs_linear_time(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    seen = View.at

    def at(self: View, place: int, length: int) -> bytes:
        nonlocal steps
        steps += 1
        return seen(self, place, length)

    monkeypatch.setattr(View, "at", at)
    file: BinaryIO = _Counted(data)
    assert scanning.find(file, len(data), [pictures.PICTURES]) == []
    assert steps < 2 * pictures._STEPS + len(data) // scanning._MARKER
    assert isinstance(file, _Counted) and file.count < 150 * (len(data) + scanning._IN_VAIN)
