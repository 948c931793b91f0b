"""Measurements of one folder: a row for each codec, those of bitswap first."""

import json
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.command import Command, CommandError, Run, bitswap, with_path
from benchmarks.data import pictures
from benchmarks.machine import available_cores, pinned
from benchmarks.peers.block import Block
from benchmarks.peers.codecs.peer import Peer
from benchmarks.report import Figures

ROOT = Path(__file__).parents[2]
WORKER = (sys.executable, "-m", "benchmarks.peers.measure")
PROBE = {False: 8 * 64 * 64 * 3, True: 64 * 32 * 32 * 3}  # subpixels that tell a speed; of mosaics


def speed(way: str, cores: int) -> str:
    """The name of a figure: MB of raw pixels a second, to "encode" or to "decode"."""
    return f"{way}_mb_per_s_{cores}"


def run_peer(peer: Peer, parts: list[list[Path]], cores: list[int], mosaic: bool) -> list[Run]:
    """Measure a peer in a process for each part of the images, each on a core of its own.

    Raises
    ------
    CommandError
        If one of them fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        environment = with_path(ROOT)
        for number, (part, core) in enumerate(zip(parts, cores, strict=True)):
            names = Path(folder, f"{number}.json")
            names.write_text(json.dumps([str(path) for path in part]))
            with pinned([core]):
                options = ["--mosaic"] if mosaic else []
                commands.append(Command([*WORKER, peer.name, names, *options], environment))
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
            row[speed(way, count)] = round(samples / 1e6 / seconds, 4)
    yield row


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
                row[speed(way, count)] = round(samples / 1e6 / seconds, 4)
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
    block: Block, found: list[Peer], models: list[str], limit: float, most: int = 2
) -> Iterator[list[Figures]]:
    """All rows of a folder, as they come, on one core and, if there are and may be, on two."""
    cores = available_cores()[:most]
    for model in models:
        yield tried(f"bitswap {model}", "this one", partial(bitswap_rows, block, model, cores))
    for mosaic in (False, True)[: 1 + block.small]:
        for peer in found:
            if not mosaic or peer.mosaic:
                name = f"{peer.name}, mosaic" if mosaic else peer.name
                row = partial(peer_row, block, peer, mosaic, cores, limit)
                yield tried(name, peer.build, row)
