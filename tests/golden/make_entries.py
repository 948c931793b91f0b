"""Make the golden archive of attributes, and write what has to come out of it into manifest.json.

    python -m tests.golden.make_entries [--force]

It takes root, and a file system with extended attributes, ACLs and holes.
"""

import argparse
import hashlib
import json
import os
import struct
import sys
import tempfile
from pathlib import Path

import bitswap_cli
from bitswap_cli.archive.format.attributes import ACCESS, INHERITED, Attributes
from tests.golden.make import HERE, MANIFEST, TIME, digest, netpbm, photo, png

ARCHIVE = HERE / "photo-entries-5.bsw"
_ANY = 0xFFFFFFFF
_ROWS = [(1, 6, _ANY), (2, 6, 1000), (4, 4, _ANY), (16, 6, _ANY), (32, 0, _ANY)]
LIST = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in _ROWS)
BLOCK = 1 << 16

FILES = {
    "photo.png": png(photo(45, 70, 1)),
    "shared.ppm": netpbm(photo(34, 31, 3)),
    "private/notes.txt": b"Kept byte for byte.\n" * 3,
    "again.txt": b"Kept byte for byte.\n" * 3,
    "program": b"#!/bin/sh\nexit 0\n",
    "sparse": bytes(BLOCK) + b"data" * (BLOCK // 4) + bytes(BLOCK + 5),
}
ATTRIBUTES = {
    "": Attributes(0o755, 0, 0),
    "photo.png": Attributes(0o640, 1000, 100, ((b"user.tag", b"\xff\0"),)),
    "shared.ppm": Attributes(0o660, 0, 0, ((ACCESS, LIST),)),
    "private": Attributes(0o700, 0, 0, ((INHERITED, LIST), (b"user.of", b"folders"))),
    "private/notes.txt": Attributes(0o600, 0, 0),
    "again.txt": Attributes(0o444, 0, 0),
    "program": Attributes(0o4755, 1000, 100, ((b"trusted.x", b""),)),
    "sparse": Attributes(0o644, 0, 0, (), (0, BLOCK, BLOCK, BLOCK + 5)),
    "empty": Attributes(0o1777, 0, 0),
    "link": Attributes(None, 1000, 100),
}


def build(top: Path) -> None:
    """Write what is archived."""
    for name, data in FILES.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    os.truncate(top / "sparse", 0)
    with (top / "sparse").open("r+b") as file:
        file.truncate(len(FILES["sparse"]))
        file.seek(BLOCK)
        file.write(FILES["sparse"][BLOCK : 2 * BLOCK])
    (top / "empty").mkdir()
    (top / "link").symlink_to("photo.png")
    for name, own in sorted(ATTRIBUTES.items(), reverse=True):
        path = top / name
        os.chown(path, own.owner or 0, own.group or 0, follow_symlinks=False)
        for xattr, value in own.xattrs:
            os.setxattr(path, xattr, value)
        if own.mode is not None:
            path.chmod(own.mode)
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="replace one never released")
    if ARCHIVE.exists() and not parser.parse_args().force:
        sys.exit(f"{ARCHIVE.name} is frozen (README.md)")
    entries = {}
    with tempfile.TemporaryDirectory() as temporary:
        build(Path(temporary) / "golden")
        source = os.path.join(temporary, "golden")
        bitswap_cli.compress(source, ARCHIVE, model="photo", owners=True, force=True)
        with bitswap_cli.open(ARCHIVE) as opened:
            for name in opened:
                if opened.info(name).kind not in ("dir", "link"):
                    restored = "bytes" if opened.info(name).exact else "pixels"
                    sha256 = digest(Path(temporary) / name, restored)
                    entries[name] = {"restored": restored, "sha256": sha256}
    entries["golden/link"] = entries["golden/photo.png"]
    manifest = json.loads(MANIFEST.read_text())
    sha256 = hashlib.sha256(ARCHIVE.read_bytes()).hexdigest()
    own = {"sha256": sha256, "model": "photo", "scheme": "bitswap", "entries": entries}
    MANIFEST.write_text(json.dumps(manifest | {ARCHIVE.name: own}, indent=1, sort_keys=True) + "\n")
    print(f"{ARCHIVE.name}: {ARCHIVE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
