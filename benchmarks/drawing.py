"""What the figures have in common: colours, sizes, and labels that hide nothing."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

OURS, THEIRS = "#c0392b", "#4a4a4a"
WIDTH = 8  # inches of a figure, which are 800 pixels in a page
PLACES = [  # of labels, in points from what they name, best first
    (x, y)
    for distance in (6, 14, 22, 30, 40, 50, 60)
    for x, y in ((distance, 0), (-distance, 0), (0, distance), (0, -distance), (5, distance))
    + ((5, -distance), (-5, distance), (-5, -distance))
]


def subplots(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Any, Any]:
    """A figure of so many inches, and its axes (rows, columns)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    return pyplot.subplots(rows, columns, figsize=size, squeeze=False, **options)


def save(figure: Any, path: Path, labelled: Iterable[Any] = ()) -> None:
    """Write a figure as PNG and close it; labels of the axes in `labelled` are put in place."""
    from matplotlib import pyplot

    figure.canvas.draw()
    for axes in labelled:
        place_labels(axes)
    figure.savefig(path, dpi=200, metadata={"Software": None})
    pyplot.close(figure)


def mark(axes: Any, name: str, at: tuple[float, float], *, ours: bool, fill: bool = True) -> None:
    """Draw a point with a label, ours larger and in bold."""
    color = OURS if ours else THEIRS
    size = 6 if ours else 4  # points
    inside = color if fill else "none"
    axes.plot([at[0]], [at[1]], "o", color=color, markersize=size, markerfacecolor=inside)
    label = axes.annotate(
        name,
        at,
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
