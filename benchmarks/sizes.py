"""Rate against size of every installed model, beside the published binary models.

python benchmarks/sizes.py -o FILE.png

Prints a Markdown table and draws bits/dim (of the bound, on the recipe's test folder, as the model
file says) against packed bytes. Published: Bird, Kingma and Barber, ICLR 2021, tables 1 and 2.
"""

import argparse
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from plot import OURS, THEIRS, place_labels

from bitswap_models import zoo
from bitswap_models.stored import model_file
from bitswap_models.stored.sizes import sizes

PANELS = {  # of test folders that are alike
    "natural 32x32 crops": {"natural32_valid", "ImageNet 32x32"},
    "MNIST": {"mnist28_test"},
}


class Point(NamedTuple):
    """A model: where it was tested, bytes, bits/dim."""

    name: str
    test: str
    packed: float
    bpd: float


PUBLISHED = [
    Point(f"{model}, {bits}", "ImageNet 32x32", megabytes * 1e6, bpd)
    for model, figures in {
        "ResNet VAE": (("32/32", 255, 4.25), ("1/32", 13, 4.47), ("1/1", 13, 4.58)),
        "Flow++": (("32/32", 129, 4.05), ("1/32", 14, 4.18), ("1/1", 14, 4.30)),
    }.items()
    for bits, megabytes, bpd in figures
]


def measured() -> tuple[list[Point], list[tuple[str, ...]]]:
    """Every installed model, as points and as rows of a table."""
    points, rows = [], []
    for name in zoo.embedded():
        file = zoo.find(name)
        told = zoo.read_metadata(file.path)
        recipe = tomllib.loads(told["recipe"])
        test = recipe["tuning" if "base" in recipe else "training"]["test"]
        codes = model_file.family_in(file).codes
        counted = sizes(model_file.load(file) if codes else model_file.load_network(file))
        bpd = told["metrics"]["bpd"]
        points.append(Point(name, test, counted.packed_bytes, bpd))
        kilobytes = [f"{n / 1e3:,.0f}" for n in (counted.packed_bytes, counted.float32_bytes)]
        share = f"{100 * counted.binary_share:.1f} %"
        saved = f"{100 * (1 - counted.packed_bytes / counted.float32_bytes):.1f} %"
        row = (name, test, f"{bpd:.3f}", f"{counted.parameters:,}", share, *kilobytes, saved)
        rows.append(row)
    return points, rows


def plot(points: list[Point], path: Path) -> None:
    """Draw one panel for each kind of test images."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    figure, panels = pyplot.subplots(1, 2, figsize=(8, 3.6), width_ratios=(3, 1.4))
    for axes, (title, tests) in zip(panels, PANELS.items(), strict=True):
        axes.set_title(title, loc="left", fontsize=9)
        axes.set(xscale="linear" if title == "MNIST" else "log", xlabel="packed size, MB")
        axes.grid(alpha=0.2, linewidth=0.6)
        axes.margins(x=0.3, y=0.12)
        for point in [*points, *PUBLISHED]:
            if point.test in tests:
                _mark(axes, point, published=point in PUBLISHED)
    panels[0].set_ylabel("bits/dim")
    figure.tight_layout()
    figure.canvas.draw()
    for axes in panels:
        place_labels(axes)
    figure.savefig(path, dpi=200, metadata={"Software": None})
    pyplot.close(figure)


def _mark(axes: Any, point: Point, *, published: bool) -> None:
    color = THEIRS if published else OURS
    at = (point.packed / 1e6, point.bpd)
    axes.plot([at[0]], [at[1]], "o", color=color, markersize=4 if published else 6)
    arrow = {"arrowstyle": "-", "color": color, "linewidth": 0.4, "shrinkB": 2}
    weight = "normal" if published else "bold"
    label = axes.annotate(
        point.name, at, (6, 0), textcoords="offset points", va="center", fontsize=7, color=color,
        weight=weight, arrowprops=arrow,
    )  # fmt: skip
    label.set_in_layout(False)


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    points, rows = measured()
    heading = [
        "model",
        "test",
        "bits/dim",
        "parameters",
        "binary",
        "packed kB",
        "float32 kB",
        "smaller by",
    ]
    for row in (heading, ["---", "---", *["---:"] * 6], *rows):
        print("| " + " | ".join(row) + " |")
    plot(points, arguments.output)


if __name__ == "__main__":
    main()
