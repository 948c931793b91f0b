"""Lossless codecs side by side on folders of images: rate, speed, memory.

Every 8-bit gray or RGB image is coded by the other codecs that this machine has, one file each, and
by bitswap as one archive; sets of small images also as one mosaic by some. Each result is decoded
and compared. Speeds are MB of raw pixels a second, on one core (pinned to it) and on two: two
processes with half of the images each, or `--threads 2` for bitswap. Those of bitswap are of the
whole command, and again without its start: the `seconds` of its --json (which count the loading of
the model for decompress, not for compress). Peak memory is that of the process on one core, its
Python included.

    python -m benchmarks.peers.bench FOLDER[:CELL]... [--models NAME,...] [--json FILE]
                                     [--plot FILE]
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data import pictures
from benchmarks.machine import machine
from benchmarks.peers.block import Block
from benchmarks.peers.codecs.register import missing, peers
from benchmarks.peers.plot import plot
from benchmarks.peers.rows import measure_block, speed
from benchmarks.report import Figures, markdown, write_json

COLUMNS = (
    "codec",
    "bpd",
    "of PNG",
    "encode MB/s",
    "decode MB/s",
    "encode, 2 cores",
    "decode, 2 cores",
    "peak MB",
    "images",
    "build",
)


def table(blocks: list[Figures]) -> str:
    """Markdown."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for block in blocks:
        samples, size = block["subpixels"], block["png_bytes"]
        title = f"**{block['folder']}**: {block['images']:,} images, {samples / 1e6:.1f} MB"
        if block["left_out"]:
            title += f" ({block['left_out']} of other kinds left out)"
        png = f"{size * 8 / samples:.3f}"
        rows.append((title, png, "1.000", "", "", "", "", "", "", "PNG files as found or made"))
        for row in block["results"]:
            rows.append(_cells(row))
    return markdown(rows, left=(0, len(COLUMNS) - 1))


def _cells(row: Figures) -> tuple[str, ...]:
    if "error" in row:
        return (row["codec"], *["-"] * 8, f"{row['build']}; FAILED: {row['error']}")
    step = row.get("every", 1)
    speeds = [row.get(speed(way, n)) for n in (1, 2) for way in ("encode", "decode")]
    return (
        row["codec"],
        f"{row['bpd']:.3f}" + "*" * (step > 1),
        f"{row['of_png']:.3f}",
        *("-" if rate is None else f"{rate:.3g}" for rate in speeds),
        f"{row['peak_memory'] / 1e6:.0f}",
        "all" if step == 1 else f"1/{step} of images",
        row["build"],
    )


def main(given: Sequence[str] | None = None) -> None:
    """Measure folder by folder, print the table, and write JSON and a plot if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", metavar="FOLDER[:CELL]", type=pictures.parse)
    parser.add_argument(
        "--models", default="default", help="names or paths with commas; default: the command's own"
    )
    parser.add_argument("--peers", default="", help="only peers with one of these words, by commas")
    parser.add_argument(
        "--limit-seconds",
        type=float,
        default=300,
        metavar="S",
        help="a peer that would take longer for a folder on one core codes every n-th image only; "
        "0: no limit (default: %(default)s)",
    )
    parser.add_argument("--cores", type=int, choices=(1, 2), default=2, help="at most")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="rate against speed, as PNG")
    arguments = parser.parse_args(given)
    here = peers()
    words = [word.strip() for word in arguments.peers.split(",")]
    found = [peer for peer in here if any(word in peer.name for word in words)]
    models = [model for model in arguments.models.split(",") if model]
    figures: Figures = {"machine": machine(), "missing": missing(here), "folders": []}
    for source in arguments.sources:
        with tempfile.TemporaryDirectory(prefix="bitswap-") as temporary:
            try:
                block = Block(source, Path(temporary, "in"))
            except (OSError, ValueError) as error:
                sys.exit(str(error))
            results: list[Figures] = []
            figures["folders"].append(block.head() | {"results": results})
            print(f"{block.name}: {len(block.paths)} images", file=sys.stderr)
            limits = arguments.limit_seconds, arguments.cores
            for rows in measure_block(block, found, models, *limits):
                results += rows
                write_json(figures, arguments.json)  # at once: a long run may be cut short
    print(table(figures["folders"]))
    every = [row for block in figures["folders"] for row in block["results"]]
    if any(row.get("every", 1) > 1 for row in every):
        print("* of those images only; the ratio to PNG is to the PNG files of the same images")
    print(*figures["missing"], sep="\n")
    if arguments.plot:
        plot(figures["folders"], arguments.plot)
    if any("error" in row for row in every):
        sys.exit("some failed")


if __name__ == "__main__":
    main()
