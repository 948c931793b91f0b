"""Rate against speed: a row of panels for each folder, of the figures that bench.py writes.

python -m benchmarks.peers.plot FIGURES.json... -o FILE.png
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import drawing

SHORT = {
    "JPEG XL -e ": "JXL e",
    " -E 3 -g 3": " E3g3",
    "WebP -m 6 -q ": "WebP q",
    " -o max": "",
    " -9e --delta": "",
    ", mosaic": "",
}
WAYS = {"encode": "compress", "decode": "decompress"}
HEIGHT = 3.6  # inches a folder
NOTE = (
    "Open points: all images as one mosaic. Line: bitswap without the start of its command. "
    "(1/n): rate of every n-th image only."
)


def plot(folders: list[dict[str, Any]], path: Path) -> None:
    """Draw speeds on one core; see NOTE."""
    count = len(folders)
    figure, panels = drawing.subplots(count, 2, (drawing.WIDTH, HEIGHT * count), sharey="row")
    for row, folder in zip(panels, folders, strict=True):
        results = [result for result in folder["results"] if "error" not in result]
        for axes, (way, verb) in zip(row, WAYS.items(), strict=True):
            axes.set_title(f"{folder['folder']}: {verb}", loc="left", fontsize=9)
            axes.set(xscale="log", xlabel="MB/s of raw pixels, one core")
            axes.grid(alpha=0.2, linewidth=0.6)
            axes.margins(x=0.3, y=0.08)
            _panel(axes, results, f"{way}_mb_per_s_1")
        row[0].set_ylabel("bits/dim")
    figure.text(0.01, 0.01, NOTE, fontsize=7, color=drawing.THEIRS)
    figure.tight_layout(rect=(0, 0.06 / count, 1, 1))
    drawing.save(figure, path, panels.flat)


def _panel(axes: Any, results: list[dict[str, Any]], key: str) -> None:
    """Draw the points of one panel and their labels."""
    starts: dict[str, float] = {}
    for result in results:
        name, x, y = result["codec"], result[key], result["bpd"]
        ours = name.startswith("bitswap")
        codec, _, without_start = name.partition(", without")
        if without_start:
            color = drawing.OURS
            axes.plot([starts[codec], x], [y, y], color=color, linewidth=1)
            axes.plot([x], [y], "|", color=color, markersize=6)
            continue
        starts[name] = x
        fill = not name.endswith("mosaic")
        for word, short in SHORT.items():
            name = name.replace(word, short)
        if result.get("every", 1) > 1:
            name += f" (1/{result['every']})"
        drawing.mark(axes, name, (x, y), ours=ours, fill=fill)


def main(given: Sequence[str] | None = None) -> None:
    """Plot the folders of one or more files of figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args(given)
    files = [json.loads(path.read_text()) for path in arguments.figures]
    plot([folder for file in files for folder in file["folders"]], arguments.output)


if __name__ == "__main__":
    main()
