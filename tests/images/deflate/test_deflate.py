"""What is described is restored, byte for byte, and zlib's own streams take next to nothing."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.images.deflate import describe, restore
from tests.images.deflate.streams import RAW, changing, deflated, flat, overlapping, raws, settings

LIMIT = 1 << 24


@limits(deadline=None)
@given(raws, settings)
def test_streams_by_zlib_come_back(raw: bytes, setting: dict[str, int]) -> None:
    stream = deflated(raw, **setting)
    described = describe(stream, LIMIT)
    assert described is not None and described.inflated == raw
    assert restore(*described) == stream


@limits(deadline=None)
@given(raws, settings, st.binary(max_size=9))
def test_what_follows_a_stream_comes_back(raw: bytes, setting: dict[str, int], tail: bytes) -> None:
    stream = deflated(raw, **setting) + tail
    described = describe(stream, LIMIT)
    assert described is not None and restore(*described) == stream


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("memory", [1, 8, 9])
@pytest.mark.parametrize("window", [9, 12, 15])
@pytest.mark.parametrize("strategy", [0, 1, 2, 3, 4])
def test_zlib_is_predicted_exactly(level: int, memory: int, window: int, strategy: int) -> None:
    raw = RAW["rows"]() + RAW["few"]() + RAW["rows"]()
    described = describe(deflated(raw, level, window, memory, strategy), LIMIT)
    assert described is not None
    assert len(described.description) <= 8


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("memory", [7, 8])
@pytest.mark.parametrize("window", [10, 15])
@pytest.mark.parametrize(
    "raw", [changing(), flat(), overlapping()], ids=["changing", "flat", "overlapping"]
)
def test_zlib_is_predicted_exactly_where_more_is_to_be_searched(
    raw: bytes, level: int, memory: int, window: int
) -> None:
    described = describe(deflated(raw, level, window, memory), LIMIT)
    assert described is not None
    assert len(described.description) <= 5


def test_feeding_zlib_by_rows_makes_no_difference() -> None:
    raw = RAW["few"]() * 10
    by_rows = describe(deflated(raw, 6, feed=100), LIMIT)
    assert by_rows is not None and len(by_rows.description) == 3


@pytest.mark.parametrize("level", [0, 1, 3, 6, 9])
def test_pngs_by_pillow_come_back(level: int) -> None:
    y, x = np.mgrid[:90, :80]
    picture = Image.fromarray(((x * y) % 251).astype(np.uint8))
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=level)
    data = file.getvalue()
    at, stream = 8, b""
    while at < len(data):
        length, tag = struct.unpack(">I4s", data[at : at + 8])
        stream += data[at + 8 : at + 8 + length] if tag == b"IDAT" else b""
        at += 12 + length
    described = describe(stream, LIMIT, [81])
    assert described is not None and restore(*described) == stream
    assert len(described.description) <= 32


def test_an_inflated_stream_may_not_exceed_the_limit() -> None:
    stream = deflated(bytes(1000), 6)
    assert describe(stream, 1000) is not None
    assert describe(stream, 999) is None


@pytest.mark.parametrize("stream", [b"", b"x", b"\x78\x9c", b"\x78\x9d\x03\x00", b"GIF89a"])
def test_other_bytes_are_refused(stream: bytes) -> None:
    assert describe(stream, LIMIT) is None


def test_a_cut_stream_is_refused() -> None:
    stream = deflated(RAW["rows"](), 6)
    assert all(describe(stream[:size], LIMIT) is None for size in range(0, len(stream) - 4, 7))


def test_a_wrong_or_missing_checksum_comes_back() -> None:
    stream = deflated(RAW["rows"](), 6)
    for other in (stream[:-4], stream[:-2], stream[:-1] + b"\x00", stream[:-4] + b"abcdefgh"):
        described = describe(other, LIMIT)
        assert described is not None and restore(*described) == other


def test_blocks_after_flushes_come_back() -> None:
    raw = RAW["rows"]()
    for flush in (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH):
        maker = zlib.compressobj(6)
        stream = maker.compress(raw) + maker.flush(flush) + maker.compress(raw) + maker.flush()
        described = describe(stream, LIMIT)
        assert described is not None and restore(*described) == stream
