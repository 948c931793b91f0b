"""Make a golden archive, and write what has to come out of it into manifest.json (README.md).

    python tests/golden/make.py MODEL [--scheme bitswap|bbans|topdown]
                                      [--fit-steps N [--wide | --turned]]
                                      [--copies | --common | --long | --jpeg | --decoded]
                                      [--exact] [--since VERSION] [--force]

The images are computed: a photograph-like PNG with text, gray ones, a digit, PPM, BMP, a text; wide
ones have alpha, palettes and 16 bits. Copies are of a PNG, of a PPM and of a text. PNG comes back
pixel for pixel, but with --exact.
"""

import argparse
import hashlib
import io
import json
import os
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

import bitswap_cli
from bitswap_cli.api.arguments import BATCH, SCHEMES
from bitswap_cli.api.codecs.tiles import named
from bitswap_cli.api.fit import fit
from bitswap_cli.api.race import Fitter
from bitswap_cli.archive.format.sections import NAMED_VERSION
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.images.formats.format import DESCRIBED

HERE = Path(__file__).parent
MANIFEST = HERE / "manifest.json"
TIME = 1_700_000_000_000_000_000  # of every file, so that it depends on nothing

Pixels = NDArray[np.uint8]


def photo(height: int, width: int, seed: int) -> Pixels:
    """Light that changes slowly, an edge, texture and noise that the channels share; RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    light = 110 + 60 * np.sin(y / 19 + x / 31) + 25 * (2 * y + x > 1.4 * height)
    light += 6 * np.sin(y * x / 40) + rng.normal(0, 4, (height, width))
    pixels = light[..., None] * [1.0, 0.9, 0.75] + rng.normal(0, 1, (height, width, 3))
    rounded: Pixels = pixels.clip(0, 255).astype(np.uint8)
    return rounded


def digits(count: int) -> Pixels:
    """White curves of one stroke on black, 28 pixels high, which look like digits to a model."""
    rng = np.random.default_rng(count)
    y, x = np.mgrid[:28, :28]
    t = np.linspace(0, 1, 60)
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])  # Bezier
    shapes = []
    for _ in range(count):
        path = rng.uniform([2, 4], [26, 24], (4, 2)).T @ weights
        distance = np.hypot(y[..., None] - path[0], x[..., None] - path[1]).min(-1)
        ink = np.clip(2.3 - distance, 0, 1) * rng.uniform(225, 254, (28, 28))
        shapes.append(ink)
    return np.hstack(shapes).astype(np.uint8)


def png(pixels: Pixels, **options: PngImagePlugin.PngInfo) -> bytes:
    """A PNG file."""
    return image_png(Image.fromarray(pixels), **options)


def image_png(image: Image.Image, **options: PngImagePlugin.PngInfo) -> bytes:
    """A PNG file of an image of any mode."""
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def netpbm(pixels: Pixels) -> bytes:
    """A PGM or PPM file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PPM")
    return out.getvalue()


def bmp(pixels: Pixels) -> bytes:
    """A BMP file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "BMP")
    return out.getvalue()


def files() -> dict[str, bytes]:
    """Names and contents of what is archived."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "made for a golden archive")
    return {
        "photo.png": png(photo(45, 70, 1), pnginfo=note),
        "large tiles.png": png(photo(64, 64, 6)),
        "gray/photo.png": png(photo(40, 33, 2)[..., 1]),
        "gray/digits.png": png(digits(40)),
        "gray/digit.pgm": netpbm(digits(1)),
        "many tiles.png": png(photo(96, 110, 7)),
        "raw/photo.ppm": netpbm(photo(34, 31, 3)),
        "raw/photo.bmp": bmp(photo(21, 35, 4)),
        "one pixel.png": png(photo(1, 1, 5)),
        "notes.txt": b"Kept byte for byte.\n" * 3,
    }


def exact_files() -> dict[str, bytes]:
    """Likewise, and PNG files of other makers, which differ in what a description says."""
    rows = photo(40, 44, 9).reshape(40, -1)
    up = np.diff(rows, axis=0, prepend=np.uint8(0))

    def made(level: int, length: int, tail: bytes = b"", before: bytes = b"") -> bytes:
        lines = b"".join(
            b"\2" + u.tobytes() if k % 7 else b"\0" + rows[k].tobytes() for k, u in enumerate(up)
        )
        stream = zlib.compress(lines, level) + tail
        starts = range(0, len(stream), length)
        idat = b"".join(chunk(b"IDAT", stream[at : at + length]) for at in starts)
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", 44, 40, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + before + idat + chunk(b"IEND", b"") + tail

    return files() | {
        **{f"zlib/{level}.png": made(level, 1 << 20) for level in range(10)},
        "zlib/chunks.png": made(6, 1000),
        "zlib/behind.png": made(4, 8192, b"a tail that no decoder sees"),
        "zlib/transparent.png": made(9, 1 << 20, before=chunk(b"tRNS", bytes(6))),
    }


def chunk(tag: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    checked = tag + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


def wide_files() -> dict[str, bytes]:
    """Names and contents of what is archived with grown models."""
    rgb = photo(50, 60, 8)
    alpha = np.where(rgb[..., :1] > 110, 255, 0).astype(np.uint8)
    deep = rgb.astype(">u2") * 257
    gray = Image.fromarray(deep[..., 0].astype(np.uint16))
    order = np.random.default_rng(1).permutation(256).astype(np.uint8)
    shuffled = Image.fromarray(order[rgb[..., 0]])
    shuffled.putpalette(np.repeat(np.argsort(order), 3).astype(np.uint8).tobytes())
    return {
        "plain.png": png(rgb),
        "alpha/rgba.png": png(np.concatenate((rgb, alpha), -1)),
        "alpha/gray.png": png(np.concatenate((rgb[..., :1], alpha), -1)),
        "palette/few.png": image_png(Image.fromarray(rgb).quantize(16)),
        "palette/many.png": image_png(Image.fromarray(rgb).quantize(200)),
        "palette/any.png": image_png(shuffled),
        "deep/gray.png": image_png(gray),
        "deep/rgb.ppm": b"P6 60 50 65535\n" + deep.tobytes(),
        "notes.txt": b"Kept byte for byte.\n" * 3,
    }


def turned_files() -> dict[str, bytes]:
    """Names and contents of what is archived as small pictures that lie in different ways."""
    found = {"notes.txt": b"Kept byte for byte.\n" * 3}
    for k in range(24):
        pixels = photo(22, 31, 20 + k)
        pixels = pixels.swapaxes(0, 1) if k & 4 else pixels
        pixels = np.ascontiguousarray(pixels[:: -1 if k & 2 else 1, :: -1 if k & 1 else 1])
        found[f"{k}.png"] = png(pixels)
    return found


def common_files() -> dict[str, bytes]:
    """Names and contents of what is archived in groups that are told what they have in common."""
    found = {"large.png": png(photo(160, 170, 60)), "gray.png": png(photo(130, 140, 61)[..., 0])}
    return found | {f"small/{k:02}.png": png(photo(33, 34, 62 + k)) for k in range(16)}


LINKS = {"linked/text.txt": "text.txt", "linked/photo.ppm": "again/photo.ppm"}


def equal_files() -> dict[str, bytes]:
    """Names and contents of what is archived as copies and, of `LINKS`, as hard links."""
    once = {"photo.png": png(photo(45, 70, 9)), "photo.ppm": netpbm(photo(30, 20, 10))}
    once["text.txt"] = b"Stored once.\n" * 3
    found = {f"{folder}{name}": data for folder in ("", "again/") for name, data in once.items()}
    return found | {name: found[first] for name, first in LINKS.items()}


def long_files() -> dict[str, bytes]:
    """Names and contents of what is archived in one block of more than 16 MiB."""
    noise = np.random.default_rng(2).bytes(5000)
    return {
        "photo.png": png(photo(45, 70, 11)),
        "long.txt": noise + b"Kept in one window.\n" * (1 << 20) + noise,
    }


def jpeg_files() -> dict[str, bytes]:
    """Names and contents of what is archived by coefficients, and what is not."""
    kinds: dict[str, dict[str, Any]] = {
        "420": {"quality": 75},
        "444": {"quality": 93, "subsampling": 0},
        "422": {"quality": 50, "subsampling": 1},
        "progressive": {"progressive": True},
        "restarts": {"restart_marker_blocks": 3},
    }
    found = {}
    for k, (name, options) in enumerate(kinds.items()):
        out = io.BytesIO()
        Image.fromarray(photo(72, 100, 30 + k)).save(out, "JPEG", **options)
        found[f"{name}.jpg"] = out.getvalue()
    for mode in ("L", "CMYK"):
        out = io.BytesIO()
        Image.fromarray(photo(60, 50, 40)).convert(mode).save(out, "JPEG")
        found[f"{mode}.jpg"] = out.getvalue()
    thumbnail = b"Exif\0\0" + found["L.jpg"]
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    whole = found["420.jpg"]
    found["thumbnail.jpg"] = whole[:2] + segment + whole[2:]
    found["behind.jpg"] = found["444.jpg"] + b"behind the end"
    return found | {"broken.jpg": whole[:600], "notes.txt": b"Kept byte for byte.\n" * 3}


def decoded_files() -> dict[str, bytes]:
    """Names and contents of what is archived by coefficients though no JPEG, and another one."""
    found = {"none.png": png(photo(40, 50, 60))}
    kinds: dict[str, dict[str, Any]] = {
        "444.png": {"quality": 80, "subsampling": 0},
        "422.bmp": {"quality": 75, "subsampling": 1},
        "420.ppm": {"quality": 85},
        "odd.png": {"quality": 70},
        "gray.png": {"quality": 75},
        "own.png": {"qtables": [list(range(3, 67)), list(range(5, 69))], "subsampling": 0},
    }
    for k, (name, options) in enumerate(kinds.items()):
        pixels = photo(144 - 3 * (name == "odd.png"), 176, 50 + k)
        out = io.BytesIO()
        image = Image.fromarray(pixels).convert("L" if name == "gray.png" else "RGB")
        image.save(out, "JPEG", **options)
        changed = np.array(Image.open(out))
        changed[30:32, 40:50] = 99
        found[name] = {"png": png, "bmp": bmp, "ppm": netpbm}[name[-3:]](changed)
    return found


def digest(path: Path, restored: str) -> str:
    """SHA-256 of a file that comes back byte for byte (bytes), or of its pixels (pixels)."""
    if restored == "bytes":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    with Image.open(path) as image:
        line = f"{image.mode} {image.width} {image.height}\n"
        return hashlib.sha256(line.encode() + image.tobytes()).hexdigest()


def write(source: Path, archive: Path, arguments: argparse.Namespace) -> None:
    """Write an archive; with a fitted model, even though so few pictures are not worth one."""
    model, scheme, steps = arguments.model, arguments.scheme, arguments.fit_steps
    if arguments.jpeg or arguments.decoded:
        bitswap_cli.compress(source, archive, model=model, scheme=scheme, force=True)
        return
    start = named(model, scheme, BATCH, fitting=steps is not None)
    if steps is not None:
        catalogue = Catalogue([source], wide=True, pixels=not arguments.exact)
        start = fit([start], Fitter(catalogue), steps=steps, always=True)
    header = start.header
    if arguments.exact:
        header = header._replace(features=header.features | {DESCRIBED})
    pack([source], archive, start.codec, header, force=True)


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="name of an installed model")
    parser.add_argument("--scheme", default="bitswap", choices=SCHEMES)
    parser.add_argument("--fit-steps", type=int, help="fit the model for so many steps")
    parser.add_argument("--wide", action="store_true", help="of other images")
    parser.add_argument("--turned", action="store_true", help="of small images")
    parser.add_argument("--copies", action="store_true", help="of equal files")
    parser.add_argument("--common", action="store_true", help="of groups of many pixels")
    parser.add_argument("--long", action="store_true", help="of more than a small block")
    parser.add_argument("--exact", action="store_true", help="PNG byte for byte")
    parser.add_argument("--jpeg", action="store_true", help="of JPEG files")
    parser.add_argument("--decoded", action="store_true", help="of pictures that were JPEGs")
    parser.add_argument("--since", help="version that brought the model as it is, if not the first")
    parser.add_argument("--force", action="store_true", help="replace one never released")
    return parser.parse_args()


def main() -> None:
    """Make one archive."""
    arguments = parsed()
    kind = arguments.scheme if arguments.fit_steps is None else "fitted"
    kind = "wide" if arguments.wide else "turned" if arguments.turned else kind
    made = wide_files if arguments.wide else turned_files if arguments.turned else files
    kind, made = ("copies", equal_files) if arguments.copies else (kind, made)
    kind, made = ("common", common_files) if arguments.common else (kind, made)
    kind, made = ("long", long_files) if arguments.long else (kind, made)
    if arguments.exact:
        kind, made = f"{kind}-exact", exact_files if made is files else made
    kind, made = ("learning", jpeg_files) if arguments.jpeg else (kind, made)
    kind, made = ("decoded", decoded_files) if arguments.decoded else (kind, made)
    model = f"{arguments.model}-{arguments.since}" if arguments.since else arguments.model
    archive = HERE / f"{model}-{kind}-{NAMED_VERSION}.bsw"
    if archive.exists() and not arguments.force:
        sys.exit(f"{archive.name} is frozen (README.md)")
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "golden"
        for name, data in made().items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if arguments.copies and name in LINKS:
                os.link(source / LINKS[name], path)
                continue
            path.write_bytes(data)
            os.utime(path, ns=(TIME, TIME))
        write(source, archive, arguments)
        with bitswap_cli.open(archive) as opened:
            listed = {name: opened.info(name) for name in opened}
        entries = {}
        for name, entry in listed.items():
            restored = "bytes" if entry.exact else "pixels"
            sha256 = digest(source.parent / name, restored)
            entries[name] = {"restored": restored, "sha256": sha256}
    coded = [name for name, entry in listed.items() if entry.shape]
    if not coded:
        archive.unlink()
        sys.exit(f"{arguments.model} coded none of the images: it would be no test of it")
    manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    manifest[archive.name] = {
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "model": arguments.model,
        "scheme": arguments.scheme,
        "entries": entries,
    }
    MANIFEST.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    print(f"{archive.name}: {archive.stat().st_size} bytes; through the model: {', '.join(coded)}")


if __name__ == "__main__":
    main()
