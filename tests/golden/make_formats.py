"""Make the golden archive of formats, and write what has to come out of it into manifest.json.

python -m tests.golden.make_formats [--force]
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

import bitswap_cli
from tests.golden.make import HERE, MANIFEST, TIME, digest, photo
from tests.images.formats.samples import files

ARCHIVE = HERE / "photo-formats-5.bsw"
MODEL = "photo"


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="replace one never released")
    if ARCHIVE.exists() and not parser.parse_args().force:
        sys.exit(f"{ARCHIVE.name} is frozen (README.md)")
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "golden"
        source.mkdir()
        every = {**files(), **{f"{n} photo": data for n, data in files(photo(24, 28, 50)).items()}}
        for name, data in every.items():
            (source / name).write_bytes(data)
            os.utime(source / name, ns=(TIME, TIME))
        bitswap_cli.compress(source, ARCHIVE, model=MODEL, force=True)
        with bitswap_cli.open(ARCHIVE) as archive:
            kinds = {name: archive.info(name).kind for name in archive}
        entries = {
            name: {"restored": "bytes", "sha256": digest(source.parent / name, "bytes")}
            for name in kinds
        }
    manifest = json.loads(MANIFEST.read_text())
    manifest[ARCHIVE.name] = {
        "sha256": hashlib.sha256(ARCHIVE.read_bytes()).hexdigest(),
        "model": MODEL,
        "scheme": "bitswap",
        "entries": entries,
    }
    MANIFEST.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    print(f"{ARCHIVE.name}: {ARCHIVE.stat().st_size} bytes")
    for name, kind in kinds.items():
        print(f"  {kind:12} {name}")


if __name__ == "__main__":
    main()
