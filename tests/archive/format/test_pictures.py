"""Pictures in BYTE chunks come back, and malformed ones are refused."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.archive.format.pictures import pack_picture, picture_file, unpack_picture
from bitswap_cli.archive.format.segments import PICTURE, ByteSegment
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.picture import CHANNELS, Picture, Recipe

GOOD: list[object] = [6, 2, 3, 3, b"prefix", b"suffix", b"told"]
SAMPLES = bytes(range(18))


def packed(head: object, samples: bytes = SAMPLES) -> bytes:
    body = pack_object(head)
    return len(body).to_bytes(4, "little") + body + samples


@given(
    st.integers(1, 9), st.integers(1, 9), st.sampled_from(CHANNELS),
    st.sampled_from(["png-exact", "png-samples-exact", "bmp"]),
    st.tuples(*3 * [st.binary(max_size=9)]),
)  # fmt: skip
def test_pictures_come_back(
    height: int, width: int, channels: int, kind: str, texts: tuple[bytes, bytes, bytes]
) -> None:
    pixels = np.arange(height * width * channels, dtype=np.uint8).reshape(height, width, channels)
    picture = Picture(pixels, Recipe(kind, *texts))
    data = pack_picture(picture)
    found = unpack_picture(memoryview(data))
    assert found.recipe == picture.recipe and np.array_equal(found.pixels, pixels)
    for wrong in (data[:-1], data + b"\0"):
        with pytest.raises(ArchiveError, match="malformed"):
            unpack_picture(wrong)


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 0), (0, 3), (0, 250), (0, "6"), (1, 0), (1, -2), (1, 4), (2, 1 << 60), (3, 5), (3, 0),
     (4, "x"), (6, None), (4, bytes((1 << 23) + 1))],
)  # fmt: skip
def test_malformed_heads_are_refused(place: int, value: object) -> None:
    assert unpack_picture(packed(GOOD)).recipe == Recipe("png-exact", b"prefix", b"suffix", b"told")
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_picture(packed([*GOOD[:place], value, *GOOD[place + 1 :]]))


@pytest.mark.parametrize(
    "data", [b"", b"\0\0", b"\xff" * 4 + b"abc", packed([]), packed(6), packed([*GOOD, 0])]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_picture(data)


def test_a_file_is_what_the_table_tells() -> None:
    head = b"P6 3 2 255\n"
    data = packed([2, 2, 3, 3, head, b"", b""])
    file = head + SAMPLES
    good = ByteSegment(b"x", PICTURE, len(file), 0, len(data), 0, zlib.crc32(file))
    assert picture_file(good, data) == file
    for wrong in (good._replace(crc=1), good._replace(size=1)):
        with pytest.raises(ArchiveError, match="x does not come back as it was"):
            picture_file(wrong, data)
