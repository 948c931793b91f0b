"""Deflate streams are found where they lie, come back byte for byte, and cost linear time."""

import gzip
import io
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.inside import scanning, streams
from bitswap_cli.images.inside.pictures import PICTURES
from bitswap_cli.images.inside.scanning import RAW, Span, Stream, View
from bitswap_cli.images.inside.streams import STREAMS, fold, in_pieces, inflate, unfold
from tests.archive.support import bad_png

TEXT = b"".join(b"%d is a number, %d its square\n" % (k, k * k) for k in range(300))
NOISE = np.random.default_rng(5).bytes(3000)


def find(data: bytes) -> list[Span]:
    """Return what lies in a file of some bytes."""
    return scanning.find(io.BytesIO(data), len(data), (PICTURES, STREAMS))


def deflated(data: bytes, window: int, level: int = 6, memory: int = 8) -> bytes:
    """Return a stream of zlib's: of a window below 0, without header and checksum."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, window, memory)
    return deflater.compress(data) + deflater.flush()


def zipped(data: bytes, level: int = 6, name: str = "name") -> bytes:
    """Return a ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as pack:
        pack.writestr(name, data)
    return out.getvalue()


def streams_in(data: bytes) -> list[bytes]:
    """Return the streams of a file, of which each comes back."""
    found = []
    for start, length, stream in find(data):
        own = data[start : start + length]
        assert stream is not None
        inflated = inflate(own, stream)
        unfolded = unfold(own, stream)
        assert unfolded is not None and unfolded.inflated == inflated
        assert fold(unfolded.inflated, unfolded.description, packing=stream.packing) == own
        found.append(unfolded.inflated)
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.binary(max_size=9),
            st.sampled_from([TEXT, TEXT[::-1], NOISE]),
            st.sampled_from(["zip", "gzip", "zlib", "pdf"]),
            st.integers(0, 9),
            st.integers(1, 9),
        ),
        max_size=6,
    )
)
def test_every_stream_is_found_and_comes_back(
    parts: list[tuple[bytes, bytes, str, int, int]],
) -> None:
    data, expected = bytearray(), []
    for literal, text, sort, level, memory in parts:
        data += literal.translate(None, b"Px\x1f\n\xff\x89")
        expected.append(text)
        if sort == "zip":
            data += zipped(text, level)
        elif sort == "gzip":
            data += gzip.compress(text, level, mtime=7)
        elif sort == "zlib":
            data += deflated(text, 15, level, memory)
        else:
            data += b"stream\nH\x89" + zlib.compress(text, level)[2:]
    # a header of another window and level is right as well
    assert streams_in(bytes(data) + b"the end of it") == expected


def test_headers_of_gzip_files() -> None:
    raw, tail = deflated(TEXT, -15, 9), b"12345678"
    extra, name, comment, crc = b"\4\0abcd", b"a name\0", b"\0", b"cc"
    for flags, more in ((0, b""), (4, extra), (8, name), (31, extra + name + comment + crc)):
        data = b"\x1f\x8b\x08%c\0\0\0\0\2\3" % flags + more + raw + tail
        assert find(data) == [Span(10 + len(more), len(raw), Stream(len(TEXT), b"\x78\xda", RAW))]
    for flags, more in ((32, b""), (8, b"x" * 2000), (16, b"no end")):
        assert not find(b"\x1f\x8b\x08%c\0\0\0\0\2\3" % flags + more + raw + tail)
    assert not find(b"\x1f\x8b\x08\0\0\0" + bytes(3))


def test_members_of_zip_files() -> None:
    """Those that are stored or encrypted are none; a level is a hint at who wrote them."""
    data = zipped(TEXT)
    (span,) = find(data)
    assert span.start == 34 and span.stream == (len(TEXT), b"\x78\x9c", False)
    for place, byte in ((8, 0), (6, 1)):  # method, flags
        changed = bytearray(data)
        changed[place] = byte
        assert not find(bytes(changed))
    for flag, level in ((2, b"\xda"), (4, b"\x5e"), (6, b"\x01")):
        changed = bytearray(data)
        changed[6] = flag
        (span,) = find(bytes(changed))
        assert span.stream and span.stream.head == b"\x78" + level
    assert not find(data[:25])


def test_what_does_not_end_is_none() -> None:
    for data in (zlib.compress(TEXT), zipped(TEXT)[:-99], gzip.compress(TEXT)[:-8]):
        assert find(data) or not data.startswith(b"x")
        assert not find(data[: len(data) // 2])
    wrong = zlib.compress(TEXT)[:-1] + b"?"
    assert not find(wrong + bytes(9))
    assert not find(b"x" + zlib.compress(b"short") + bytes(9))


def test_streams_in_pictures_are_parts_of_these_and_the_other_way_round() -> None:
    png = bad_png(40, 40)
    assert find(b"x" + png + bytes(9)) == [Span(1, len(png))]
    packed = zlib.compress(png, 0)
    ((start, length, stream),) = find(b"x" + packed + bytes(9))
    assert (start, length) == (1, len(packed)) and stream


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped(TEXT) * 3 + bytes(9)
    assert len(find(data)) == 3
    with monkeypatch.context() as patch:
        patch.setattr(streams, "LARGEST_INFLATED", len(TEXT) - 1)
        assert not find(data)
    bomb = zlib.compress(bytes(1 << 25))
    assert not find(bomb + bytes(9))
    assert find(zlib.compress(bytes(1 << 16)) + bytes(9))


@pytest.mark.parametrize(
    "data",
    [
        b"x^2" * (1 << 18),
        b"x\x9cu" * (1 << 18),
        b"x\x9c\x03\0" * (1 << 18),
        b"PK\3\4" * (1 << 18),
        (b"PK\3\4\0\0\0\0\x08" + bytes(21)) * (1 << 15),
        b"\x1f\x8b\x08" * (1 << 18),
        b"\nH\x89" * (1 << 18),
        zlib.compress(NOISE * 9)[:-5] * 40,
        zlib.compress(bytes(1 << 24))[:-5] * 40,
    ],
)
def test_what_only_looks_like_streams_costs_linear_time(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs, walk = [0], STREAMS.walk

    def counted(view: View, start: int) -> Span | None:
        span = walk(view, start)
        costs.append(view.cost)
        return span

    sorts = (PICTURES, STREAMS._replace(walk=counted))
    assert not scanning.find(io.BytesIO(data), len(data), sorts)
    assert sum(costs) < 2 * (len(data) + scanning._IN_VAIN) + max(costs)


def test_large_ones_lie_between_their_first_bytes_and_their_checksum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As they are described in pieces."""
    packed = zlib.compress(TEXT)
    ((start, length, stream),) = find(b"-" + packed + bytes(9))
    assert (start, length) == (1, len(packed)) and stream and not in_pieces(stream)
    monkeypatch.setattr(streams, "WHOLE", len(TEXT) - 1)
    ((start, length, stream),) = find(b"-" + packed + bytes(9))
    assert (start, length) == (3, len(packed) - 6) and stream and in_pieces(stream)
    assert stream.head == packed[:2] and not stream.own


def test_others_do_not_come_back() -> None:
    (span,) = find(zipped(TEXT) + bytes(9))
    own = zipped(TEXT)[span.start :][: span.length]
    assert span.stream is not None
    assert inflate(own[:-1], span.stream) is None and inflate(own + b"x", span.stream) is None
    assert inflate(NOISE, span.stream) is None and unfold(NOISE, span.stream) is None
    other = span.stream._replace(size=span.stream.size - 1)
    assert inflate(own, other) is None and unfold(own, other) is None
    unfolded = unfold(own, span.stream)
    assert unfolded is not None
    with pytest.raises(ArchiveError):
        fold(unfolded.inflated, unfolded.description[:2], packing=RAW)


def test_who_wrote_them_is_told() -> None:
    (span,) = find(zipped(TEXT) + bytes(9))
    assert span.stream is not None
    unfolded = unfold(zipped(TEXT)[span.start :][: span.length], span.stream)
    assert unfolded is not None and unfolded.makers == frozenset()
