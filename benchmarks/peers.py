"""Other lossless codecs, in whatever build this machine has: the program, or a Python package.

Programs are handed PNM files and write PNM files, so that no other codec is timed with them; none
uses more than one thread. Of JPEG XL and WebP, the newest build of the library is taken that can do
what is asked of it.
"""

import importlib.metadata
import io
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import libjxl
import numpy as np
from pictures import Pixels
from PIL import Image, features


class Peer(NamedTuple):
    """A codec with its settings; both functions take and return what is in memory."""

    name: str
    build: str
    encode: Callable[[Pixels], bytes]
    decode: Callable[[bytes], Pixels]
    mosaic: bool = False  # also worth coding a set of small images as one mosaic


MISSING = {  # how to get what may be missing: how names begin, and what to install
    "JPEG XL -e 9": "cjxl and djxl (apt install libjxl-tools), or pip install pillow-jxl-plugin",
    "JPEG XL -e 9 -E": "cjxl and djxl (apt install libjxl-tools), or pip install imagecodecs",
    "JPEG XL -e 10": "cjxl and djxl of libjxl 0.10 or newer, or pip install imagecodecs",
    "FLIF": "flif (make in https://github.com/FLIF-hub/FLIF)",
    "PNG oxipng": "oxipng (cargo install oxipng), or pip install pyoxipng",
    "WebP": "cwebp and dwebp (apt install webp)",
}


def _open(data: bytes | Path) -> Pixels:
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def _pillow(kind: str, **options: Any) -> Callable[[Pixels], bytes]:
    """Encoder of a format that Pillow writes."""

    def encode(pixels: Pixels) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, kind, **options)
        return stream.getvalue()

    return encode


def _program(command: list[str], source: str, target: str, data: bytes) -> bytes:
    """Run a program on a file of `data`; `{source}` and `{target}` of the command are files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {"source": f"{folder}/in{source}", "target": f"{folder}/out{target}"}
        Path(paths["source"]).write_bytes(data)
        arguments = [part.format(**paths) for part in command]
        done = subprocess.run(arguments, capture_output=True)
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise ValueError(f"{command[0]} failed: {lines[-1] if lines else done.returncode}")
        return Path(paths["target"]).read_bytes()


def _pnm_program(encoder: str, decoder: str, suffix: str) -> dict[str, Any]:
    """Encoder and decoder that are programs which read and write PNM, and so take no alpha."""

    def encode(pixels: Pixels) -> bytes:
        if pixels.ndim == 3 and pixels.shape[2] != 3:
            raise ValueError(f"{encoder.split()[0]} is handed PNM files, which have no alpha")
        kind = ".pgm" if pixels.ndim == 2 else ".ppm"
        return _program(encoder.split(), kind, suffix, _pillow("PPM")(pixels))

    return {
        "encode": encode,
        "decode": lambda data: _open(_program(decoder.split(), suffix, ".ppm", data)),
    }


def _version(*command: str) -> str:
    """The first thing like a version that a program says of itself; empty if it is not here."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    found = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return found[0] if found else "of unknown version"


def png() -> Iterator[Peer]:
    """PNG by Pillow, and what oxipng makes of it."""
    build = f"Pillow {importlib.metadata.version('pillow')}"
    yield Peer("PNG optimize", build, _pillow("PNG", optimize=True), _open)
    fast = _pillow("PNG", compress_level=1)
    if version := _version("oxipng", "--version"):
        options = "-q -o max --strip all -t 1 --out {target} {source}"
        command = ["oxipng", *options.split()]
        yield Peer(
            "PNG oxipng -o max",
            f"oxipng {version}",
            lambda pixels: _program(command, ".png", ".png", fast(pixels)),
            _open,
        )
    elif find_spec("oxipng"):
        import oxipng

        os.environ["RAYON_NUM_THREADS"] = "1"
        settings = {"level": 6, "strip": oxipng.StripChunks.all()}
        yield Peer(
            "PNG oxipng -o max",
            f"pyoxipng {importlib.metadata.version('pyoxipng')}",
            lambda pixels: oxipng.optimize_from_memory(fast(pixels), **settings),
            _open,
        )


class Build(NamedTuple):
    """One of the ways to run a codec: version of its library, name, encoder and decoder."""

    version: tuple[int, ...]
    name: str
    coder: dict[str, Any]


def webp() -> Iterator[Peer]:
    """WebP at a usual setting and at its best."""
    for quality in (75, 100):
        builds = [*_pillow_webp(quality), *_cwebp(quality)]
        if builds:
            best = max(builds, key=lambda build: build.version)
            name = f"WebP -m 6 -q {quality}"
            yield Peer(name, best.name, **best.coder, mosaic=quality == 100)


def _cwebp(quality: int) -> Iterator[Build]:
    version = _version("cwebp", "-version")
    if version and shutil.which("dwebp"):
        encoder = f"cwebp -quiet -lossless -exact -m 6 -q {quality} {{source}} -o {{target}}"
        coder = _pnm_program(encoder, "dwebp -quiet -ppm {source} -o {target}", ".webp")
        yield Build(_numbers(version), f"cwebp {version}", coder)


def _pillow_webp(quality: int) -> Iterator[Build]:
    if features.check("webp"):
        version = str(features.version("webp"))
        save = _pillow("WEBP", lossless=True, exact=True, method=6, quality=quality)
        coder = {"encode": save, "decode": _open}
        yield Build(_numbers(version), f"Pillow, libwebp {version}", coder)


def jxl() -> Iterator[Peer]:
    """JPEG XL at a usual setting and at its best ones, which differ from image to image."""
    for options in ("-e 7", "-e 9", "-e 9 -E 3 -g 3", "-e 10 -E 3 -g 3"):
        builds = [*_cjxl(options), *_imagecodecs(options)]
        if "-E" not in options:
            builds += _pillow_jxl(options)
        if "10" in options:
            builds = [build for build in builds if build.version >= (0, 10)]
        if builds:
            best = max(builds, key=lambda build: build.version)
            yield Peer(f"JPEG XL {options}", best.name, **best.coder, mosaic=options != "-e 7")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _cjxl(options: str) -> Iterator[Build]:
    version = _version("cjxl", "--version")
    if version and shutil.which("djxl"):
        encoder = f"cjxl {{source}} {{target}} -d 0 {options} --num_threads=0 --quiet"
        decoder = "djxl {source} {target} --num_threads=0"
        coder = _pnm_program(encoder, decoder, ".jxl")
        yield Build(_numbers(version), f"cjxl {version}", coder)


def _pillow_jxl(options: str) -> Iterator[Build]:
    spec = find_spec("pillow_jxl")
    if spec is None or spec.origin is None:
        return
    library = next(Path(spec.origin).parent.glob("pillow_jxl*.so"), None)
    found = library and re.search(rb"libjxl-(\d+\.\d+\.\d+)", library.read_bytes())
    version = found[1].decode() if found else "0"
    package = importlib.metadata.version("pillow-jxl-plugin")
    save = _pillow("JXL", lossless=True, effort=int(options.split()[1]), num_threads=0)

    def encode(pixels: Pixels) -> bytes:
        from pillow_jxl import JpegXLImagePlugin

        JpegXLImagePlugin.DECODE_THREADS = 0
        return save(pixels)

    coder = {"encode": encode, "decode": _open}
    yield Build(_numbers(version), f"pillow-jxl-plugin {package}, libjxl {version}", coder)


def _imagecodecs(options: str) -> Iterator[Build]:
    library = libjxl.library_of_imagecodecs()
    if library is None:
        return
    version = library.name.partition(".so.")[2]
    package = importlib.metadata.version("imagecodecs")
    settings = dict(zip(options.split()[::2], map(int, options.split()[1::2]), strict=True))

    def encode(pixels: Pixels) -> bytes:
        import imagecodecs

        imagecodecs.jpegxl_version()  # loads the libraries that the library needs
        return libjxl.Encoder(library).encode(pixels, settings)

    def decode(data: bytes) -> Pixels:
        import imagecodecs

        return np.asarray(imagecodecs.jpegxl_decode(data, numthreads=1))

    coder = {"encode": encode, "decode": decode}
    yield Build(_numbers(version), f"imagecodecs {package}, libjxl {version}", coder)


def flif() -> Iterator[Peer]:
    """FLIF as it is by default, and without interlacing, for small images."""
    if version := _version("flif", "-h"):
        for options in ("", " -N -E100"):
            encoder = f"flif -e{options} {{source}} {{target}}"
            coder = _pnm_program(encoder, "flif -d {source} {target}", ".flif")
            yield Peer(f"FLIF{options}", f"flif {version}", **coder, mosaic=True)


def xz() -> Iterator[Peer]:
    """xz of raw pixels, each less the one before it: what a general compressor makes of them."""

    def encode(pixels: Pixels) -> bytes:
        height, width, *channels = pixels.shape
        room = min(max(pixels.size, 4096), 1 << 26)  # else 64 MB are set up for every tiny image
        best = {"preset": 9 | lzma.PRESET_EXTREME, "dict_size": room, "lc": 0, "pb": 0}
        filters = [
            {"id": lzma.FILTER_DELTA, "dist": channels[0] if channels else 1},
            {"id": lzma.FILTER_LZMA2, **best},
        ]
        head = np.array([height, width, len(channels)], "<u4").tobytes()
        return head + lzma.compress(pixels.tobytes(), check=lzma.CHECK_NONE, filters=filters)

    def decode(data: bytes) -> Pixels:
        height, width, color = np.frombuffer(data[:12], "<u4")
        pixels = np.frombuffer(lzma.decompress(data[12:]), np.uint8)
        return pixels.reshape(height, width, 3) if color else pixels.reshape(height, width)

    yield Peer("xz -9e --delta", "Python's lzma", encode, decode)


KINDS = {"PNG": png, "xz": xz, "WebP": webp, "FLIF": flif, "JPEG XL": jxl}


def peers(name: str = "") -> list[Peer]:
    """Those that this machine has, or the one of a name; nothing else is looked for then."""
    kinds = [kind for word, kind in KINDS.items() if not name or name.startswith(word)]
    return [peer for kind in kinds for peer in kind() if name in ("", peer.name)]


def missing(found: list[Peer]) -> list[str]:
    """What is not here, each with how to get it."""
    names = " ".join(peer.name for peer in found)
    absent = [word for word in MISSING if word not in names]
    return [f"{word}: {MISSING[word]}" for word in absent]
