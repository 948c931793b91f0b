"""Lossless codecs side by side on folders of images: rate, speed, memory.

Every 8-bit gray or RGB image is coded by the other codecs that this machine has (peers.py), one
file each, and by bitswap as one archive; sets of small images also as one mosaic by some. Each
result is decoded and compared. Speeds are MB of raw pixels a second, on one core (pinned to it) and
on two: two processes with half of the images each, or `--threads 2` for bitswap. Those of bitswap
are of the whole command, and again without its start: the `seconds` of its --json (which count the
loading of the model for decompress, not for compress). Peak memory is that of the process on one
core, its Python included.

    python benchmarks/bench.py FOLDER[:CELL]... [--models NAME,...] [--json FILE] [--plot FILE]
"""

import argparse
import json
import math
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pictures
from command import Command, CommandError, Run, available_cores, bitswap, pinned
from peers import Peer, missing, peers

WORKER = (sys.executable, str(Path(__file__).with_name("measure.py")))
PROBE = {False: 8 * 64 * 64 * 3, True: 64 * 32 * 32 * 3}  # subpixels that tell a speed; of mosaics
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
Figures = dict[str, Any]


class Block:
    """The images of one folder, as PNG files in `folder`."""

    def __init__(self, source: pictures.Source, folder: Path) -> None:
        self.name, self.folder, self.left_out = source.name, folder, 0
        folder.mkdir()
        if source.cell:
            pictures.write_cells(source.folder, source.cell, folder)
        else:
            self.left_out = pictures.write_files(source.folder, folder)
        self.paths = sorted(folder.iterdir())
        if not self.paths:
            raise ValueError(f"no 8-bit gray or RGB images in {source.folder}")
        shapes = [pictures.shape(path) for path in self.paths]
        self.subpixels = dict(zip(self.paths, map(math.prod, shapes), strict=True))
        self.small = pictures.small_and_equal(shapes)

    def figures(self, paths: list[Path], size: int) -> Figures:
        """Rates of images that take `size` bytes."""
        png = sum(path.stat().st_size for path in paths)
        samples = sum(map(self.subpixels.__getitem__, paths))
        return {
            "images": len(paths),
            "of_images": len(self.paths),
            "subpixels": samples,
            "bytes": size,
            "png_bytes": png,
            "bpd": round(size * 8 / samples, 5),
            "of_png": round(size / png, 5),
        }


def run_peer(peer: Peer, parts: list[list[Path]], cores: list[int], mosaic: bool) -> list[Run]:
    """Measure a peer in a process for each part of the images, each on a core of its own.

    Raises
    ------
    CommandError
        If one of them fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for number, (part, core) in enumerate(zip(parts, cores, strict=True)):
            names = Path(folder, f"{number}.json")
            names.write_text(json.dumps([str(path) for path in part]))
            with pinned([core]):
                options = ["--mosaic"] if mosaic else []
                commands.append(Command([*WORKER, peer.name, names, *options]))
        runs, failure = [], None
        for command in commands:
            try:
                runs.append(command.wait())
            except CommandError as error:
                failure = error
    if failure:
        raise failure
    return runs


def every(block: Block, peer: Peer, core: int, mosaic: bool, limit: float) -> int:
    """Which share of the images a peer can code within a limit: n for 1/n, from a few of them."""
    count = PROBE[mosaic] // max(block.subpixels.values())
    few = block.paths[:: math.ceil(len(block.paths) / max(count, 1))]
    if not limit or len(few) == len(block.paths):
        return 1
    output = run_peer(peer, [few], [core], mosaic)[0].output
    seconds: float = output["encode_seconds"] + output["decode_seconds"]
    whole = seconds * sum(block.subpixels.values()) / sum(map(block.subpixels.__getitem__, few))
    return min(max(1, math.ceil(whole / limit)), len(block.paths))


def peer_row(
    block: Block, peer: Peer, mosaic: bool, cores: list[int], limit: float
) -> Iterator[Figures]:
    """Measure a peer on one core and, if there are two, on two."""
    step = every(block, peer, cores[0], mosaic, limit)
    paths = block.paths[::step]
    samples = sum(map(block.subpixels.__getitem__, paths))
    (one,) = run_peer(peer, [paths], cores[:1], mosaic)
    row = block.figures(paths, one.output["bytes"]) | {"every": step}
    row |= {key: round(value, 4) for key, value in one.output.items() if key.endswith("_seconds")}
    row["peak_memory"] = one.memory
    runs = [one]
    for count in (1, 2):
        if count == 2:
            if len(cores) < 2 or len(paths) < 2:
                break
            runs = run_peer(peer, [paths[::2], paths[1::2]], cores[:2], mosaic)
        for way in ("encode", "decode"):
            seconds = max(run.output[f"{way}_seconds"] for run in runs)
            row[_speed(way, count)] = round(samples / 1e6 / seconds, 4)
    yield row


def _speed(way: str, cores: int) -> str:
    return f"{way}_mb_per_s_{cores}"


def bitswap_rows(block: Block, model: str, cores: list[int]) -> Iterator[Figures]:
    """Measure the whole command; also the same runs without its start."""
    options = [] if model == "default" else ["--model", model]
    back = options if "/" in model else []  # an archive names its model, but not a path
    samples = sum(block.subpixels.values())
    archive, restored = (block.folder.with_name(name) for name in ("archive.bsw", "restored"))
    whole: Figures = {}
    own: Figures = {}
    for count in (1, 2)[: len(cores)]:
        threads = ["--threads", str(count)]
        to = ["-o", str(archive), "--no-verify", "--force"]
        with pinned(cores[:count]):
            encoded = bitswap("compress", block.folder, *to, *options, *threads)
            decoded = bitswap("decompress", archive, "-o", restored, *back, *threads)
        pictures.compare(block.folder, restored / block.folder.name)
        shutil.rmtree(restored)
        if not whole:
            whole = block.figures(block.paths, archive.stat().st_size)
            whole |= {
                "codec": f"bitswap {encoded.output['model']}",
                "sha256": encoded.output["sha256"],
                "peak_memory": max(encoded.memory, decoded.memory),
            }
            own = whole | {"codec": f"{whole['codec']}, without its start"}
        if archive.stat().st_size != whole["bytes"]:
            raise ValueError("two cores gave another archive than one")
        for way, run in (("encode", encoded), ("decode", decoded)):
            for row, seconds in ((whole, run.seconds), (own, run.output["seconds"])):
                row[_speed(way, count)] = round(samples / 1e6 / seconds, 4)
                if count == 1:
                    row[f"{way}_seconds"] = round(seconds, 4)
            if count == 1:
                whole[f"{way}_cpu_seconds"] = round(run.cpu_seconds, 4)
    yield from (whole, own)


def tried(name: str, build: str, measure: Callable[[], Iterator[Figures]]) -> list[Figures]:
    """Rows of a codec, or one that says why there is none."""
    print(f"  {name} ...", end="", file=sys.stderr, flush=True)
    try:
        rows = [{"codec": name, "build": build} | row for row in measure()]
    except (CommandError, ValueError) as error:
        rows = [{"codec": name, "build": build, "error": str(error)}]
    print("", rows[0].get("error") or f"{rows[0]['bpd']:.3f} bpd", file=sys.stderr, flush=True)
    return rows


def measure_block(
    block: Block, found: list[Peer], models: list[str], limit: float
) -> Iterator[list[Figures]]:
    """All rows of a folder, as they come."""
    cores = available_cores()[:2]
    for model in models:
        yield tried(f"bitswap {model}", "this one", partial(bitswap_rows, block, model, cores))
    for mosaic in (False, True)[: 1 + block.small]:
        for peer in found:
            if not mosaic or peer.mosaic:
                name = f"{peer.name}, mosaic" if mosaic else peer.name
                row = partial(peer_row, block, peer, mosaic, cores, limit)
                yield tried(name, peer.build, row)


def machine() -> Figures:
    """What it was measured on."""
    processor = platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"model name\s*: (.*)", information.read_text())
        processor = found[1] if found else processor
    return {
        "processor": processor,
        "cores": len(available_cores()),
        "load": [round(load, 2) for load in os.getloadavg()],  # what else ran at the start
        "system": platform.system(),
        "python": platform.python_version(),
    }


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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(COLUMNS) - 1
    rule = ["-" * w if i in (0, last) else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    lines = [
        [cell.ljust(widths[i]) if i in (0, last) else cell.rjust(widths[i]) for i, cell in row]
        for row in map(enumerate, rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def _cells(row: Figures) -> tuple[str, ...]:
    if "error" in row:
        return (row["codec"], *["-"] * 8, f"{row['build']}; FAILED: {row['error']}")
    step = row.get("every", 1)
    speeds = [row.get(_speed(way, n)) for n in (1, 2) for way in ("encode", "decode")]
    return (
        row["codec"],
        f"{row['bpd']:.3f}" + "*" * (step > 1),
        f"{row['of_png']:.3f}",
        *("-" if speed is None else f"{speed:.3g}" for speed in speeds),
        f"{row['peak_memory'] / 1e6:.0f}",
        "all" if step == 1 else f"1/{step} of images",
        row["build"],
    )


def main() -> None:
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
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="rate against speed, as PNG")
    arguments = parser.parse_args()
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
            whole = block.figures(block.paths, 0)
            head = {"folder": block.name, "left_out": block.left_out}
            head |= {key: whole[key] for key in ("images", "subpixels", "png_bytes")}
            figures["folders"].append(head | {"results": results})
            print(f"{block.name}: {len(block.paths)} images", file=sys.stderr)
            for rows in measure_block(block, found, models, arguments.limit_seconds):
                results += rows
                if arguments.json:  # at once: a long run may be cut short
                    arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures["folders"]))
    if any(row.get("every", 1) > 1 for block in figures["folders"] for row in block["results"]):
        print("* of those images only; the ratio to PNG is to the PNG files of the same images")
    for line in figures["missing"]:
        print(f"not here: {line}")
    if arguments.plot:
        from plot import plot

        plot(figures["folders"], arguments.plot)
    if any("error" in row for block in figures["folders"] for row in block["results"]):
        sys.exit("some failed")


if __name__ == "__main__":
    main()
