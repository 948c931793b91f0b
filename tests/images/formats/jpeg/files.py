"""JPEG files for tests: Pillow's, and odd ones that are put together from coefficients.

Odd files have flat Huffman tables, in which every symbol has a code.
"""

import io
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.images.formats.jpeg import codec, recipe
from bitswap_cli.images.formats.jpeg.frame import Parsed, parse
from bitswap_cli.images.formats.jpeg.notes import Coefficients, Notes
from bitswap_cli.images.formats.jpeg.recipe import Part, Told

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF0, SOF1, SOF2, SOF3, SOF9 = 0xC0, 0xC1, 0xC2, 0xC3, 0xC9
DHT, DNL, SOS, DQT, DRI, APP1, APP2, COM = 0xC4, 0xDC, 0xDA, 0xDB, 0xDD, 0xE1, 0xE2, 0xFE

Places = tuple[int, ...]
"""Of components in the frame."""
Factors = Sequence[tuple[int, int]]
"""Of each component, (horizontal, vertical)."""


def photograph(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Return something between a gradient and noise, uint8 (height, width, channels)."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width][..., None]
    waves = sum(
        generator.normal(0, 30, channels) * np.sin(y / a + x / b)
        for a, b in generator.uniform(2, 20, (4, 2))
    )
    noise = generator.normal(0, generator.uniform(0, 12), (height, width, channels))
    image: NDArray[np.uint8] = np.clip(128 + waves + noise, 0, 255).astype(np.uint8)
    return image


def pillow(pixels: NDArray[np.uint8], **options: object) -> bytes:
    """Return a file that Pillow writes."""
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[pixels.shape[2]]
    image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode=None)
    if mode == "CMYK":
        image = Image.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def pixels(data: bytes) -> NDArray[np.uint8]:
    """Return what Pillow makes of a file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def flat(number: int, symbols: Sequence[int]) -> bytes:
    """Return a Huffman table: all codes of 9 bits, but for one of 10 if there are 256."""
    counts = [0] * 16
    counts[8:10] = min(len(symbols), 255), max(len(symbols) - 255, 0)
    return bytes((number, *counts, *symbols))


TABLES = segment(DHT, b"".join(flat(16 * kind + k, range(256 if kind else 16))
                               for kind in range(2) for k in range(4)))  # fmt: skip
STEPS = segment(DQT, b"".join(bytes((k, *range(1, 65))) for k in range(4)))


def frame(
    height: int, width: int, factors: Factors, marker: int = SOF0, precision: int = 8
) -> bytes:
    """Return a frame, whose components are numbered from 1."""
    rows = b"".join(bytes((k + 1, h << 4 | v, k % 4)) for k, (h, v) in enumerate(factors))
    return segment(marker, struct.pack(">BHHB", precision, height, width, len(factors)) + rows)


def scan(
    components: Places, first: int = 0, last: int = 63, high: int = 0, low: int = 0, table: int = 0
) -> bytes:
    """Return the header of a scan."""
    chosen = b"".join(bytes((place + 1, table << 4 | table)) for place in components)
    rest = bytes((len(components), *chosen, first, last, high << 4 | low))
    return segment(SOS, rest)


def restarts(interval: int) -> bytes:
    return segment(DRI, struct.pack(">H", interval))


class Odd(NamedTuple):
    """A file that is put together."""

    data: bytes
    coefficients: Coefficients


def sparse(parsed: Parsed, seed: int = 0, density: float = 0.1, most: float = 60) -> Coefficients:
    """Return coefficients of a frame: few that are not 0, most of them early."""
    generator = np.random.default_rng(seed)
    found = []
    for c in parsed.frame.components:
        shape = (c.rows, c.columns, 64)
        chance = density * np.linspace(2, 0.2, 64) * generator.uniform(0.2, 1.8, shape[:2] + (1,))
        values = generator.geometric(0.3, shape) * generator.choice((-1, 1), shape)
        blocks = np.where(generator.random(shape) < chance, np.clip(values, -most, most), 0)
        blocks[c.real_rows :] = blocks[:, c.real_columns :] = 0  # what only whole MCUs have
        found.append(blocks.astype(np.int16))
    return found


def put_together(
    *segments: bytes,
    told: Iterable[Told | Notes | None] | None = None,
    coefficients: Coefficients | None = None,
    seed: int = 0,
    tail: bytes = b"",
    **kind: float,
) -> Odd:
    """Return a file with the segments of a skeleton and coefficients that are made up.

    told: what is told of each scan.
    """
    skeleton = SOI + STEPS + b"".join(segments) + EOI
    parsed = parse(skeleton)
    coefficients = sparse(parsed, seed, **kind) if coefficients is None else coefficients
    every = [
        Told(t, 0, b"") if isinstance(t, Notes) else t for t in told or [None] * len(parsed.scans)
    ]
    packed = recipe.pack([Part(parsed, skeleton, every, [])])
    return Odd(codec.join(packed, [coefficients]) + tail, coefficients)


def whole(data: bytes, place: int = 0) -> Notes:
    """Return what is noted of a scan that has nothing of its own, to change it."""
    parsed = parse(data)
    return recipe.plain(parsed.frame, parsed.scans[place])


def split(data: bytes) -> codec.Jpeg:
    """Split a file of a kind that is coded."""
    jpeg = codec.split(data)
    assert jpeg is not None
    return jpeg
