"""Speed and memory of whole commands: compress (with and without verifying) and decompress.

Each command is a process of its own. With ``--against``, another tree of bitswap runs in turn with
this one, so that both see the same machine, and every round begins with the other of the two;
figures are the median over the rounds, memory is the peak. The trees' archives are compared.

    python -m benchmarks.peers.speed FOLDER... [--models NAME,...] [--against PYTHONPATH]
                                     [--rounds 3] [--threads N] [--json FILE]

PYTHONPATH is what finds both packages of the other tree, bitswap_cli and bitswap_models, as folders
with colons.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.command import CommandError, Run, Tree
from benchmarks.data import pictures
from benchmarks.machine import available_cores, machine
from benchmarks.report import Figures, markdown, write_json

VERBS = ("compress --no-verify", "compress", "decompress")
COLUMNS = ("folder, model", "command", "tree", "CPU s", "wall s", "MB/s", "peak MB", "bytes")


def once(tree: Tree, verb: str, folder: Path, model: str, threads: int, work: Path) -> Run:
    """Run a verb: `compress` writes ``work/TREE.bsw``, and what `decompress` restores is compared.

    Raises
    ------
    CommandError, ValueError
        If it fails, or something comes back different.
    """
    archive, back = work / f"{tree.name}.bsw", work / "back"
    options = ["--threads", str(threads)]
    if "/" in model or (verb != "decompress" and model != "default"):
        options += ["--model", model]  # an archive names its model, but no path
    if verb != "decompress":
        return tree.run(*verb.split(), folder, "-o", archive, "--force", *options)
    run = tree.run(verb, archive, "-o", back, *options)
    pictures.compare(folder, back / folder.name)
    shutil.rmtree(back)
    return run


def measure(
    folder: Path,
    model: str,
    trees: Sequence[Tree],
    rounds: int,
    threads: int,
    verbs: Sequence[str] = VERBS,
) -> list[Figures]:
    """Rows of a folder and a model: verbs, and trees within.

    Raises
    ------
    CommandError, ValueError
        If a command fails, or something comes back different.
    """
    found: dict[tuple[str, str], list[Run]] = {}
    with tempfile.TemporaryDirectory(prefix="bitswap-") as temporary:
        work = Path(temporary)
        for number in range(rounds):
            for verb in verbs:
                for tree in trees[:: -1 if number % 2 else 1]:
                    run = once(tree, verb, folder, model, threads, work)
                    found.setdefault((tree.name, verb), []).append(run)
        archives = [(work / f"{tree.name}.bsw").read_bytes() for tree in trees]
    samples = sum(map(pictures.subpixels, pictures.below(folder)))
    rows = []
    for verb in verbs:
        for tree, archive in zip(trees, archives, strict=True):
            runs = found[tree.name, verb]
            wall = median(run.seconds for run in runs)
            rows.append(
                {
                    "folder": folder.name,
                    "model": model,
                    "command": verb,
                    "tree": tree.name,
                    "cpu_seconds": round(median(run.cpu_seconds for run in runs), 3),
                    "seconds": round(wall, 3),
                    "mb_per_s": round(samples / 1e6 / wall, 4),
                    "peak_memory": max(run.memory for run in runs),
                    "bytes": len(archive),
                    "same_archive": archive == archives[0],
                }
            )
    return rows


def table(rows: list[Figures]) -> str:
    """Markdown; behind the figures of another tree, this one's in parts of them."""
    cells = [COLUMNS]
    keys = ("cpu_seconds", "seconds", "mb_per_s", "peak_memory")
    first: Figures = {}
    for row in rows:
        if row["tree"] == "this":
            first = row
        shares = [""] * len(keys)
        if row is not first:
            shares = [f" (x {first[key] / row[key]:.3f})" for key in keys]
        figures = (row["cpu_seconds"], row["seconds"], row["mb_per_s"], row["peak_memory"] / 1e6)
        kinds = ("{:.2f}", "{:.2f}", "{:.3g}", "{:.0f}")
        cells.append(
            (
                f"{row['folder']}, {row['model']}" if row is first else "",
                row["command"],
                row["tree"],
                *(k.format(f) + s for k, f, s in zip(kinds, figures, shares, strict=True)),
                f"{row['bytes']:,}" + ("" if row["same_archive"] else " (differs)"),
            )
        )
    return markdown(cells, left=(0, 1, 2))


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print a table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--models", default="default", help="names or paths with commas; default: the command's own"
    )
    parser.add_argument("--against", metavar="PYTHONPATH", help="that finds another tree")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="leave out compress with verifying")
    parser.add_argument("--threads", type=int, default=len(available_cores()))
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args(given)
    trees = [Tree("this")]
    if arguments.against:
        trees.append(Tree("other", arguments.against))
    verbs = VERBS[:: 2 if arguments.quick else 1]
    rows: list[Figures] = []
    try:
        places = {tree.name: tree.place() for tree in trees}
        for folder in map(Path.resolve, arguments.folders):
            for model in arguments.models.split(","):
                of = arguments.rounds, arguments.threads, verbs
                rows += measure(folder, model, trees, *of)
                print(table(rows[-len(verbs) * len(trees) :]), file=sys.stderr, flush=True)
                figures = {"machine": machine(), "trees": places, "rows": rows}
                write_json(figures, arguments.json)  # at once: a long run may be cut short
    except (CommandError, ValueError) as error:
        sys.exit(str(error))
    for name, place in places.items():
        print(f"{name}: {place}")
    print(table(rows))


if __name__ == "__main__":
    main()
