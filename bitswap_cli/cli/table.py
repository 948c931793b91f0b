"""Tables and sizes for people; scripts read ``--json``."""

from collections.abc import Sequence


def human_size(size: int) -> str:
    """Bytes in decimal units, three digits or so.

    Examples
    --------
    >>> human_size(999), human_size(12_345), human_size(123_456_789)
    ('999 B', '12.3 kB', '123.5 MB')
    """
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def format_table(rows: Sequence[Sequence[str]], left: Sequence[int] = ()) -> str:
    """Align the columns of rows of equal length, the first of which is the heading.

    Columns are aligned to the right, but for the numbers of columns in `left`.

    Examples
    --------
    >>> print(format_table([("size", "name"), ("3", "a"), ("12", "bc")], left=[1]))
    size  name
       3  a
      12  bc
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
