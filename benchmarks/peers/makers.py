"""How files of different makers come back: what share is split into samples, by which description.

    python -m benchmarks.peers.makers [--png] PICTURES ...

The pictures (files, or folders of them) are written in other formats by Pillow, NumPy and
whatever else is here: tifffile, ImageMagick, libtiff's tiffcp, gifsicle, ffmpeg, Netpbm. Prints a
Markdown table: how many files each made, the share of their bytes in those that come back byte for
byte from samples, the description in hundredths of these, MB/s of files that are looked at, proof
included. With --png, they are written as PNG by all of pngs.py instead.
"""

import argparse
import importlib.util
import io
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.data.pictures import below
from benchmarks.peers.pngs import Make, png_makers
from benchmarks.report import markdown
from bitswap_cli.images.inspection import at_once, describe, inspect_exact

Pixels = NDArray[np.uint8]

HEADINGS = ("maker", "files", "bytes split", "description", "MB/s")

FFMPEG = ("ffmpeg", "-y", "-loglevel", "error", "-i", "{png}")
OPAQUE = ("-background", "white", "-alpha", "remove", "-alpha", "off")
ICON = ("-resize", "64x64")
PROGRAMS: Mapping[str, Sequence[str]] = {
    "ImageMagick": ("convert", "{png}"),
    "libtiff": ("tiffcp",),
    "gifsicle": ("gifsicle", "{gif}", "-o", "{target}"),
    "ffmpeg": FFMPEG,
    "Netpbm": ("pngtopam", "{png}"),
}
"""What the commands of programs begin with."""

COMMANDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "ImageMagick": {
        "BMP": ("{target}.bmp",),
        "TGA": ("{target}.tga",),
        "TGA, runs": ("-compress", "RLE", "{target}.tga"),
        "GIF": ("{target}.gif",),
        "GIF, interlaced": ("-interlace", "GIF", "{target}.gif"),
        "TIFF, LZW": ("-compress", "LZW", "{target}.tif"),
        "TIFF, deflate": ("-compress", "Zip", "{target}.tif"),
        "TIFF, PackBits": ("-compress", "RLE", "{target}.tif"),
        "TIFF, group 4": (*OPAQUE, "-monochrome", "-compress", "Group4", "{target}.tif"),
        "TIFF, deflate, 16 bits": ("-depth", "16", "-compress", "Zip", "{target}.tif"),
        "BMP, 5-6-5 bits": (*OPAQUE, "-define", "bmp:subtype=RGB565", "{target}.bmp"),
        "PBM": (*OPAQUE, "{target}.pbm"),
        "PPM, plain": (*OPAQUE, "-compress", "none", "{target}.ppm"),
        "PGM, plain": (*OPAQUE, "-compress", "none", "{target}.pgm"),
        "PBM, plain": (*OPAQUE, "-compress", "none", "{target}.pbm"),
        "ICO": (*ICON, "{target}.ico"),
        "ICO, 16 colours": (*OPAQUE, *ICON, "-colors", "16", "{target}.ico"),
    },
    "libtiff": {
        f"TIFF, {name}": ("-c", *options, "{tiff}", "{target}")
        for name, options in {
            "uncompressed": ("none",),
            "LZW": ("lzw",),
            "LZW, differences": ("lzw:2",),
            "deflate": ("zip",),
            "PackBits": ("packbits",),
            "LZW in tiles": ("lzw", "-t", "-w", "64", "-l", "64"),
            "deflate, planes": ("zip", "-p", "separate"),
        }.items()
    },
    "gifsicle": {"GIF": (), "GIF, -O3": ("-O3",), "GIF, lossy": ("-O3", "--lossy=80")},
    "ffmpeg": {
        "BMP": ("{target}.bmp",),
        "TGA": ("{target}.tga",),
        "QOI": ("{target}.qoi",),
        "PAM": ("{target}.pam",),
        "GIF": ("{target}.gif",),
        "TIFF, LZW": ("-compression_algo", "lzw", "{target}.tif"),
        "TIFF, deflate": ("-compression_algo", "deflate", "{target}.tif"),
        "TIFF, PackBits": ("-compression_algo", "packbits", "{target}.tif"),
        "BMP, 5-6-5 bits": ("-pix_fmt", "rgb565le", "{target}.bmp"),
        "BMP, 5-5-5 bits": ("-pix_fmt", "rgb555le", "{target}.bmp"),
        "TGA, 5-5-5 bits": ("-pix_fmt", "rgb555le", "{target}.tga"),
        "TGA, 5-5-5 bits, no runs": ("-pix_fmt", "rgb555le", "-rle", "0", "{target}.tga"),
        "APNG": ("-f", "apng", "{target}"),
        "ICO": ("-vf", "scale=64:64", "{target}.ico"),
    },
    "Netpbm": {
        name: ("sh", "-c", f"pngtopam {{png}} | {command} > {{target}}")
        for name, command in {
            "PPM": "cat",
            "PBM": "ppmtopgm | pamditherbw -fs | pamtopnm",
            "PPM, plain": "pnmtoplainpnm",
            "PGM, plain": "ppmtopgm | pnmtoplainpnm",
            "PBM, plain": "ppmtopgm | pamditherbw -fs | pamtopnm -plain",
            "BMP": "ppmtobmp -bpp 24",
            "TGA": "pamtotga -rgb -norle",
            "TGA, runs": "pamtotga -rgb",
            "TIFF": "pamtotiff -none",
            "TIFF, LZW": "pamtotiff -lzw",
            "TIFF, group 3": "ppmtopgm | pamditherbw -fs | pamtotiff -g3 -fill",
            "TIFF, group 3, two ways": "ppmtopgm | pamditherbw -fs | pamtotiff -g3 -2d",
            "TIFF, group 4": "ppmtopgm | pamditherbw -fs | pamtotiff -g4 -lsb2msb",
            "GIF": "pnmquant 256 | pamtogif",
        }.items()
    },
}

SAVED: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "BMP": ("RGBA", "BMP", {}),
    "BMP, palette": ("P", "BMP", {}),
    "TGA": ("RGBA", "TGA", {}),
    "TGA, runs": ("RGB", "TGA", {"compression": "tga_rle"}),
    "TGA, palette, runs": ("P", "TGA", {"compression": "tga_rle"}),
    "QOI": ("RGBA", "QOI", {}),
    "GIF": ("P", "GIF", {}),
    "TIFF": ("RGB", "TIFF", {}),
    "TIFF, LZW": ("RGB", "TIFF", {"compression": "tiff_lzw"}),
    "TIFF, LZW, differences": ("RGB", "TIFF", {"compression": "tiff_lzw", "tiffinfo": {317: 2}}),
    "TIFF, deflate": ("RGBA", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, PackBits": ("P", "TIFF", {"compression": "packbits"}),
    "TIFF, group 4": ("1", "TIFF", {"compression": "group4"}),
    "TIFF, runs": ("1", "TIFF", {"compression": "tiff_ccitt"}),
    "BigTIFF": ("RGB", "TIFF", {"big_tiff": True}),
    "PBM": ("1", "PPM", {}),
    "ICO": ("RGBA", "ICO", {}),
    "ICO, bitmaps": ("RGBA", "ICO", {"bitmap_format": "bmp"}),
    "ICO, bitmaps, palette": ("P", "ICO", {"bitmap_format": "bmp"}),
    "APNG": ("RGBA", "PNG", {"save_all": True}),
}
"""What Pillow makes: mode, format and options."""


ARRAYS: Mapping[str, Callable[[io.BytesIO, Pixels], None]] = {
    "npy": np.save,
    "npy, int16": lambda out, pixels: np.save(out, pixels.astype(np.int16) * 99),
    "npy, int8": lambda out, pixels: np.save(out, (pixels ^ 128).view(np.int8)),
    "npy, uint16 in Fortran's order": lambda out, pixels: np.save(
        out, np.asfortranarray(pixels[..., 0].astype(np.uint16) * 99)
    ),
    "npz": lambda out, pixels: np.savez(out, pixels),
    "npz, deflated": lambda out, pixels: np.savez_compressed(out, pixels),
}
"""What NumPy makes of pixels."""

TIFFFILE: Mapping[str, Mapping[str, Any]] = {
    "TIFF": {},
    "BigTIFF": {"bigtiff": True},
    "TIFF, deflate": {"compression": "zlib"},
    "TIFF in tiles": {"tile": (64, 64)},
}
"""What tifffile makes: options."""


class Told(NamedTuple):
    """Of a file that was looked at."""

    size: int
    split: bool
    description: int
    seconds: float


def makers() -> dict[str, Make]:
    """Return all that are here."""
    found: dict[str, Make] = {
        f"NumPy, {name}": partial(numpy_file, made=made) for name, made in ARRAYS.items()
    }
    if importlib.util.find_spec("tifffile"):
        for name, options in TIFFFILE.items():
            found[f"tifffile, {name}"] = partial(tifffile_file, options=options)
    for name, (mode, kind, options) in SAVED.items():
        found[f"Pillow, {name}"] = partial(pillow, mode=mode, kind=kind, options=options)
    for program, start in PROGRAMS.items():
        if shutil.which(start[0]):
            for name, rest in COMMANDS[program].items():
                command = rest if rest[:1] == ("sh",) else (*start, *rest)
                found[f"{program}, {name}"] = partial(by, command=command)
    return found


def pillow(
    image: Image.Image, folder: Path, *, mode: str, kind: str, options: Mapping[str, Any]
) -> bytes:
    """What Pillow makes."""
    out = io.BytesIO()
    seen = image.convert("RGB").quantize(256) if mode == "P" else image.convert(mode)
    seen.info.pop("transparency", None)
    turned = [seen.transpose(Image.Transpose.ROTATE_180)]
    more = {"append_images": turned} if "save_all" in options else {}
    seen.save(out, kind, **options, **more)
    return out.getvalue()


def numpy_file(
    image: Image.Image, folder: Path, *, made: Callable[[io.BytesIO, Pixels], None]
) -> bytes:
    """What NumPy makes."""
    out = io.BytesIO()
    made(out, np.asarray(image.convert("RGB")))
    return out.getvalue()


def tifffile_file(image: Image.Image, folder: Path, *, options: Mapping[str, Any]) -> bytes:
    """What tifffile makes."""
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(out, np.asarray(image.convert("RGB")), photometric="rgb", **options)
    return out.getvalue()


def by(image: Image.Image, folder: Path, *, command: Sequence[str]) -> bytes | None:
    """What a program makes of the files in a folder; None if it fails."""
    names = {kind: str(folder / f"source.{kind}") for kind in ("png", "gif", "tiff")}
    words = [word.format(target=folder / "target", **names) for word in command]
    for path in folder.glob("target*"):
        path.unlink()
    done = subprocess.run(words, capture_output=True, check=False)
    made = list(folder.glob("target*"))
    return made[0].read_bytes() if not done.returncode and made else None


def looked_at(data: bytes) -> Told:
    """Split a file and prove it."""
    began = time.perf_counter()
    with at_once():
        found = next(inspect_exact(data, describe(data)), None)
    seconds = time.perf_counter() - began
    return Told(
        len(data), found is not None, len(found.recipe.description) if found else 0, seconds
    )


def rows(paths: Sequence[Path], every: Mapping[str, Make]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table of some makers."""
    told: dict[str, list[Told]] = {name: [] for name in every}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for path in paths:
            image = Image.open(path)
            image.load()
            image.info.pop("transparency", None)
            image.save(folder / "source.png")
            for kind, mode in (("GIF", "P"), ("TIFF", "RGBA")):
                data = pillow(image, folder, mode=mode, kind=kind, options={})
                (folder / f"source.{kind.lower()}").write_bytes(data)
            for name, make in every.items():
                made = make(image, folder)
                if made is not None:
                    told[name].append(looked_at(made))
    for name, files in told.items():
        size = sum(one.size for one in files)
        if size:
            split = sum(one.size for one in files if one.split)
            described = sum(one.description for one in files)
            seconds = sum(one.seconds for one in files)
            yield (
                name, str(len(files)), f"{100 * split / size:.1f} %",
                f"{100 * described / max(split, 1):.2f}", f"{size / 1e6 / seconds:.1f}",
            )  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--png", action="store_true")
    arguments = parser.parse_args(words)
    paths = [path for top in arguments.pictures for path in below(top)]
    print(markdown([HEADINGS, *rows(paths, png_makers() if arguments.png else makers())]))


if __name__ == "__main__":
    main()
