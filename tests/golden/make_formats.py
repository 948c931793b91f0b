"""Make the golden archive of formats, and write what has to come out of it into manifest.json.

python -m tests.golden.make_formats [--force]
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import bitswap_cli
from tests.golden.make import HERE, MANIFEST, TIME, digest, photo
from tests.images.formats.samples import drawn, files

ARCHIVE = HERE / "photo-formats-5.bsw"
MODEL = "photo"


def write_files(folder: Path) -> None:
    """Write files of all formats."""
    flat = np.kron(drawn(20, 16, 3), np.ones((3, 4, 1), np.uint8))
    every = {f"{n} photo": data for n, data in files(photo(24, 28, 50)).items()}
    every |= {f"{n} flat": data for n, data in files(flat).items()}
    for name, data in every.items():
        (folder / name).write_bytes(data)


def freeze(archive: Path, write: Callable[[Path], None], model: str = "auto") -> None:
    """Make an archive of what is written into a folder, all of which comes back byte for byte, and
    tell the manifest; one that is there is frozen, but for ``--force``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--force", action="store_true", help="replace one never released")
    if archive.exists() and not parser.parse_args().force:
        sys.exit(f"{archive.name} is frozen (README.md)")
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "golden"
        source.mkdir()
        write(source)
        for path in source.iterdir():
            os.utime(path, ns=(TIME, TIME))
        report = bitswap_cli.compress(source, archive, model=model, force=True)
        with bitswap_cli.open(archive) as opened:
            kinds = {name: opened.info(name).kind for name in opened}
        entries = {
            name: {"restored": "bytes", "sha256": digest(source.parent / name, "bytes")}
            for name in kinds
        }
    manifest = json.loads(MANIFEST.read_text())
    manifest[archive.name] = {
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "model": report.model,
        "scheme": report.scheme,
        "entries": entries,
    }
    MANIFEST.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    print(f"{archive.name}: {archive.stat().st_size} bytes")
    for name, kind in kinds.items():
        print(f"  {kind:12} {name}")


if __name__ == "__main__":
    freeze(ARCHIVE, write_files, MODEL)
