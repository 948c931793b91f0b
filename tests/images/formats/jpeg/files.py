"""JPEG files for tests: Pillow's, and odd ones that are put together from coefficients.

Odd files have flat Huffman tables, in which every symbol has a code.
"""

import io
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image

from bitswap_cli.images.formats.jpeg import codec, recipe
from bitswap_cli.images.formats.jpeg.frame import parse
from bitswap_cli.images.formats.jpeg.notes import Notes
from bitswap_cli.images.formats.jpeg.recipe import Part, Told

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF0, SOF1, SOF2, SOF3, SOF9 = 0xC0, 0xC1, 0xC2, 0xC3, 0xC9
DHT, DNL, SOS, DQT, DRI, APP1, APP2, COM = 0xC4, 0xDC, 0xDA, 0xDB, 0xDD, 0xE1, 0xE2, 0xFE


def photograph(height, width, channels=3, seed=0):
    """Return something between a gradient and noise, uint8 (height, width, channels)."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width][..., None]
    waves = sum(
        generator.normal(0, 30, channels) * np.sin(y / a + x / b)
        for a, b in generator.uniform(2, 20, (4, 2))
    )
    noise = generator.normal(0, generator.uniform(0, 12), (height, width, channels))
    return np.clip(128 + waves + noise, 0, 255).astype(np.uint8)


def pillow(pixels, **options):
    """Return a file that Pillow writes."""
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[pixels.shape[2]]
    image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode=None)
    if mode == "CMYK":
        image = Image.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def pixels(data):
    """Return what Pillow makes of a file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def flat(number, symbols):
    """Return a Huffman table: all codes of 9 bits, but for one of 10 if there are 256."""
    counts = [0] * 16
    counts[8:10] = min(len(symbols), 255), max(len(symbols) - 255, 0)
    return bytes((number, *counts, *symbols))


TABLES = segment(DHT, b"".join(flat(16 * kind + k, range(256 if kind else 16))
                               for kind in range(2) for k in range(4)))  # fmt: skip
STEPS = segment(DQT, b"".join(bytes((k, *range(1, 65))) for k in range(4)))


def frame(height, width, factors, marker=SOF0, precision=8):
    """Return a frame; factors: (horizontal, vertical) of each component, numbered from 1."""
    rows = b"".join(bytes((k + 1, h << 4 | v, k % 4)) for k, (h, v) in enumerate(factors))
    return segment(marker, struct.pack(">BHHB", precision, height, width, len(factors)) + rows)


def scan(components, first=0, last=63, high=0, low=0, table=0):
    """Return the header of a scan; components: places in the frame."""
    chosen = b"".join(bytes((place + 1, table << 4 | table)) for place in components)
    rest = bytes((len(components), *chosen, first, last, high << 4 | low))
    return segment(SOS, rest)


def restarts(interval):
    return segment(DRI, struct.pack(">H", interval))


class Odd(NamedTuple):
    """A file that is put together."""

    data: bytes
    coefficients: list


def sparse(parsed, seed=0, density=0.1, most=60):
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


def put_together(*skeleton, told=None, coefficients=None, seed=0, tail=b"", **kind):
    """Return a file with the segments of a skeleton and coefficients that are made up.

    told: what is told of each scan, a `Told`, `Notes` or None.
    """
    skeleton = SOI + STEPS + b"".join(skeleton) + EOI
    parsed = parse(skeleton)
    coefficients = sparse(parsed, seed, **kind) if coefficients is None else coefficients
    told = [
        Told(t, 0, b"") if isinstance(t, Notes) else t for t in told or [None] * len(parsed.scans)
    ]
    packed = recipe.pack([Part(parsed, skeleton, told, [])])
    return Odd(codec.join(packed, [coefficients]) + tail, coefficients)


def whole(data, place=0):
    """Return what is noted of a scan that has nothing of its own, to change it."""
    parsed = parse(data)
    return recipe.plain(parsed.frame, parsed.scans[place])
