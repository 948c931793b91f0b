"""JPEGs made in tests, and what Pillow decodes of them."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.images.formats.jpeg.codec import Picture, split
from bitswap_cli.images.history.decoder import Decoder, Origin, decode
from bitswap_cli.images.history.tables import standard


def scene(height: int, width: int, seed: int = 0, *, gray: bool = False) -> NDArray[np.uint8]:
    """A picture with edges, slopes and textures, clamped here and there."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(float)
    channels = []
    for _ in range(1 if gray else 3):
        plane = 128 + 60 * np.sin(x / rng.uniform(9, 30) + y / rng.uniform(9, 30))
        for _ in range(6):
            top, left = rng.integers(0, height), rng.integers(0, width)
            inside = (y - top) ** 2 + (x - left) ** 2 < rng.integers(4, 40) ** 2
            plane[inside] += rng.uniform(-60, 60)
        channels.append(plane + rng.normal(0, 6, plane.shape))
    return np.stack(channels, 2).clip(0, 255).astype(np.uint8)


def save(pixels: NDArray[np.uint8], quality: int, sampling: str = "4:4:4") -> bytes:
    """The bytes of a JPEG file, by Pillow."""
    out = io.BytesIO()
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.save(out, "JPEG", quality=quality, subsampling=sampling)
    return out.getvalue()


def load(data: bytes) -> NDArray[np.uint8]:
    """The pixels of a file, (H, W, C), by Pillow."""
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def taken_apart(data: bytes) -> tuple[Origin, Picture]:
    """A JPEG file as a decoder sees it, and its coefficients."""
    found = split(data)
    assert found is not None
    picture = found.pictures[0]
    components = picture.frame.components
    sampling = components[0].vertical, components[0].horizontal
    steps = tuple(np.array(picture.quantization[c.quantization], np.int32) for c in components)
    if len(components) == 1:
        sampling = 1, 1
    origin = Origin(picture.frame.height, picture.frame.width, 0, 0, sampling, True, steps)
    return origin, picture


def decoded(data: bytes, decoder: Decoder) -> NDArray[np.uint8]:
    """The pixels of a file, by a decoder."""
    origin, picture = taken_apart(data)
    own = origin._replace(decoder=decoder)
    own = own._replace(fancy=not own.wide and own.map is None)
    return decode(own, picture.coefficients, origin.height, origin.width)


def drawn(sampling: tuple[int, int]) -> tuple[Origin, list[NDArray[np.int16]]]:
    """Noise of a JPEG of quality 80, 45 x 61 pixels."""
    rng = np.random.default_rng(5)
    chroma = standard(chroma=True)[80]
    steps = standard(chroma=False)[80], chroma, chroma
    origin = Origin(45, 61, 0, 0, sampling, True, steps)
    spread = 60 / (1 + np.arange(64))
    return origin, [
        np.rint(rng.normal(0, spread, (c.rows, c.columns, 64))).astype(np.int16)
        for c in origin.frame()
    ]
