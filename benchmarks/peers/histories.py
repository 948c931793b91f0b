"""Pictures that were JPEGs: their archive, beside that of the JPEGs and beside JPEG XL.

    python -m benchmarks.peers.histories FOLDER [--quality Q ..] [--sampling S ..]
                                         [--cut TOP LEFT BOTTOM RIGHT] [--turned K] [--alpha]
                                         [--painted SHARE] [--peers]

The pictures of a folder are saved as JPEG by Pillow, decoded by it, painted over with a square of
the next one, cut, turned and given an opaque alpha if asked for, and saved as PNG. Prints a
Markdown table: how many come back without corrections, the share of pixels that are corrected,
bytes of the JPEGs, of their archive, of the archive of the PNGs, and of JPEG XL -e 9 and lepton
where these are installed (--peers); processor seconds a megapixel to find what they were, and of
whole commands on the PNG files, in (--no-verify) and out.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.command import bitswap
from benchmarks.data.pictures import Pixels
from benchmarks.peers.codecs.jpeg_xl import BEST, peers
from benchmarks.report import markdown
from bitswap_cli.images.history.finder import find
from bitswap_cli.images.orientation import turn

SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0", "gray")
HEADINGS = (
    "sampling", "quality", "pictures", "exact", "pixels corrected", "JPEG", "its archive",
    "ours", "ours / its archive", "lepton", "JPEG XL", "s / MP", "in", "out",
)  # fmt: skip


class Sizes(NamedTuple):
    """Of some pictures together, bytes, and processor seconds of commands."""

    jpeg: int
    archive: int
    ours: int
    lepton: int | None
    jpeg_xl: int | None
    seconds: tuple[float, float]
    """In and out."""


def jpeg(image: Image.Image, quality: int, sampling: str) -> bytes:
    """A picture as a JPEG file."""
    out = io.BytesIO()
    options = {} if sampling == "gray" else {"subsampling": sampling}
    image = image.convert("L" if sampling == "gray" else "RGB")
    image.save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


def sizes(files: list[bytes], pictures: list[Pixels], *, with_peers: bool) -> Sizes:
    """Archives of JPEG files and of what was decoded of them, and peers of each."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("files", "pictures"):
            (folder / name).mkdir()
        for k, (data, pixels) in enumerate(zip(files, pictures, strict=True)):
            (folder / f"files/{k}.jpg").write_bytes(data)
            Image.fromarray(pixels).save(folder / f"pictures/{k}.png")
        archive, ours = (
            bitswap("compress", "--no-verify", folder / name, "-o", folder / f"{name}.bsw")
            for name in ("files", "pictures")
        )
        out = bitswap("decompress", folder / "pictures.bsw", "-o", folder / "back")
    lepton = jpeg_xl = None
    if with_peers and find_spec("lepton_jpeg_python"):
        compress = import_module("lepton_jpeg_python").compress_bytes
        lepton = sum(len(compress(data)) for data in files)
    best = [peer for peer in peers() if peer.name.endswith(BEST)] if with_peers else []
    if best:
        jpeg_xl = sum(len(best[0].encode(np.atleast_3d(pixels))) for pixels in pictures)
    sides = archive.output["after"], ours.output["after"]
    return Sizes(sum(map(len, files)), *sides, lepton, jpeg_xl, (ours.cpu_seconds, out.cpu_seconds))


def painted(pictures: list[Pixels], share: float) -> list[Pixels]:
    """Pictures with a square of the next one over a share of their pixels, off the grid."""
    made = [picture.copy() for picture in pictures]
    for picture, other in zip(made, pictures[1:] + pictures[:1], strict=True):
        height, width = picture.shape[:2]
        side, top, left = int((share * height * width) ** 0.5), height // 3, width // 3
        y, x = (min(at, max(0, n - side)) for at, n in zip((100, 120), other.shape, strict=False))
        square = other[y : y + side, x : x + side]
        picture[top : top + len(square), left : left + square.shape[1]] = square
    return made


def rows(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table."""
    images = [Image.open(path) for path in sorted(folder.iterdir())]
    top, left, bottom, right = arguments.cut
    for sampling in arguments.sampling:
        for quality in arguments.quality:
            files = [jpeg(image, quality, sampling) for image in images]
            decoded = [np.asarray(Image.open(io.BytesIO(data))) for data in files]
            pictures = [
                np.ascontiguousarray(
                    turn(p[top : len(p) - bottom, left : p.shape[1] - right], arguments.turned)
                )
                for p in painted(decoded, arguments.painted)
            ]
            if arguments.alpha:
                pictures = [np.dstack([p, np.full(p.shape[:2], 255, np.uint8)]) for p in pictures]
            area = sum(p.shape[0] * p.shape[1] for p in pictures)
            began = time.process_time()
            found = [find(np.atleast_3d(p)) for p in pictures]
            seconds = time.process_time() - began
            told = sizes(files, pictures, with_peers=arguments.peers)
            wrong = sum(one.wrong for one in found if one)
            exact = sum(one is not None and not one.wrong for one in found)
            numbers = [
                "-" if n is None else f"{n:,}"
                for n in (told.jpeg, told.archive, told.ours, told.lepton, told.jpeg_xl)
            ]
            yield (
                sampling, str(quality), str(len(files)), str(exact), f"{100 * wrong / area:.4f} %",
                *numbers[:3], f"{told.ours / told.archive:.4f}", *numbers[3:],
                *(f"{1e6 * each / area:.2f}" for each in (seconds, *told.seconds)),
            )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quality", type=int, nargs="+", default=[75, 85, 95])
    parser.add_argument("--sampling", nargs="+", choices=SAMPLINGS, default=SAMPLINGS)
    parser.add_argument("--cut", type=int, nargs=4, default=[0, 0, 0, 0], help="pixels an edge")
    parser.add_argument("--turned", type=int, choices=range(8), default=0, help="how (format.md)")
    parser.add_argument("--alpha", action="store_true", help="give them an alpha of 255")
    parser.add_argument("--painted", type=float, default=0, help="a share of the pixels")
    parser.add_argument("--peers", action="store_true", help="JPEG XL -e 9 and lepton, too")
    arguments = parser.parse_args()
    print(markdown([HEADINGS, *rows(arguments.folder, arguments)]))


if __name__ == "__main__":
    main()
