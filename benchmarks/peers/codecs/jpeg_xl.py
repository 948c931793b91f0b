"""JPEG XL: the newest of cjxl and djxl, and of the libraries that two Python packages carry."""

import re
import shutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data.pictures import Pixels
from benchmarks.peers.codecs import libjxl
from benchmarks.peers.codecs.peer import (
    Build,
    Codec,
    Peer,
    newest,
    numbers,
    opened,
    pillow,
    pnm_program,
    version_of,
)

BEST = "-e 9"  # of what all builds can do


def peers() -> Iterator[Peer]:
    """JPEG XL at a usual setting and at its best ones, which differ from image to image."""
    for options in ("-e 7", BEST, "-e 9 -E 3 -g 3", "-e 10 -E 3 -g 3"):
        builds = [*_programs(options), *_imagecodecs(options)]
        if "-E" not in options:
            builds += _pillow_jxl(options)
        if "10" in options:
            builds = [build for build in builds if build.version >= (0, 10)]
        if builds:
            yield newest(builds).peer(f"JPEG XL {options}", mosaic=options != "-e 7")


def _programs(options: str) -> Iterator[Build]:
    found = version_of("cjxl", "--version")
    if found and shutil.which("djxl"):
        encoder = f"cjxl {{source}} {{target}} -d 0 {options} --num_threads=0 --quiet"
        coder = pnm_program(encoder, "djxl {source} {target} --num_threads=0", ".jxl")
        yield Build(numbers(found), f"cjxl {found}", *coder)


def _pillow_jxl(options: str) -> Iterator[Build]:
    spec = find_spec("pillow_jxl")
    if spec is None or spec.origin is None:
        return
    library = next(Path(spec.origin).parent.glob("pillow_jxl*.so"), None)
    told = library and re.search(rb"libjxl-(\d+\.\d+\.\d+)", library.read_bytes())
    found = told[1].decode() if told else "0"
    save = pillow("JXL", lossless=True, effort=int(options.split()[1]), num_threads=0)

    def encode(pixels: Pixels) -> bytes:
        plugin: Any = import_module("pillow_jxl.JpegXLImagePlugin")
        plugin.DECODE_THREADS = 0
        return save(pixels)

    name = f"pillow-jxl-plugin {version('pillow-jxl-plugin')}, libjxl {found}"
    yield Build(numbers(found), name, encode, opened)


def _imagecodecs(options: str) -> Iterator[Build]:
    library = libjxl.library_of_imagecodecs()
    if library is None:
        return
    found = library.name.partition(".so.")[2]
    settings = dict(zip(options.split()[::2], map(int, options.split()[1::2]), strict=True))

    def encode(pixels: Pixels) -> bytes:
        import_module("imagecodecs").jpegxl_version()  # loads the libraries that the library needs
        return libjxl.Encoder(library).encode(pixels, settings)

    def decode(data: bytes) -> Pixels:
        return np.asarray(import_module("imagecodecs").jpegxl_decode(data, numthreads=1))

    name = f"imagecodecs {version('imagecodecs')}, libjxl {found}"
    yield Build(numbers(found), name, encode, decode)


JPEG_XL = Codec(
    "JPEG XL",
    peers,
    {
        f"JPEG XL {BEST}": "cjxl and djxl (apt install libjxl-tools), "
        "or pip install pillow-jxl-plugin",
        "JPEG XL -e 9 -E": "cjxl and djxl (apt install libjxl-tools), or pip install imagecodecs",
        "JPEG XL -e 10": "cjxl and djxl of libjxl 0.10 or newer, or pip install imagecodecs",
    },
)
