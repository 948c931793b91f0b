"""Lossless codecs side by side on a folder of images: rate and speed.

Every 8-bit gray or RGB image below the folder is coded file by file by PNG and WebP (Pillow, one
thread), by JPEG XL and FLIF if their programs are installed, and as one archive by bitswap. Each
is decoded and compared. Prints a table; --json writes the figures.

    python benchmarks/peers.py FOLDER [--model NAME] [--threads N] [--json FILE]
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bitswap_cli.cli.table import format_table

Codec = tuple[Callable[[Image.Image], bytes], Callable[[bytes], Image.Image]]


def pillow_codec(kind: str, **options: Any) -> Codec:
    """Encoder and decoder of a format that Pillow writes."""

    def encode(image: Image.Image) -> bytes:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        return stream.getvalue()

    return encode, lambda data: Image.open(io.BytesIO(data))


def program_codec(encoder: list[str], decoder: list[str], suffix: str) -> Codec:
    """Encoder and decoder that are programs; they are handed a source and a target file."""

    def encode(image: Image.Image) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "image.png"), Path(folder, f"coded{suffix}")
            image.save(source)
            subprocess.run([*encoder, source, target], check=True, capture_output=True)
            return target.read_bytes()

    def decode(data: bytes) -> Image.Image:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, f"coded{suffix}"), Path(folder, "image.png")
            source.write_bytes(data)
            subprocess.run([*decoder, source, target], check=True, capture_output=True)
            with Image.open(target) as image:
                image.load()
                return image

    return encode, decode


def codecs() -> dict[str, Codec]:
    """Those that this machine has."""
    found = {
        "PNG": pillow_codec("PNG", optimize=True),
        "WebP": pillow_codec("WEBP", lossless=True, quality=100, method=6),
    }
    if shutil.which("cjxl") and shutil.which("djxl"):
        found["JPEG XL -e 9"] = program_codec(["cjxl", "-d", "0", "-e", "9"], ["djxl"], ".jxl")
    if shutil.which("flif"):
        found["FLIF"] = program_codec(["flif", "-e"], ["flif", "-d"], ".flif")
    return found


def read_images(folder: Path) -> list[Image.Image]:
    """Gray and RGB images below a folder, by name; others are left out."""
    images = []
    for path in sorted(folder.rglob("*")):
        try:
            with Image.open(path) as image:
                if image.mode in ("L", "RGB"):
                    images.append(image.copy())
        except OSError:  # not an image
            continue
    return images


def measure(images: list[Image.Image], codec: Codec) -> dict[str, float]:
    """Code images one by one; return bytes and seconds. Raise ValueError if one differs."""
    encode, decode = codec
    started = time.perf_counter()
    coded = [encode(image) for image in images]
    encoded = time.perf_counter()
    decoded = [np.asarray(decode(data)) for data in coded]
    finished = time.perf_counter()
    for image, pixels in zip(images, decoded, strict=True):
        if not np.array_equal(np.asarray(image.convert("RGB")), _as_rgb(pixels)):
            raise ValueError("an image came back different")
    return {
        "bytes": sum(map(len, coded)),
        "encode_seconds": encoded - started,
        "decode_seconds": finished - encoded,
    }


def _as_rgb(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels[..., None], 3, -1) if pixels.ndim == 2 else pixels[..., :3]


def measure_bitswap(images: list[Image.Image], options: list[str]) -> dict[str, float]:
    """Make one archive of images; return bytes and seconds, without the loading of the model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for i, image in enumerate(images):
            image.save(folder / "in" / f"{i:06}.png")
        packed = _bitswap("compress", folder / "in", "-o", folder / "a.bsw", *options)
        restored = _bitswap("decompress", folder / "a.bsw", "-o", folder / "out", *options)
        for i, image in enumerate(images):
            with Image.open(folder / "out" / "in" / f"{i:06}.png") as back:
                if not np.array_equal(np.asarray(image), np.asarray(back)):
                    raise ValueError("an image came back different")
    return {
        "bytes": packed["after"],
        "encode_seconds": packed["seconds"],
        "decode_seconds": restored["seconds"],
    }


def _bitswap(*arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bitswap_cli", *map(str, arguments), "--json"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def main() -> None:
    """Measure, print a table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="natural32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    images = read_images(arguments.folder)
    if not images:
        sys.exit(f"no 8-bit gray or RGB images in {arguments.folder}")
    subpixels = sum(np.asarray(image).size for image in images)

    results = {name: measure(images, codec) for name, codec in codecs().items()}
    options = ["--model", arguments.model, "--threads", str(arguments.threads)]
    results[f"bitswap {arguments.model}"] = measure_bitswap(images, options)
    rows = [("codec", "bytes", "bpd", "enc MB/s", "dec MB/s")]
    for name, result in results.items():
        result["bpd"] = result["bytes"] * 8 / subpixels
        speeds = [subpixels / 1e6 / result[f"{way}_seconds"] for way in ("encode", "decode")]
        rows.append(
            (name, f"{result['bytes']:,}", f"{result['bpd']:.3f}", *(f"{s:.2f}" for s in speeds))
        )
    print(f"{len(images)} images, {subpixels:,} subpixels")
    print(format_table(rows, left=(0,)))
    if arguments.json:
        figures = {"images": len(images), "subpixels": subpixels, "codecs": results}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
