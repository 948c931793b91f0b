"""What benchmarks print and write: tables in Markdown, figures as JSON."""

import json
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


def markdown(rows: Sequence[Sequence[str]], left: Container[int] = (0,)) -> str:
    """Align rows of equal length, the first of which is the heading.

    Columns are aligned to the right, but for the numbers of columns in `left`.

    Examples
    --------
    >>> print(markdown([("codec", "bpd"), ("PNG", "12.5"), ("WebP", "9.0")]))
    | codec |  bpd |
    | ----- | ---: |
    | PNG   | 12.5 |
    | WebP  |  9.0 |
    """
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * w if i in left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    lines = [
        [
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def write_json(figures: object, path: Path | None) -> None:
    """Write figures, if a file is given."""
    if path is not None:
        path.write_text(json.dumps(figures, indent=1) + "\n")
