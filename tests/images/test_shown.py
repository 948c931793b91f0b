"""The samples that a file shows: as PNG and Netpbm say, whichever way its pixels are coded."""

import contextlib
import io

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.errors import InputError
from bitswap_cli.images.inspection import inspect, inspect_wide
from bitswap_cli.images.shown import read_samples, shown
from tests.images.png_files import SAMPLES, chunk, write_png

DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
RNG = np.random.default_rng(0)


def every_way(data: bytes) -> list[np.ndarray]:
    """What a file shows as each picture that it can be seen as, and as a file."""
    plain = inspect(data)
    seen = [plain] if plain else inspect_wide(data)
    assert seen
    return [*(shown(picture) for picture in seen), read_samples(data)]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour, depth", [(c, d) for c, depths in DEPTHS.items() for d in depths])
def test_png(colour: int, depth: int, interlaced: bool) -> None:
    samples = RNG.integers(0, 1 << depth, (11, 14, SAMPLES[colour]))
    palette = RNG.permutation(1 << 24)[: 1 << depth].astype(">u4").tobytes()
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 4)[:, 1:]
    before = chunk(b"PLTE", colours.tobytes()) if colour == 3 else b""
    data = write_png(samples, depth, colour, interlaced=interlaced, before=before)
    expected: np.ndarray = samples
    if colour == 3:
        expected = colours[samples[..., 0]]
    elif depth < 8:
        expected = samples * (255 // ((1 << depth) - 1))
    for found in every_way(data):
        assert found.dtype == (np.uint16 if depth == 16 else np.uint8)
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("alpha", [b"", b"\x07"])
def test_indices_beyond_the_palette_show_black(alpha: bytes) -> None:
    indices = np.arange(16).reshape(4, 4, 1)
    before = chunk(b"PLTE", b"\x09\x08\x07" * 2) + (chunk(b"tRNS", alpha) if alpha else b"")
    for found in every_way(write_png(indices, 4, 3, before=before)):
        assert found.shape == (4, 4, 4 if alpha else 3)
        assert found[0, 0].tolist() == [9, 8, 7, *alpha]
        assert found[0, 1].tolist() == [9, 8, 7, *([255] if alpha else [])]
        assert found[3, 3].tolist() == [0, 0, 0, *([255] if alpha else [])]


@pytest.mark.parametrize("magic, channels", [(b"P5", 1), (b"P6", 3)])
def test_netpbm_of_sixteen_bits(magic: bytes, channels: int) -> None:
    samples = RNG.integers(0, 1000, (5, 7, channels)).astype(">u2")
    for found in every_way(magic + b" 7 5 999\n" + samples.tobytes()):
        assert found.dtype == np.uint16
        assert np.array_equal(found, samples)


def test_what_is_read_is_nobody_elses() -> None:
    data = b"P6 2 2 255\n" + bytes(range(12))
    found = read_samples(data)
    found[:] = 0
    assert not np.array_equal(read_samples(data), found)


def test_nothing_is_said_of_damaged_metadata(recwarn: pytest.WarningsRecorder) -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(out, "TIFF")
    with contextlib.suppress(InputError):
        read_samples(out.getvalue()[:-3])
    assert not recwarn.list


def test_no_picture() -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((3, 3), np.int32)).save(out, "TIFF")
    for data, message in (
        (b"", "no picture"),
        (b"text", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "no picture"),
        (out.getvalue(), "more than 16 bits"),
    ):
        with pytest.raises(InputError, match=message):
            read_samples(data)
