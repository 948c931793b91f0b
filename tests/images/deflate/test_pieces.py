"""Streams in pieces come back, whoever made them, wherever they are cut; damage is refused."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate import engine as engines
from bitswap_cli.images.deflate import pieces, reference
from bitswap_cli.images.deflate.pieces import Joiner, Piece, describe_pieces
from tests.images.deflate.streams import deflated, raws, settings

TEXT = b"".join(b"%d is a number, %d its square\n" % (k, k * k) for k in range(6000))
NOISE = np.random.default_rng(3).bytes(70_000)


def apart(stream: bytes, header: bytes = b"\x78\x9c") -> tuple[list[bytes], list[Piece]] | None:
    """Return what a stream inflates to, and its pieces."""
    texts = list[bytes]()
    found = describe_pieces(io.BytesIO(stream), header, texts.append)
    return None if found is None else (texts, found)


def again(texts: list[bytes], found: list[Piece]) -> bytes:
    """Make the stream."""
    joiner = Joiner()
    return b"".join(joiner.join(text, piece) for text, piece in zip(texts, found, strict=True))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_ENOUGH", 9000)


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("raw", [TEXT, TEXT[:50_000] + NOISE + TEXT, NOISE, b"", bytes(99_999)])
def test_they_come_back(raw: bytes, level: int) -> None:
    stream = zlib.compress(raw, level, -zlib.MAX_WBITS)
    told = apart(stream)
    assert told is not None
    texts, found = told
    assert b"".join(texts) == raw and again(texts, found) == stream
    assert [piece.last == 0 for piece in found] == [False] * (len(found) - 1) + [True]
    assert [piece.size for piece in found] == [len(text) for text in texts]


def test_hardly_anything_is_told_of_a_piece() -> None:
    count = 0
    for level in range(1, 10):
        packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 4)  # of short blocks
        told = apart(packer.compress(TEXT) + packer.flush())
        assert told is not None
        count += len(told[1])
        assert max(len(piece.description) for piece in told[1]) < (400 if level < 4 else 100)
    assert count > 18


@limits(max_examples=60, deadline=None)
@given(raws, settings, st.integers(1, 3000))
def test_cut_anywhere(raw: bytes, setting: dict[str, int], enough: int) -> None:
    stream = deflated(raw, **setting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_ENOUGH", enough)
        told = apart(stream[2:-4], stream[:2])
    assert told is not None and again(*told) == stream[2:-4]


@limits(max_examples=60, deadline=None)
@given(raws, settings, st.integers(0, 3000), st.integers(0, 4000), st.integers(0, 99))
def test_both_engines_walk_alike(
    raw: bytes, setting: dict[str, int], stop: int, limit: int, cut: int
) -> None:
    kernel = engines.compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    stream = deflated(raw, **setting)[2:-4]
    data, history = stream[: len(stream) - cut], 0
    while True:
        walked = [one.walk(data, history, stop, limit) for one in (kernel, reference)]
        assert walked[0] == walked[1]
        if walked[0] is None or walked[0].last:
            break
        data, history = data[walked[0].end // 8 :], history + walked[0].size


def test_what_is_no_stream_has_no_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = zlib.compress(TEXT, 6, -zlib.MAX_WBITS)
    for data in (b"", stream[:-1], stream + b"x", b"\7" + stream, NOISE):
        assert apart(data) is None
    monkeypatch.setattr(pieces, "MOST", 8000)  # bytes of a block
    assert apart(stream) is None


def test_damage_is_refused() -> None:
    told = apart(zlib.compress(TEXT, 6, -zlib.MAX_WBITS))
    assert told is not None
    text, piece = told[0][0], told[1][0]
    for wrong in (
        piece._replace(last=1 << 40), piece._replace(last=-1),
        piece._replace(description=b"\xff" * 9), piece._replace(description=b""),
    ):  # fmt: skip
        with pytest.raises(ArchiveError):
            Joiner().join(text, wrong)
