"""What fitting is worth: bytes of archives after so many seconds of it, beside JPEG XL and PNG.

    python -m benchmarks.figures.fit_curve FOLDER[:CELL]... --seconds 30 60 120 300
                                           [-o FILE] [--plot FILE]
    python -m benchmarks.figures.fit_curve --from FILE --plot FILE

Archives hold the fitted model where it made them smaller. Each is restored and compared. The peer
is JPEG XL, which codes every file by itself; where it is not here, archives are compared with the
PNG files.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import drawing
from benchmarks.command import CommandError, bitswap
from benchmarks.data import pictures
from benchmarks.drawing import OURS, THEIRS
from benchmarks.machine import machine
from benchmarks.peers.block import Block
from benchmarks.peers.codecs.peer import Peer
from benchmarks.peers.codecs.register import missing, peers
from benchmarks.peers.measure import code
from benchmarks.report import Figures, markdown, write_json

PEER = "JPEG XL -e 9"
PROCESSES = 2
COLUMNS = ("folder", "fit", "bytes", "bits/dim", "model", "than without", "than peer")
HEIGHT = 2.9  # inches a row of panels


@cache
def _peer() -> Peer | None:
    return next(iter(peers(PEER)), None)


def peer_bytes(path: Path) -> int:
    """Bytes of an image file as JPEG XL, which must be here.

    Raises
    ------
    ValueError
        If it comes back different, or cannot be coded.
    """
    peer = _peer()
    if peer is None:
        raise ValueError(f"{PEER} is not here")
    return code(peer, pictures.read(path)).bytes


def archive(folder: Path, seconds: float, threads: int, work: Path) -> Figures:
    """Compress a folder, restore and compare it; return figures of the archive.

    Raises
    ------
    CommandError, ValueError
        If a command fails, or a picture comes back different.
    """
    target, restored = work / f"{seconds:g}.bsw", work / f"{seconds:g}"
    options = ["--threads", str(threads)]
    fit = ["--fit", f"{seconds:g}s"] if seconds else []
    run = bitswap("compress", folder, "-o", target, *options, *fit)
    bitswap("decompress", target, "-o", restored, *options)
    subpixels = pictures.compare(folder, restored / folder.name)
    size = target.stat().st_size
    if size != run.output["after"]:
        raise ValueError(f"{target.name} has {size} bytes, not the {run.output['after']} reported")
    return {
        "seconds": seconds,
        "bytes": size,
        "bpd": round(size * 8 / subpixels, 5),
        "bpd_of_pixels": run.output.get("bpd"),
        "model_bytes": run.output.get("fitted") or 0,
        "saved": run.output.get("saved") or 0,
        "wall_seconds": round(run.seconds, 1),
    }


def measure(source: pictures.Source, seconds: list[float], threads: int) -> Iterator[Figures]:
    """Figures of a folder, again after every archive.

    Raises
    ------
    CommandError, ValueError
        If something fails or comes back different.
    """
    with tempfile.TemporaryDirectory(prefix="bitswap-") as temporary:
        work = Path(temporary)
        block = Block(source, work / source.name, pictures.WITH_ALPHA)
        head = block.head()
        figures = head | {"peer": "PNG", "peer_bytes": head["png_bytes"], "archives": []}
        if peer := _peer():
            with ProcessPoolExecutor(PROCESSES) as pool:
                share = math.ceil(len(block.paths) / 64)
                sizes = pool.map(peer_bytes, block.paths, chunksize=share)
                figures |= {"peer": PEER, "build": peer.build, "peer_bytes": sum(sizes)}
        yield figures
        for time in [0.0, *seconds]:
            figures["archives"].append(archive(block.folder, time, threads, work))
            print(f"{source.name}, {time:g} s: {figures['archives'][-1]}", file=sys.stderr)
            yield figures


def table(folders: list[Figures]) -> str:
    """Markdown."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for folder in folders:
        title = f"{folder['folder']}, {folder['images']:,} files"
        peer = folder["peer_bytes"]
        for name, size in {"PNG": folder["png_bytes"], folder["peer"]: peer}.items():
            bpd = f"{size * 8 / folder['subpixels']:.3f}"
            rows.append((title, name, f"{size:,}", bpd, "", "", _smaller(size, peer)))
            title = ""
        for row in folder["archives"]:
            size, seconds = row["bytes"], row["seconds"]
            rows.append(
                (
                    title,
                    f"{seconds:g} s" if seconds else "without",
                    f"{size:,}",
                    f"{row['bpd']:.3f}",
                    f"{row['model_bytes']:,}" if seconds else "",
                    _smaller(size, folder["archives"][0]["bytes"]) if seconds else "",
                    _smaller(size, peer),
                )
            )
    return markdown(rows)


def _smaller(size: int, than: int) -> str:
    """How much smaller, in percent; negative if it is larger."""
    return "" if size == than else f"{100 * (1 - size / than):.1f} %"


def plot(folders: list[Figures], path: Path) -> None:
    """Draw bytes against seconds of fitting, a panel for each folder."""
    columns = min(len(folders), 2)
    rows = math.ceil(len(folders) / columns)
    size = drawing.WIDTH / 2 * columns, HEIGHT * rows
    figure, panels = drawing.subplots(rows, columns, size)
    for axes in panels.flat[len(folders) :]:
        axes.set_visible(False)
    for axes, folder in zip(panels.flat, folders, strict=False):
        _panel(axes, folder)
    figure.tight_layout()
    drawing.save(figure, path)


def _panel(axes: Any, folder: Figures) -> None:
    """Draw one folder: kB at the left, percent of JPEG XL's at the right."""
    peer = folder["peer_bytes"] / 1000
    seconds = [row["seconds"] for row in folder["archives"]]
    sizes = [row["bytes"] / 1000 for row in folder["archives"]]
    axes.axhline(peer, color=THEIRS, linestyle="--", linewidth=1)
    axes.plot(seconds, sizes, "o-", color=OURS, markersize=4, linewidth=1)
    low, high = min([peer, *sizes]), max([peer, *sizes])
    room = 0.15 * (high - low) or 0.05 * high
    axes.set_ylim(low - room, high + room)
    axes.annotate(
        folder["peer"],
        (0.5, peer),
        (0, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="center",
        fontsize=7,
        color=THEIRS,
    )
    for second, size in list(zip(seconds, sizes, strict=True))[:: max(len(sizes) - 1, 1)]:
        axes.annotate(
            f"{size:,.0f}",
            (second, size),
            (4, 4) if second == 0 else (-2, -11),
            textcoords="offset points",
            ha="left" if second == 0 else "right",
            fontsize=7,
            color=OURS,
            weight="bold",
        )
    axes.set_title(f"{folder['folder']}: {folder['images']:,} files", loc="left", fontsize=9)
    axes.set(xlabel="seconds of fitting (0: without)", ylabel="archive, kB")
    axes.yaxis.set_major_formatter(lambda value, _: f"{round(value, 3):,}".removesuffix(".0"))
    if seconds:
        axes.set_xticks(seconds, [f"{second:g}" for second in seconds])
    axes.margins(x=0.08)
    axes.grid(alpha=0.2, linewidth=0.6)
    axes.spines["right"].set_visible(True)
    percent = axes.secondary_yaxis("right", (lambda y: 100 * y / peer, lambda y: y * peer / 100))
    percent.set_ylabel(f"% of {folder['peer']}")


def main(given: Sequence[str] | None = None) -> None:
    """Measure, or read what was measured; print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", metavar="FOLDER[:CELL]", type=pictures.parse)
    parser.add_argument("--seconds", nargs="+", type=float, default=[30, 60, 120, 300])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="figures as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="as PNG")
    parser.add_argument("--from", dest="read", type=Path, metavar="FILE", help="do not measure")
    arguments = parser.parse_args(given)
    if bool(arguments.sources) == bool(arguments.read):
        parser.error("give folders, or --from FILE")
    folders: list[Figures] = []
    if arguments.read:
        folders = json.loads(arguments.read.read_text())["folders"]
    head = {"machine": machine(), "threads": arguments.threads}
    failed = False
    for source in arguments.sources:
        number = len(folders)
        try:
            for figures in measure(source, sorted(arguments.seconds), arguments.threads):
                folders[number:] = [figures]
                write_json(head | {"folders": folders}, arguments.output)  # it may be cut short
        except (CommandError, OSError, ValueError) as error:
            print(f"{source.name}: {error}", file=sys.stderr)
            failed = True
    print(table(folders))
    if arguments.sources and not _peer():
        print(*(line for line in missing([]) if f"{PEER}:" in line), sep="\n")
    if arguments.plot:
        plot(folders, arguments.plot)
    if failed:
        sys.exit("some failed")


if __name__ == "__main__":
    main()
