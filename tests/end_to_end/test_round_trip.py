"""Round trips through the command line, checked by code that knows nothing of bitswap.

Folders of PNG files are made of test sheets (photographs are copied), and one folder of every kind
of file (kinds.py). Each goes through `bitswap compress`, `test`, `list` and `decompress`. What
comes back is compared: byte for byte, or for entries that `list` calls pixel for pixel by Pillow
(mode, size, pixels, info) and chunk by chunk. Also checked: times, links and empty folders; that
the archive is the same with and without verification, and not larger than the files but for a few
bytes an entry; and for the folder of kinds that no file grows by more than an archive's frame when
it is archived alone.

Prints a table of sizes, speeds (of the whole command, its start included) and peak memory.

    python benchmarks/roundtrip.py --data FOLDER [--set NAME]... [--threads N] [--json FILE]
"""

import argparse
import json
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import command
import kinds
from command import Run
from pictures import write_cells
from PIL import Image

FRAME = 300  # bytes that an archive of one file may take beyond it, and
ROW = 24  # bytes that an entry may take in tables, beyond its name


class Set(NamedTuple):
    """A test folder: where it comes from, edge of its sheets' cells (0: files), which model."""

    source: str
    cell: int
    gray: bool = False


SETS = {
    "kodak": Set("kodak", 0),
    "cifar": Set("cifar32_test", 32),
    "natural": Set("natural32_valid", 32),
    "mnist": Set("mnist28_test", 28, gray=True),
    "kinds": Set("", 0),
}


def bitswap(*arguments: str | Path) -> Run:
    """Run a verb with --json; exit with what it said if it fails."""
    try:
        return command.bitswap(*arguments)
    except command.CommandError as error:
        sys.exit(f"{error}: {' '.join(map(str, arguments))}")


def make(name: str, data: Path, folder: Path) -> bool:
    """Make a test folder; False if its source is not there."""
    folder.mkdir()
    if name == "kinds":
        kinds.make(folder)
        return True
    source, cell, _ = SETS[name]
    paths = sorted((data / source).glob("*")) if (data / source).is_dir() else []
    if paths and cell:
        write_cells(data / source, cell, folder)
    elif not cell:
        for path in paths:
            shutil.copy2(path, folder)
    return bool(paths)


def tree(root: Path) -> dict[bytes, bytes]:
    """Everything below a folder: path relative to it -> full path. Folders only if empty."""
    found = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, os.fsencode(root))] = path
        if not folders and not names:
            found[os.path.relpath(folder, os.fsencode(root))] = folder
    return found


def content(path: bytes) -> bytes:
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def png_chunks(data: bytes) -> list[bytes]:
    """All chunks of a PNG but its pixels', and what follows them."""
    at, chunks = 8, []
    while data[at - 8 : at - 4] != b"IEND" and at + 12 <= len(data):
        end = at + 12 + struct.unpack_from(">I", data, at)[0]
        if data[at + 4 : at + 8] != b"IDAT":
            chunks.append(data[at:end])
        if data[at + 4 : at + 8] == b"IEND":
            return [*chunks, data[end:]]
        at = end
    return chunks


def same_pixels(before: bytes, after: bytes) -> bool:
    """Whether two PNG files have the same pixels, mode, size, metadata and chunks."""
    with Image.open(os.fsdecode(before)) as first, Image.open(os.fsdecode(after)) as second:
        for image in (first, second):
            image.load()
        equal = (first.mode, first.size) == (second.mode, second.size)
        equal &= first.tobytes() == second.tobytes() and first.info == second.info
        equal &= first.getexif() == second.getexif()
    return equal and png_chunks(content(before)) == png_chunks(content(after))


def difference(before: bytes, after: bytes, restored: str) -> str | None:
    """What differs between a file and its restored copy; None if nothing does."""
    if os.lstat(before).st_mode != os.lstat(after).st_mode and os.path.islink(before):
        return "is no link any more"
    if os.path.islink(before):
        return None if os.readlink(before) == os.readlink(after) else "points elsewhere"
    if os.path.isdir(before):
        return None if os.path.isdir(after) else "is no folder any more"
    if os.stat(before).st_mtime_ns != os.stat(after).st_mtime_ns:
        return "has another time"
    if content(before) == content(after):
        return None
    if restored != "pixels" or not content(before).startswith(b"\x89PNG"):
        return "has other bytes"
    return None if same_pixels(before, after) else "has other pixels or metadata"


def compare(before: Path, after: Path, listed: list[dict[str, Any]]) -> list[str]:
    """Differences between two folders, given what `list` said; empty if there are none."""
    first, second = tree(before), tree(after)
    rows = {os.fsencode(entry["name"]): entry for entry in listed}
    if not first.keys() == second.keys() == {os.path.relpath(name, b"in") for name in rows}:
        return [f"there are other names in {after} or the list than in {before}"]
    wrong = []
    for name, path in first.items():
        row = rows[b"in/" + name]
        found = difference(path, second[name], row["restored"])
        if found is None and row["kind"] not in ("dir", "link"):
            found = None if row["size"] == os.path.getsize(path) else "has another size in the list"
        if found:
            wrong.append(f"{name!r} {found}")
    return wrong


def samples(folder: Path) -> int:
    """Raw size of a folder: subpixels of 8-bit gray and RGB images, bytes of other files."""
    total = 0
    for path in tree(folder).values():
        if os.path.islink(path) or os.path.isdir(path):
            continue
        try:
            with Image.open(os.fsdecode(path)) as image:
                image.load()
                if image.mode not in ("L", "RGB"):
                    raise OSError
                total += image.width * image.height * len(image.getbands())
        except (OSError, SyntaxError):
            total += os.path.getsize(path)
    return total


def round_trip(name: str, folder: Path, options: list[str], threads: list[str]) -> dict[str, Any]:
    """All verbs on the folder `folder/in`; sizes, seconds and peak memory.

    Raises
    ------
    SystemExit
        At a failed command, a difference or an archive that is too large.
    """
    source, archive, out = folder / "in", folder / "a.bsw", folder / "out"
    encoded = bitswap("compress", source, "-o", archive, "--no-verify", *options, *threads)
    verified = bitswap("compress", source, "-o", folder / "b.bsw", *options, *threads)
    if archive.read_bytes() != (folder / "b.bsw").read_bytes():
        sys.exit(f"{name}: the same folder gave two archives")
    model = ["--model", options[1]] if "/" in options[1] else []
    tested = bitswap("test", archive, *model, *threads)
    listed = bitswap("list", archive).output["entries"]
    decoded = bitswap("decompress", archive, "-o", out, *model, *threads)
    wrong = compare(source, out / "in", listed)
    if wrong:
        sys.exit("\n".join(f"{name}: {line}" for line in wrong))

    before = sum(os.lstat(path).st_size for path in tree(source).values() if os.path.isfile(path))
    names = sum(len(os.fsencode(entry["name"])) for entry in listed)
    after = archive.stat().st_size
    if after > before + FRAME + names + ROW * len(listed):
        sys.exit(f"{name}: {after} bytes for files of {before}")
    raw = samples(source)
    return {
        "set": name,
        "entries": len(listed),
        "by_pixels": sum(entry["shape"] is not None for entry in listed),
        "raw": raw,
        "before": before,
        "after": after,
        "bits_per_raw_byte": round(8 * after / raw, 4),
        "claimed_bpd": encoded.output["bpd"],
        "claimed_net_bpd": encoded.output["net_bpd"],
        "claimed_mb_per_s": encoded.output["mb_per_s"],
        **{
            f"{verb}_{what}": round(value, 3)
            for verb, run in (
                ("compress", encoded),
                ("compress_verify", verified),
                ("test", tested),
                ("decompress", decoded),
            )
            for what, value in (
                ("seconds", run.seconds),
                ("mb_per_s", raw / 1e6 / run.seconds),
                ("peak_mb", run.memory / 1e6),
            )
        },
    }


def each_alone(folder: Path, options: list[str]) -> None:
    """Archive every file of `folder/in` alone: none may grow by more than an archive's frame."""
    for name, path in tree(folder / "in").items():
        if os.path.isdir(path) or os.path.islink(path):
            continue
        archive = folder / "alone.bsw"
        bitswap("compress", os.fsdecode(path), "-o", archive, "--force", *options)
        grown = archive.stat().st_size - os.path.getsize(path)
        if grown > FRAME + len(name):
            sys.exit(f"{name!r} alone makes an archive that is {grown} bytes larger")


def table(results: list[dict[str, Any]]) -> str:
    """Markdown."""
    columns = {
        "set": "set",
        "entries": "entries",
        "by_pixels": "by the model",
        "raw": "raw bytes",
        "before": "before",
        "after": "after",
        "bits_per_raw_byte": "bits per raw byte",
        "compress_mb_per_s": "compress MB/s",
        "compress_verify_mb_per_s": "and verify",
        "decompress_mb_per_s": "decompress",
        "compress_verify_peak_mb": "peak MB",
        "decompress_peak_mb": "decompress",
    }
    rows = [list(columns.values()), ["---", *["---:"] * (len(columns) - 1)]]
    for result in results:
        cells = (result[key] for key in columns)
        rows.append([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Make the folders, send them through, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("nowhere"), help="folder of test images")
    parser.add_argument("--set", action="append", choices=SETS, dest="sets", help="all by default")
    parser.add_argument("--model", default="natural32", help="name or path, for RGB and the kinds")
    parser.add_argument("--gray-model", default="mnist28", help="name or path, for mnist")
    parser.add_argument("--scheme", default="bitswap")
    parser.add_argument("--fit-steps", help="fit the model for so many steps")
    parser.add_argument("--threads", default=str(os.cpu_count()))
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    results = []
    for name in arguments.sets or SETS:
        model = arguments.gray_model if SETS[name].gray else arguments.model
        options = ["--model", model, "--scheme", arguments.scheme]
        if arguments.fit_steps:
            options += ["--fit-steps", arguments.fit_steps]
        with tempfile.TemporaryDirectory(prefix="bitswap-") as temporary:
            folder = Path(temporary)
            if not make(name, arguments.data, folder / "in"):
                print(f"{name}: no {SETS[name].source} in {arguments.data}", file=sys.stderr)
                continue
            results.append(round_trip(name, folder, options, ["--threads", arguments.threads]))
            if name == "kinds" and not arguments.fit_steps:  # which needs pictures
                each_alone(folder, options)
            print(f"{name}: everything came back", file=sys.stderr, flush=True)
    print(table(results))
    if arguments.json:
        figures = {"threads": int(arguments.threads), "sets": results}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
