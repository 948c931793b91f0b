"""Whole folders as other ways keep them: tar and zstd, WebP, JPEG XL, and as an archive.

Every file counts. Codecs of images are given one file each; a file that one of them cannot hold (a
JPEG, whose pixels are not what is in it; 16 bits; several frames; no image) stays as it is, and so
does one that would grow. They keep pixels, but no metadata, which an archive does. The smallest of
all ways for each file is the last of theirs. Everything is decoded and compared.

    python -m benchmarks.peers.folders FOLDER... [--peers WebP,...] [--model NAME] [--json FILE]
"""

import argparse
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import IO, cast

import zstandard

from benchmarks.command import CommandError, bitswap
from benchmarks.data import pictures
from benchmarks.machine import available_cores, machine
from benchmarks.peers.codecs.jpeg_xl import BEST, JPEG_XL
from benchmarks.peers.codecs.peer import Peer
from benchmarks.peers.codecs.register import missing
from benchmarks.peers.codecs.webp import WEBP, in_pillow
from benchmarks.peers.measure import Cost, code, total, warm
from benchmarks.report import Figures, markdown, write_json

LEVEL, WINDOW = 19, 27  # zstd -19 --long=27
COLUMNS = (
    "way",
    "bytes",
    "of the files",
    "files it shrinks",
    "encode CPU s",
    "decode CPU s",
    "encode s",
    "decode s",
    "build",
)


@cache
def codecs() -> dict[str, Peer]:
    """The codecs of images that this machine has, at their best of what is usual."""
    names = {"WebP -m 6 -q 90": in_pillow(90)}
    found = {name: build.peer(name, mosaic=False) for name, b in names.items() for build in b}
    return found | {peer.name: peer for peer in JPEG_XL.peers() if peer.name.endswith(f" {BEST}")}


@contextmanager
def clock(figures: Figures, way: str) -> Iterator[None]:
    """Note the seconds, of wall clock and of this process, that something takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    figures[f"{way}_seconds"] = round(time.perf_counter() - wall, 3)
    figures[f"{way}_cpu_seconds"] = round(time.process_time() - cpu, 3)


def tar_zstd(folder: Path) -> Figures:
    """A tar in one stream of zstd, both in memory piece by piece; unpacked again and compared.

    Raises
    ------
    ValueError
        If something comes back different.
    """
    settings = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW, enable_ldm=True
    )
    figures: Figures = {"way": f"tar, zstd -{LEVEL} --long={WINDOW}"}
    figures["build"] = f"zstandard {zstandard.__version__}"
    with tempfile.TemporaryFile() as packed:
        with clock(figures, "encode"):
            compressor = zstandard.ZstdCompressor(compression_params=settings)
            with (
                compressor.stream_writer(packed, closefd=False) as stream,
                tarfile.open(fileobj=cast(IO[bytes], stream), mode="w|") as tar,
            ):
                tar.add(folder, folder.name)
        figures["bytes"] = packed.tell()
        packed.seek(0)
        with clock(figures, "decode"):
            decompressor = zstandard.ZstdDecompressor(max_window_size=1 << WINDOW)
            source = decompressor.stream_reader(packed, read_across_frames=True)
            with tarfile.open(fileobj=cast(IO[bytes], source), mode="r|") as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isreg() else None
                    path = folder.parent / member.name
                    if file and file.read() != path.read_bytes():
                        raise ValueError(f"{path} came back different from the tar")
    return figures


def code_file(name: str, path: Path) -> Cost | None:
    """Code one file by a codec, compared; None if it cannot hold it."""
    peer = codecs()[name]
    pixels = pictures.plain(path)
    if pixels is None:
        return None
    try:
        return code(peer, pixels)
    except ValueError as error:
        if "different" in str(error):
            raise
        return None  # too large for WebP, or with alpha for a program that is handed PNM
    except OSError:
        return None


def file_by_file(paths: list[Path], name: str, processes: int) -> tuple[Figures, list[int]]:
    """Code every file by a codec; also the bytes that each takes then."""
    sizes = [path.stat().st_size for path in paths]
    started = time.perf_counter()
    with ProcessPoolExecutor(processes, initializer=partial(_prepare, name)) as pool:
        costs = list(pool.map(partial(code_file, name), paths, chunksize=4))
    kept = [
        min(size, cost.bytes) if cost else size for size, cost in zip(sizes, costs, strict=True)
    ]
    done = total(cost for cost in costs if cost)
    return {
        "way": name,
        "build": codecs()[name].build,
        "bytes": sum(kept),
        "shrunk": sum(a < b for a, b in zip(kept, sizes, strict=True)),
        "coded": sum(cost is not None for cost in costs),
        "encode_cpu_seconds": round(done.encode_cpu_seconds, 3),
        "decode_cpu_seconds": round(done.decode_cpu_seconds, 3),
        "both_seconds": round(time.perf_counter() - started, 3),
        "processes": processes,
    }, kept


def _prepare(name: str) -> None:
    warm(codecs()[name])


def ours(folder: Path, options: Sequence[str]) -> Figures:
    """The whole commands, with the options that are the default (archives are verified, too).

    Raises
    ------
    CommandError, ValueError
        If one fails, or something comes back different.
    """
    with tempfile.TemporaryDirectory(prefix="bitswap-") as temporary:
        archive, back = Path(temporary, "archive.bsw"), Path(temporary, "back")
        encoded = bitswap("compress", folder, "-o", archive, *options)
        decoded = bitswap("decompress", archive, "-o", back, *options)
        pictures.compare(folder, back / folder.name)
        return {
            "way": f"bitswap {encoded.output['model'] or ''}".rstrip(),
            "build": "this one",
            "bytes": archive.stat().st_size,
            "sha256": encoded.output["sha256"],
            **{
                f"{way}_{what}": round(value, 3)
                for way, run in (("encode", encoded), ("decode", decoded))
                for what, value in (
                    ("seconds", run.seconds),
                    ("cpu_seconds", run.cpu_seconds),
                    ("peak_memory", run.memory),
                )
            },
        }


def measure(
    folder: Path, words: Sequence[str], options: Sequence[str], processes: int
) -> Iterator[Figures]:
    """All rows of a folder, as they come."""
    paths = pictures.below(folder)
    sizes = [path.stat().st_size for path in paths]
    yield {"way": "the files", "bytes": sum(sizes), "build": f"{len(paths):,} files"}
    yield tar_zstd(folder)
    kept = [sizes]
    for name in codecs():
        if any(word in name for word in words):
            figures, taken = file_by_file(paths, name, processes)
            kept.append(taken)
            yield figures
    smallest = list(map(min, zip(*kept, strict=True)))
    fewer = sum(a < b for a, b in zip(smallest, sizes, strict=True))
    yield {"way": "the smallest, file by file", "bytes": sum(smallest), "shrunk": fewer}
    yield ours(folder, options)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def table(rows: list[Figures]) -> str:
    """Markdown."""
    whole = rows[0]["bytes"]
    cells = [COLUMNS]
    for row in rows:
        cells.append(
            (
                row["way"],
                f"{row['bytes']:,}",
                f"{row['bytes'] / whole:.4f}",
                _number(row.get("shrunk")),
                *(_number(row.get(f"{way}_cpu_seconds")) for way in ("encode", "decode")),
                *(_number(row.get(f"{way}_seconds")) for way in ("encode", "decode")),
                row.get("build", ""),
            )
        )
    return markdown(cells, left=(0, len(COLUMNS) - 1))


def main(given: Sequence[str] | None = None) -> None:
    """Measure folder by folder, print a table for each, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--peers", default="", help="only codecs with these words, by commas")
    parser.add_argument("--model", help="name or path (default: the command's own choice)")
    parser.add_argument(
        "--processes", type=int, default=len(available_cores()), help="that run codecs of images"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args(given)
    options = ["--model", arguments.model] if arguments.model else []
    words = [word.strip() for word in arguments.peers.split(",")]
    absent = [line for line in missing(codecs().values()) if _asked(line)]
    figures: Figures = {"machine": machine(), "missing": absent, "folders": []}
    for folder in map(Path.resolve, arguments.folders):
        if not pictures.below(folder):
            sys.exit(f"{folder} holds no files")
        rows: list[Figures] = []
        figures["folders"].append({"folder": folder.name, "rows": rows})
        try:
            for row in measure(folder, words, options, arguments.processes):
                rows.append(row)
                print(f"{folder.name}: {row['way']}: {row['bytes']:,}", file=sys.stderr, flush=True)
                write_json(figures, arguments.json)  # at once: a long run may be cut short
        except (CommandError, ValueError) as error:
            sys.exit(f"{folder.name}: {error}")
        print(f"**{folder.name}**\n\n{table(rows)}\n")
    print(*absent, sep=os.linesep)


def _asked(line: str) -> bool:
    """Whether a line is about a codec that this table would have."""
    names = (WEBP.name, f"{JPEG_XL.name} {BEST}")
    return any(line.startswith(f"not here: {name}:") for name in names)


if __name__ == "__main__":
    main()
