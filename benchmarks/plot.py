"""Rate against speed: a row of panels for each folder, of the figures that bench.py writes.

python benchmarks/plot.py FIGURES.json... -o FILE.png
"""

import argparse
import json
from pathlib import Path
from typing import Any

OURS, THEIRS = "#c0392b", "#4a4a4a"
SHORT = {
    "JPEG XL -e ": "JXL e",
    " -E 3 -g 3": " E3g3",
    "WebP -m 6 -q ": "WebP q",
    " -o max": "",
    " -9e --delta": "",
    ", mosaic": "",
}
WAYS = {"encode": "compress", "decode": "decompress"}
HEIGHT = 3.6  # inches a folder; 8 are 800 pixels wide in a page
PLACES = [  # of labels, in points from what they name, best first
    (x, y)
    for distance in (6, 14, 22, 30, 40, 50, 60)
    for x, y in ((distance, 0), (-distance, 0), (0, distance), (0, -distance), (5, distance))
    + ((5, -distance), (-5, distance), (-5, -distance))
]
NOTE = (
    "Open points: all images as one mosaic. Line: bitswap without the start of its command. "
    "(1/n): rate of every n-th image only."
)


def plot(folders: list[dict[str, Any]], path: Path) -> None:
    """Draw speeds on one core; see NOTE."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    figure, panels = pyplot.subplots(
        len(folders), 2, figsize=(8, HEIGHT * len(folders)), sharey="row", squeeze=False
    )
    for row, folder in zip(panels, folders, strict=True):
        results = [result for result in folder["results"] if "error" not in result]
        for axes, (way, verb) in zip(row, WAYS.items(), strict=True):
            axes.set_title(f"{folder['folder']}: {verb}", loc="left", fontsize=9)
            axes.set(xscale="log", xlabel="MB/s of raw pixels, one core")
            axes.grid(alpha=0.2, linewidth=0.6)
            axes.margins(x=0.3, y=0.08)
            _panel(axes, results, f"{way}_mb_per_s_1")
        row[0].set_ylabel("bits/dim")
    figure.text(0.01, 0.01, NOTE, fontsize=7, color=THEIRS)
    figure.tight_layout(rect=(0, 0.06 / len(folders), 1, 1))
    figure.canvas.draw()
    for axes in panels.flat:
        place_labels(axes)
    figure.savefig(path, dpi=200, metadata={"Software": None})
    pyplot.close(figure)


def _panel(axes: Any, results: list[dict[str, Any]], key: str) -> None:
    """Draw the points of one panel and their labels."""
    starts: dict[str, float] = {}
    for result in results:
        name, x, y = result["codec"], result[key], result["bpd"]
        ours = name.startswith("bitswap")
        color = OURS if ours else THEIRS
        codec, _, without_start = name.partition(", without")
        if without_start:
            axes.plot([starts[codec], x], [y, y], color=color, linewidth=1)
            axes.plot([x], [y], "|", color=color, markersize=6)
            continue
        starts[name] = x
        fill = "none" if name.endswith("mosaic") else color
        axes.plot([x], [y], "o", color=color, markersize=6 if ours else 4, markerfacecolor=fill)
        for word, short in SHORT.items():
            name = name.replace(word, short)
        if result.get("every", 1) > 1:
            name += f" (1/{result['every']})"
        label = axes.annotate(
            name,
            (x, y),
            PLACES[0],
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=color,
            weight="bold" if ours else "normal",
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.4, "shrinkB": 2},
        )
        label.set_in_layout(False)


def place_labels(axes: Any) -> None:
    """Put every label where it hides no point, no line and no other label, if there is room."""
    from matplotlib.transforms import Bbox

    scale = axes.figure.dpi / 72  # pixels a point
    whole = axes.bbox
    taken = []
    for line in axes.lines:
        box = line.get_window_extent()
        taken.append(box.padded(2 * scale) if len(line.get_xdata()) == 1 else box.padded(scale))
    for label in sorted(axes.texts, key=lambda text: (text.get_weight() != "bold", text.xy[1])):
        anchor_x, anchor_y = axes.transData.transform(label.xy)
        size = axes.figure.canvas.get_renderer().get_text_width_height_descent(
            label.get_text(), label.get_fontproperties(), False
        )
        width, height = size[0] / 2 + scale, size[1] / 2 + scale
        best = None
        for x, y in PLACES:
            align = "left" if x > 0 else "right" if x < 0 else "center"
            middle = anchor_x + scale * x + {"left": width, "right": -width, "center": 0}[align]
            level = anchor_y + scale * y
            box = Bbox.from_extents(middle - width, level - height, middle + width, level + height)
            inside = whole.x0 < box.x0 and box.x1 < whole.x1 and whole.y0 < box.y0 < whole.y1
            hidden = sum(map(box.overlaps, taken)) + 10 * (not inside)
            if best is None or hidden < best[0]:
                best = hidden, box, (x, y), align
            if not hidden:
                break
        assert best is not None
        _, box, place, align = best
        taken.append(box)
        label.set_position(place)
        label.set_ha(align)
        if max(map(abs, place)) < 15:
            label.arrow_patch.set_visible(False)


def main() -> None:
    """Plot the folders of one or more files of figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    files = [json.loads(path.read_text()) for path in arguments.figures]
    plot([folder for file in files for folder in file["folders"]], arguments.output)


if __name__ == "__main__":
    main()
