"""Figures by matplotlib, as reports and notebooks have them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.data.renderings.shared import Random, fractal, word

COUNT = 60
STYLES = ["default"] * 5 + ["ggplot", "seaborn-v0_8-whitegrid", "bmh"]
SIZES = ((6.4, 4.8),) * 3 + ((8, 5), (5, 4), (7, 4), (6, 6))  # inches of 100 pixels
COLORMAPS = ("viridis", "magma", "coolwarm", "Blues", "cividis", "RdYlGn", "jet")


def _name(rng: Random) -> str:
    return word(rng, 2).capitalize()


def _lines(rng: Random, axes: Any) -> None:
    count, length = int(rng.integers(1, 6)), int(rng.choice([12, 50, 200, 1000]))
    x = np.linspace(0, rng.choice([1, 10, 100]), length)
    walk = rng.random() < 0.6
    for _ in range(count):
        if walk:
            y = np.cumsum(rng.normal(rng.normal(0, 0.1), 1, length))
        else:
            phase = x / x[-1] * rng.uniform(4, 40) + rng.uniform(0, 6)
            y = rng.uniform(0.5, 2) * np.sin(phase) + rng.normal(0, 0.05, length)
        mark = rng.choice(["", "o", "s", "^"]) if length <= 50 else ""
        style = rng.choice(["-", "-", "--", "-."])
        axes.plot(x, y, marker=mark, linestyle=style, label=_name(rng))
        if rng.random() < 0.25:
            axes.fill_between(x, y - y.std() / 3, y + y.std() / 3, alpha=0.2)
    axes.legend()


def _training(rng: Random, axes: Any) -> None:
    steps = np.arange(1, 300)
    for _ in range(rng.integers(2, 5)):
        curve = rng.uniform(1, 4) * steps ** -rng.uniform(0.2, 0.6) + rng.uniform(0.05, 0.3)
        axes.plot(steps, curve * np.exp(rng.normal(0, 0.06, steps.size)), label=_name(rng))
    axes.set_yscale("log")
    if rng.random() < 0.5:
        axes.set_xscale("log")
    axes.legend(loc="upper right")


def _scatter(rng: Random, axes: Any) -> None:
    if rng.random() < 0.5:
        for _ in range(rng.integers(2, 5)):
            middle, spread = rng.normal(0, 3, 2), rng.normal(0, 1, (2, 2))
            points = middle + rng.normal(size=(int(rng.integers(30, 200)), 2)) @ spread
            axes.scatter(*points.T, s=rng.uniform(8, 40), alpha=0.7, label=_name(rng))
        axes.legend()
        return
    x = rng.uniform(0, 10, 150)
    y = rng.normal(1, 0.5) * x + rng.normal(0, 2, 150)
    drawn = axes.scatter(x, y, c=x + y, s=rng.uniform(5, 90, 150), cmap=rng.choice(COLORMAPS))
    axes.plot([0, 10], np.polyval(np.polyfit(x, y, 1), [0, 10]), "k--", linewidth=1)
    axes.figure.colorbar(drawn, ax=axes, label=_name(rng))


def _bars(rng: Random, axes: Any) -> None:
    groups, series = int(rng.integers(3, 9)), int(rng.integers(1, 4))
    stacked, base = rng.random() < 0.3, np.zeros(groups)
    for number in range(series):
        values = rng.gamma(3, 10, groups)
        width = 0.7 if stacked else 0.8 / series
        place = np.arange(groups) + (0 if stacked else (number - (series - 1) / 2) * width)
        error = values * 0.1 if rng.random() < 0.4 and not stacked else None
        bars = axes.bar(place, values, width, base, yerr=error, capsize=3, label=_name(rng))
        if series == 1:
            axes.bar_label(bars, fmt="%.1f", padding=2)
        base = base + values * stacked
    axes.set_xticks(range(groups), [_name(rng) for _ in range(groups)], rotation=30)
    axes.legend()


def _flat_bars(rng: Random, axes: Any) -> None:
    values = np.sort(rng.gamma(2, 20, int(rng.integers(5, 12))))
    axes.barh([_name(rng) for _ in values], values, color=f"C{rng.integers(8)}")
    axes.grid(axis="x", alpha=0.4)


def _histogram(rng: Random, axes: Any) -> None:
    for _ in range(rng.integers(1, 4)):
        values = rng.normal(rng.normal(0, 2), rng.uniform(0.5, 2), 2000)
        axes.hist(values, bins=int(rng.choice([20, 40, 80])), alpha=0.6, label=_name(rng))
    axes.axvline(0, color="k", linestyle=":")
    axes.legend()


def _boxes(rng: Random, axes: Any) -> None:
    count = int(rng.integers(3, 8))
    data = [rng.normal(rng.normal(0, 1), rng.uniform(0.5, 2), 80) for _ in range(count)]
    if rng.random() < 0.5:
        axes.boxplot(data, tick_labels=[_name(rng) for _ in data])
    else:
        axes.violinplot(data, showmedians=True)


def _image(rng: Random, axes: Any) -> None:
    size = int(rng.choice([40, 128, 300]))
    field = fractal(rng, size, size, rng.uniform(1, 2))
    drawn = axes.imshow(field, cmap=rng.choice(COLORMAPS), extent=(0, 10, 0, 10))
    axes.figure.colorbar(drawn, ax=axes, label=_name(rng))


def _matrix(rng: Random, axes: Any) -> None:
    size = int(rng.integers(5, 10))
    matrix = np.asarray(np.corrcoef(rng.normal(size=(size, 12))))
    drawn = axes.imshow(matrix, cmap="coolwarm", vmin=-1, vmax=1)
    names = [word(rng, 1) for _ in range(size)]
    axes.set_xticks(range(size), names, rotation=45)
    axes.set_yticks(range(size), names)
    for y, x in np.ndindex(matrix.shape):
        shade = "w" if abs(matrix[y, x]) > 0.6 else "k"
        axes.text(x, y, f"{matrix[y, x]:.2f}", ha="center", va="center", color=shade, fontsize=8)
    axes.figure.colorbar(drawn, ax=axes)


def _contours(rng: Random, axes: Any) -> None:
    side = np.linspace(-3, 3, 100)
    x, y = np.meshgrid(side, side)
    z = np.zeros_like(x)
    for _ in range(rng.integers(2, 6)):
        a, b, s = rng.uniform(-2, 2), rng.uniform(-2, 2), rng.uniform(0.4, 1.2)
        z += rng.normal() * np.exp(-((x - a) ** 2 + (y - b) ** 2) / s)
    if rng.random() < 0.5:
        drawn = axes.contourf(x, y, z, int(rng.integers(6, 20)), cmap=rng.choice(COLORMAPS))
        axes.figure.colorbar(drawn, ax=axes)
    else:
        axes.clabel(axes.contour(x, y, z, 10, cmap=rng.choice(COLORMAPS)), fontsize=8)


def _density(rng: Random, axes: Any) -> None:
    points = rng.normal(size=(2, 20000)).cumsum(0)
    drawn = axes.hexbin(*points, gridsize=40, bins="log", cmap=rng.choice(COLORMAPS))
    axes.figure.colorbar(drawn, ax=axes, label="log10(N)")


def _pie(rng: Random, axes: Any) -> None:
    shares = rng.gamma(2, 1, int(rng.integers(3, 7)))
    axes.pie(shares, labels=[_name(rng) for _ in shares], autopct="%.1f%%")


KINDS: tuple[Callable[[Random, Any], None], ...] = (
    *(_lines, _training, _scatter, _bars, _lines, _histogram, _image, _contours),
    *(_matrix, _scatter, _flat_bars, _boxes, _density, _lines, _pie),
)


def plots(rng: Random) -> Iterator[tuple[str, Image.Image]]:
    """Figures of 8-bit RGB."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    for number in range(COUNT):
        pyplot.style.use("default")
        pyplot.style.use(str(rng.choice(STYLES)))
        kind = KINDS[number % len(KINDS)]
        wide = kind is not _pie and rng.random() < 0.15
        size = (9, 4) if wide else SIZES[rng.integers(len(SIZES))]
        figure, panels = pyplot.subplots(1, 1 + wide, figsize=size, dpi=100, squeeze=False)
        for axes in panels.flat:
            kind(rng, axes)
            axes.set_title(" ".join(word(rng) for _ in range(rng.integers(2, 5))).capitalize())
            if kind is not _pie:
                unit = rng.choice(["s", "m", "kg", "%", "MB/s"])
                axes.set(xlabel=_name(rng), ylabel=f"{_name(rng)} ({unit})")
                if kind not in (_image, _matrix, _density) and rng.random() < 0.5:
                    axes.grid(True, alpha=0.5)
        figure.tight_layout()
        canvas: Any = figure.canvas
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())
        pyplot.close(figure)
        yield f"figure-{number + 1:02}", Image.fromarray(pixels[..., :3].copy())
