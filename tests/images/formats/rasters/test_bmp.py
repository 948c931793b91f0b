"""BMP with runs comes back, as ImageMagick writes it; other packers' files are kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.images.inspection import inspect_exact, rebuild
from bitswap_cli.images.shown import shown
from tests.images.formats.samples import drawn, saved


def packed(rows: np.ndarray) -> bytes:
    """Runs of up to 255 pixels, each row ended, and all of them."""
    out = b""
    for row in rows:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and run < 255 and row[at + run] == row[at]:
                run += 1
            out += bytes([run, int(row[at])])
            at += run
        out += b"\0\0"
    return out + b"\0\1"


def with_runs(indices: np.ndarray, behind: bytes = b"") -> bytes:
    """A file of indices (H, W) into a palette of 256 colours."""
    image = Image.fromarray(indices)
    image.putpalette(np.random.default_rng(0).permutation(768).astype(np.uint8).tobytes())
    plain = saved(image, "BMP")
    width = -(-indices.shape[1] // 4) * 4
    rows = np.zeros((len(indices), width), np.uint8)
    rows[:, : indices.shape[1]] = indices[::-1]
    start = int.from_bytes(plain[10:14], "little")
    return plain[:30] + b"\1" + plain[31:start] + packed(rows) + behind


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 700), st.integers(0, 1 << 20), st.binary(max_size=3))
def test_runs_come_back(height: int, width: int, seed: int, behind: bytes) -> None:
    indices = np.repeat(drawn(height, -(-width // 90), 1, seed), 90, axis=1)[:, :width]
    data = with_runs(indices, behind)
    found = list(inspect_exact(data, None))
    assert [one.recipe.kind for one in found][:1] == ["bmp-indices"]
    assert np.array_equal(found[0].pixels[..., 0], indices)
    for one in found:
        assert rebuild(one.recipe, one.pixels) == data
        assert np.array_equal(shown(one), shown(found[0]))


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 40])
def test_runs_that_are_cut_are_kept(cut: int) -> None:
    assert list(inspect_exact(with_runs(drawn(9, 9, 1))[:-cut], None)) == []


def test_other_packets_are_kept() -> None:
    data = with_runs(np.full((1, 8), 7, np.uint8))
    assert data.endswith(b"\x08\x07\0\0\0\1")
    for body in (
        b"\x04\x07\x04\x07\0\0\0\1",
        b"\0\x08" + b"\x07" * 8 + b"\0\0\0\1",
        b"\x08\x07\0\1",
    ):
        assert list(inspect_exact(data[:-6] + body, None)) == []
