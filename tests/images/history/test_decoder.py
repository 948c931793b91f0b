"""The decoder makes the pixels that libjpeg makes, by either engine."""

import itertools
import zlib

import numpy as np
import pytest

from bitswap_cli.images.formats.lattice import maps
from bitswap_cli.images.history import decoder as decoder_module
from bitswap_cli.images.history import engine, reference
from bitswap_cli.images.history.decoder import Decoder, Origin, decode
from tests.images.history.jpegs import drawn, load, save, scene, taken_apart

SIZES = ((64, 96), (61, 83), (5, 37), (37, 5), (16, 4), (1, 1), (9, 3))
ENGINES = [reference, *filter(None, [engine.compiled()])]


@pytest.mark.parametrize("used", ENGINES)
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
def test_pixels_are_pillows(
    used: engine.Engine, sampling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_module, "engine", lambda: used)
    for seed, (quality, (height, width)) in enumerate(itertools.product((30, 85, 97), SIZES)):
        pixels = scene(height, width, seed, gray=sampling == "gray")
        data = save(pixels, quality, "4:4:4" if sampling == "gray" else sampling)
        origin, picture = taken_apart(data)
        assert np.array_equal(decode(origin, picture.coefficients, height, width), load(data))


@pytest.mark.parametrize("used", ENGINES)
def test_blocks_are_the_same_about_where_32_bits_end(used: engine.Engine) -> None:
    """Up to a sum of 32,000 the compiled decoder computes with fewer bits."""
    random = np.random.default_rng(0)
    steps, blocks = random.integers(1, 17, 64, np.int32), np.zeros((8, 8, 64), np.int16)
    for block, goal in zip(
        blocks.reshape(64, 64), itertools.cycle((31_990, 300_000)), strict=False
    ):
        at = random.choice(64, random.integers(1, 65), replace=False)
        share = random.dirichlet(np.ones(len(at))) * random.choice([-1, 1], len(at))
        block[at] = (share * goal / steps[at]).clip(-32768, 32767).astype(np.int16)
    assert np.array_equal(used.plane(blocks, steps), reference.plane(blocks, steps))


@pytest.mark.parametrize("used", ENGINES)
@pytest.mark.parametrize(
    ("decoder", "sampling", "size", "checksum"),
    [
        (Decoder.LIBJPEG, (1, 1), (45, 61), 2436852773),
        (Decoder.LIBJPEG, (1, 2), (45, 61), 1777300606),
        (Decoder.LIBJPEG, (2, 2), (45, 61), 625889119),
        (Decoder.FAST, (1, 1), (45, 61), 454159116),
        (Decoder.FAST, (1, 2), (45, 61), 3751360155),
        (Decoder.FAST, (2, 2), (45, 61), 3561323393),
        (Decoder.WIDE, (1, 2), (45, 61), 526046144),
        (Decoder.WIDE, (2, 2), (45, 61), 2925249462),
        (Decoder.FFMPEG, (1, 1), (45, 61), 3293456961),
        (Decoder.FFMPEG, (1, 2), (44, 61), 2162253643),
        (Decoder.FFMPEG, (2, 2), (44, 61), 1440685033),
        (Decoder.FFMPEG_PLAIN, (1, 2), (45, 60), 2150586268),
    ],
)
def test_pixels_are_those_of_the_decoder(
    used: engine.Engine,
    decoder: Decoder,
    sampling: tuple[int, int],
    size: tuple[int, int],
    checksum: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of libjpeg 6b, of `JDCT_IFAST` in it, of 8d, and of FFmpeg 5.1, as these made them."""
    monkeypatch.setattr(decoder_module, "engine", lambda: used)
    monkeypatch.setattr(maps, "engine", lambda: used)
    origin, coefficients = drawn(sampling)
    height, width = size
    fancy = decoder < Decoder.FFMPEG
    origin = origin._replace(height=height, width=width, decoder=decoder, fancy=fancy)
    assert zlib.crc32(decode(origin, coefficients, height, width).data) == checksum


def test_frame_is_that_of_the_file() -> None:
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        origin, picture = taken_apart(save(scene(61, 83), 85, sampling))
        shapes = [(c.rows, c.columns, 64) for c in origin.frame()]
        assert shapes == [blocks.shape for blocks in picture.coefficients]


def test_part_of_a_jpeg() -> None:
    origin, picture = taken_apart(save(scene(61, 83), 85, "4:2:0"))
    whole = decode(origin, picture.coefficients, 61, 83)
    part = decode(origin._replace(top=5, left=7), picture.coefficients, 40, 50)
    assert np.array_equal(part, whole[5:45, 7:57])


@pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
@pytest.mark.parametrize("sampling", [(1, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("fancy", [False, True])
@pytest.mark.parametrize("by", Decoder)
def test_engines_agree_whatever_coefficients_are(
    sampling: tuple[int, int], fancy: bool, by: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    steps = tuple(rng.integers(1, 65536, 64).astype(np.int32) for _ in range(3))
    origin = Origin(45, 27, 3, 2, sampling, fancy, steps, decoder=by)
    blocks = [
        rng.integers(-32768, 32768, (c.rows, c.columns, 64)).astype(np.int16)
        for c in origin.frame()
    ]
    found = []
    for used in ENGINES:
        monkeypatch.setattr(decoder_module, "engine", lambda used=used: used)
        monkeypatch.setattr(maps, "engine", lambda used=used: used)
        found.append(decode(origin, blocks, 42, 25))
    assert np.array_equal(found[0], found[1])
