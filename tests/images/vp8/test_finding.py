"""Frames are found wherever they lie, and what is left of bytes tells the rest."""

import io

import pytest
from PIL import Image

from bitswap_cli.images.vp8 import engine, finding
from tests.images.vp8.webp_files import frame_of, scene, webp


def animated() -> bytes:
    """A lossy animation with an alpha channel."""
    out = io.BytesIO()
    frames = [Image.fromarray(scene(24, 30, seed)).convert("RGBA") for seed in range(3)]
    for frame in frames:
        frame.putalpha(200)
    frames[0].save(out, "webp", save_all=True, append_images=frames[1:], quality=60)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (webp(scene(20, 30, 1)), 1),
        (animated(), 3),
        (b"VP8 " + webp(scene(20, 30, 1)) + webp(scene(9, 9, 2)) + b"VP8 \x10\0\0\0", 2),
        (webp(scene(20, 30, 1), lossless=True), 0),
        (webp(scene(20, 30, 1))[:-10], 0),
        (b"", 0),
    ],
)
def test_frames_are_found(data: bytes, count: int) -> None:
    spans = finding.found(data)
    assert len(spans) == count
    assert finding.likely(data) == sum(span.end - span.start for span in spans)
    ends = [0, *(span.end for span in spans)]
    gaps = [span.start - end for span, end in zip(spans, ends, strict=False)]
    words = engine.encode([data[span.start : span.end] for span in spans])
    assert engine.decode(words, finding.rest(data, spans), gaps, len(data)) == data


def test_a_frame_that_does_not_come_back_is_left() -> None:
    """Behind what decisions tell it has other bytes than zeros."""
    data = webp(scene(20, 30, 1))
    frame = frame_of(data) + b"\1\2\3"
    told = b"VP8 " + len(frame).to_bytes(4, "little") + frame
    assert finding.likely(told) == len(frame)
    assert finding.found(told) == []
