"""What fitting is worth: bytes of archives after so many seconds of it, beside JPEG XL and PNG.

python benchmarks/fit_curve.py FOLDER[:CELL]... --seconds 30 60 120 300 [-o FILE] [--plot FILE]
python benchmarks/fit_curve.py --from FILE --plot FILE

Archives hold the fitted model where it made them smaller. Each is restored and compared. JPEG XL
codes every file by itself.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pictures
from bench import machine
from command import CommandError, bitswap
from measure import equal
from peers import Peer, peers
from plot import OURS, THEIRS

PEER = "JPEG XL -e 9"
PROCESSES = 2
COLUMNS = ("folder", "fit", "bytes", "bits/dim", "model", "than without", f"than {PEER}")
HEIGHT = 2.9  # inches a row of panels; 8 are 800 pixels wide in a page
Figures = dict[str, Any]


@cache
def _peer() -> Peer:
    found = peers(PEER)
    if not found:
        raise ValueError(f"{PEER} is not here: pip install imagecodecs")
    return found[0]


def peer_bytes(path: Path) -> int:
    """Bytes of an image file as JPEG XL.

    Raises
    ------
    ValueError
        If it comes back different, or cannot be coded.
    """
    pixels = pictures.read(path)
    coded = _peer().encode(pixels)
    if not equal(pixels, _peer().decode(coded)):
        raise ValueError(f"{PEER}: {path.name} came back different")
    return len(coded)


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
        work, left_out = Path(temporary), 0
        folder = work / source.name
        folder.mkdir()
        if source.cell:
            pictures.write_cells(source.folder, source.cell, folder)
        else:
            left_out = pictures.write_files(source.folder, folder, pictures.WITH_ALPHA)
        paths = sorted(folder.iterdir())
        if not paths:
            raise ValueError(f"no 8-bit gray, RGB or RGBA images in {source.folder}")
        with ProcessPoolExecutor(PROCESSES) as pool:
            sizes = list(pool.map(peer_bytes, paths, chunksize=math.ceil(len(paths) / 64)))
        figures: Figures = {
            "folder": source.name,
            "images": len(paths),
            "left_out": left_out,
            "subpixels": sum(math.prod(pictures.shape(path)) for path in paths),
            "png_bytes": sum(path.stat().st_size for path in paths),
            "peer": PEER,
            "build": _peer().build,
            "peer_bytes": sum(sizes),
            "archives": [],
        }
        yield figures
        for time in [0.0, *seconds]:
            figures["archives"].append(archive(folder, time, threads, work))
            print(f"{source.name}, {time:g} s: {figures['archives'][-1]}", file=sys.stderr)
            yield figures


def table(folders: list[Figures]) -> str:
    """Markdown."""
    rows: list[tuple[str, ...]] = [COLUMNS, ("---", "---:", "---:", "---:", "---:", "---:", "---:")]
    for folder in folders:
        title = f"{folder['folder']}, {folder['images']:,} files"
        peer = folder["peer_bytes"]
        for name, size in (("PNG", folder["png_bytes"]), (PEER, peer)):
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
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _smaller(size: int, than: int) -> str:
    """How much smaller, in percent; negative if it is larger."""
    return "" if size == than else f"{100 * (1 - size / than):.1f} %"


def plot(folders: list[Figures], path: Path) -> None:
    """Draw bytes against seconds of fitting, a panel for each folder."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 8, "axes.spines.top": False})
    columns = min(len(folders), 2)
    rows = math.ceil(len(folders) / columns)
    figure, panels = pyplot.subplots(
        rows, columns, figsize=(4 * columns, HEIGHT * rows), squeeze=False
    )
    for axes in panels.flat[len(folders) :]:
        axes.set_visible(False)
    for axes, folder in zip(panels.flat, folders, strict=False):
        _panel(axes, folder)
    figure.tight_layout()
    figure.savefig(path, dpi=200, metadata={"Software": None})
    pyplot.close(figure)


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
    percent = axes.secondary_yaxis("right", (lambda y: 100 * y / peer, lambda y: y * peer / 100))
    percent.set_ylabel(f"% of {folder['peer']}")


def main() -> None:
    """Measure, or read what was measured; print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", metavar="FOLDER[:CELL]", type=pictures.parse)
    parser.add_argument("--seconds", nargs="+", type=float, default=[30, 60, 120, 300])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="figures as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="as PNG")
    parser.add_argument("--from", dest="read", type=Path, metavar="FILE", help="do not measure")
    arguments = parser.parse_args()
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
                if arguments.output:  # at once: a long run may be cut short
                    text = json.dumps(head | {"folders": folders}, indent=1)
                    arguments.output.write_text(text + "\n")
        except (CommandError, OSError, ValueError) as error:
            print(f"{source.name}: {error}", file=sys.stderr)
            failed = True
    print(table(folders))
    if arguments.plot:
        plot(folders, arguments.plot)
    if failed:
        sys.exit("some failed")


if __name__ == "__main__":
    main()
