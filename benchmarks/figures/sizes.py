"""Rate against size of installed models, beside the published binary models.

    python -m benchmarks.figures.sizes [MODEL...] -o FILE.png

Prints a Markdown table and draws bits/dim (of the bound, on the recipe's test folder, as the model
file says) against packed bytes. Published: Bird, Kingma and Barber, ICLR 2021, tables 1 and 2.
"""

import argparse
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import drawing
from benchmarks.report import markdown
from bitswap_models import zoo
from bitswap_models.stored import model_file
from bitswap_models.stored.sizes import sizes

PANELS = {  # of test folders that are alike
    "natural 32x32 crops": {"natural32_valid", "ImageNet 32x32"},
    "MNIST": {"mnist28_test"},
}

TABLES = ("groups", "tuning", "training")  # of recipes: one of them names what a model is tested on


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


def measured(names: Iterable[str]) -> tuple[list[Point], list[tuple[str, ...]]]:
    """Installed models, as points and as rows of a table."""
    points, rows = [], []
    for name in names:
        file = zoo.find(name)
        told = zoo.read_metadata(file.path)
        recipe = tomllib.loads(told["recipe"])
        test = next(recipe[table]["test"] for table in TABLES if table in recipe)
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
    size = (drawing.WIDTH, 3.6)
    figure, (panels,) = drawing.subplots(1, 2, size, width_ratios=(3, 1.4))
    for axes, (title, tests) in zip(panels, PANELS.items(), strict=True):
        axes.set_title(title, loc="left", fontsize=9)
        axes.set(xscale="linear" if title == "MNIST" else "log", xlabel="packed size, MB")
        axes.grid(alpha=0.2, linewidth=0.6)
        axes.margins(x=0.3, y=0.12)
        for point in [*points, *PUBLISHED]:
            if point.test in tests:
                at = (point.packed / 1e6, point.bpd)
                drawing.mark(axes, point.name, at, ours=point not in PUBLISHED)
    panels[0].set_ylabel("bits/dim")
    figure.tight_layout()
    drawing.save(figure, path, panels)


def main(given: Sequence[str] | None = None) -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="name (default: all installed)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args(given)
    points, rows = measured(arguments.models or zoo.embedded())
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
    print(markdown([heading, *rows], left=(0, 1)))
    plot(points, arguments.output)


if __name__ == "__main__":
    main()
