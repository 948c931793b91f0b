"""PNG files of different makers, as `makers` tells how they come back.

Filters are chosen by the least sum where the maker leaves that to others. Libraries of PyPI
(zlib-ng, deflate, zopfli, pyoxipng, opencv-python-headless, imageio) and programs count where they
are here.
"""

import importlib
import io
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.images.formats.png.chunks import PALETTE, SIGNATURE, Head, chunk
from bitswap_cli.images.formats.png.filters import least_sums
from bitswap_cli.images.formats.png.rows import scanlines
from bitswap_cli.images.packings.engine import engine

Make = Callable[[Image.Image, Path], bytes | None]
Deflate = Callable[[bytes], bytes]

_PART = 8192  # bytes of an IDAT chunk, as libpng writes them
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_NAMES = {0: "gray", 2: "RGB", 3: "palette", 4: "gray and alpha", 6: "RGBA"}

_SAVED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "RGB": ("RGB", {}),
    "RGBA": ("RGBA", {}),
    "gray": ("L", {}),
    "palette": ("P", {}),
    "1 bit": ("1", {}),
    "RGB, optimize": ("RGB", {"optimize": True}),
    "RGB, level 1": ("RGB", {"compress_level": 1}),
    "RGB, level 9": ("RGB", {"compress_level": 9}),
}
"""What Pillow makes: mode and options."""

_COMMANDS: Mapping[str, Sequence[str]] = {
    "ImageMagick": ("convert", "{png}", "{target}.png"),
    "ImageMagick, 16 bits": ("convert", "{png}", "-depth", "16", "{target}.png"),
    "ImageMagick, Adam7": ("convert", "{png}", "-interlace", "PNG", "{target}.png"),
    "ImageMagick, palette": ("convert", "{png}", "-colors", "64", "png8:{target}.png"),
    "ffmpeg": ("ffmpeg", "-y", "-loglevel", "error", "-i", "{png}", "{target}.png"),
    "ffmpeg, mixed": (
        "ffmpeg", "-y", "-loglevel", "error", "-i", "{png}", "-pred", "mixed", "{target}.png",
    ),
    "optipng": ("optipng", "-quiet", "-force", "{png}", "-out", "{target}.png"),
    "optipng, Adam7": ("optipng", "-quiet", "-force", "-i1", "{png}", "-out", "{target}.png"),
    "pngcrush": ("pngcrush", "-q", "-force", "{png}", "{target}.png"),
    "pngquant": ("pngquant", "--output", "{target}.png", "{png}"),
    "zopflipng": ("zopflipng", "-y", "{png}", "{target}.png"),
}  # fmt: skip


def png_makers() -> dict[str, Make]:
    """Return all that are here."""
    found: dict[str, Make] = {
        f"Pillow, {name}": partial(_saved, mode=mode, options=options)
        for name, (mode, options) in _SAVED.items()
    }
    found |= {name: partial(_written, deflate=deflate) for name, deflate in _deflates()}
    found["macOS-like"] = _by_mac
    for colour, depths in _DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                name = f"zlib 6, {_NAMES[colour]}, {depth} bits{', Adam7' * interlaced}"
                head = Head(0, 0, depth, colour, interlaced)
                found[name] = partial(_written, deflate=partial(_zlib, level=6), head=head)
    found |= dict(_libraries())
    for name, words in _COMMANDS.items():
        if shutil.which(words[0]):
            found[name] = partial(_by, command=words)
    return found


def _deflates() -> Iterator[tuple[str, Deflate]]:
    """Yield libraries that deflate, at some of their levels."""
    for level in (1, 3, 6, 9):
        yield f"zlib {level}", partial(_zlib, level=level)
    yield "zlib 9, Z_FILTERED", partial(_zlib, level=9, strategy=zlib.Z_FILTERED)
    yield "zlib 6, Z_RLE", partial(_zlib, level=6, strategy=zlib.Z_RLE)
    yield "zlib 6, memLevel 9", partial(_zlib, level=6, memory=9)
    if ng := _module("zlib_ng.zlib_ng"):
        for level in (1, 2, 3, 6, 9):
            yield f"zlib-ng {level}", partial(ng.compress, level=level)
    if deflate := _module("deflate"):
        for level in (1, 6, 9, 12):
            yield f"libdeflate {level}", partial(deflate.zlib_compress, compresslevel=level)
    if zopfli := _module("zopfli.zlib"):
        yield "zopfli", zopfli.compress


def _libraries() -> Iterator[tuple[str, Make]]:
    """Yield libraries that write PNG files."""
    if oxipng := _module("oxipng"):
        for level in (2, 6):
            yield f"oxipng {level}", partial(_by_oxipng, oxipng, level)
    if cv2 := _module("cv2"):
        yield "cv2", lambda image, _: cv2.imencode(".png", _pixels(image, "RGB"))[1].tobytes()
        told = [cv2.IMWRITE_PNG_COMPRESSION, 9]
        yield (
            "cv2, level 9",
            lambda image, _: cv2.imencode(".png", _pixels(image, "RGB"), told)[1].tobytes(),
        )
    if imageio := _module("imageio.v3"):
        yield (
            "imageio",
            lambda image, _: imageio.imwrite("<bytes>", _pixels(image, "RGB"), extension=".png"),
        )


def _by_oxipng(oxipng: Any, level: int, _: Image.Image, folder: Path) -> bytes:
    made: bytes = oxipng.optimize_from_memory((folder / "source.png").read_bytes(), level=level)
    return made


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _pixels(image: Image.Image, mode: str) -> NDArray[np.uint8]:
    return np.asarray(image.convert(mode))


def _zlib(data: bytes, *, level: int, strategy: int = 0, memory: int = 8) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, 15, memory, strategy)
    return deflate.compress(data) + deflate.flush()


def _saved(image: Image.Image, folder: Path, *, mode: str, options: Mapping[str, Any]) -> bytes:
    """What Pillow makes."""
    out = io.BytesIO()
    seen = image.convert("RGB").quantize(64) if mode == "P" else image.convert(mode)
    seen.save(out, "PNG", **options)
    return out.getvalue()


def _stored(image: Image.Image, head: Head) -> tuple[NDArray[np.uint8], bytes]:
    """Return pixels as a PNG stores them, and its palette."""
    if head.colour == PALETTE:
        seen = image.convert("RGB").quantize(1 << head.depth)
        colours = bytes(seen.getpalette() or b"")[: 3 << head.depth]
        return np.asarray(seen)[:, :, None], chunk(b"PLTE", colours)
    mode = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}[head.colour]
    pixels = _pixels(image, mode).reshape(image.height, image.width, -1)
    if head.depth < 8:
        return (pixels >> (8 - head.depth)).astype(np.uint8), b""
    if head.depth == 16:  # the low bytes are noise, and tell of the high ones
        noise = np.random.default_rng(0).integers(0, 4, pixels.shape, np.uint8)
        return np.stack([pixels, pixels ^ noise], -1).reshape(*pixels.shape[:2], -1), b""
    return pixels, b""


def _lines(stored: NDArray[np.uint8], head: Head) -> bytes:
    """Return filtered lines."""
    plain = head.depth < 8 or head.colour == PALETTE
    every = []
    for rows in scanlines(stored, head):
        filters = np.zeros(len(rows), np.uint8) if plain else least_sums(rows, head.unit)
        every.append(engine().filtered(rows, head.unit, filters).tobytes())
    return b"".join(every)


def _file(head: Head, before: bytes, stream: bytes, part: int = _PART) -> bytes:
    told = head.width, head.height, head.depth, head.colour, 0, 0, head.interlaced
    start = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *told)) + before
    parts = [stream[at : at + part] for at in range(0, len(stream), part)]
    return b"".join([start, *(chunk(b"IDAT", one) for one in parts), chunk(b"IEND", b"")])


def _written(
    image: Image.Image, folder: Path, *, deflate: Deflate, head: Head | None = None
) -> bytes:
    """A file as libpng writes them, deflated by somebody."""
    own = (head or Head(0, 0, 8, 2, False))._replace(height=image.height, width=image.width)
    stored, before = _stored(image, own)
    return _file(own, before, deflate(_lines(stored, own)))


def _by_mac(image: Image.Image, folder: Path) -> bytes:
    """A file as those of macOS: RGBA in two halves that are inflated at the same time."""
    head = Head(image.height, image.width, 8, 6, False)
    stored, _ = _stored(image, head)
    lines, middle = _lines(stored, head), (1 + 4 * image.width) * (image.height // 2)
    deflate = zlib.compressobj(6)
    first = deflate.compress(lines[:middle]) + deflate.flush(zlib.Z_FULL_FLUSH)
    stream = first + deflate.compress(lines[middle:]) + deflate.flush()
    halves = struct.pack(">7I", 2, 0, image.height // 2, 40, image.height // 2, 0, len(first))
    return _file(head, chunk(b"iDOT", halves), stream, 16384)


def _by(image: Image.Image, folder: Path, *, command: Sequence[str]) -> bytes | None:
    """What a program makes of `source.png` in a folder; None if it fails."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        told = {"png": str(folder / "source.png"), "target": str(Path(own) / "target")}
        words = [word.format(**told) for word in command]
        done = subprocess.run(words, capture_output=True, check=False)
        made = list(Path(own).iterdir())
        return made[0].read_bytes() if not done.returncode and made else None
