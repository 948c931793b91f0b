"""Make the golden archive of files that repeat each other, and themselves, and write what has to
come out of it into manifest.json.

python -m tests.golden.make_repeats [--force]
"""

from pathlib import Path

from tests.golden.make import HERE, photo
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "repeats-0.26-5.bsw"


def write_files(folder: Path) -> None:
    """Write three versions of a table of a photograph, and records that come again."""
    rows = photo(120, 32, 92)[:, ::8].reshape(120, -1)
    lines = [f"{k}: " + " ".join(map(str, row)) for k, row in enumerate(rows.tolist())]
    for version, changed in enumerate(([], [40], [10, 41, 99])):
        for k in changed:
            lines[k] = f"{k}: corrected in version {version}"
        (folder / f"table-{version}.txt").write_text("\n".join(lines) + "\n")
    records = rows.astype("<u2").tobytes()
    (folder / "records.bin").write_bytes(records + b"again" + records[500:3000] + records)


if __name__ == "__main__":
    freeze(ARCHIVE, write_files)
