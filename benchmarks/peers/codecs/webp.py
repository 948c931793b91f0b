"""WebP: the newest of Pillow's library and the programs cwebp and dwebp."""

import shutil
from collections.abc import Iterator

from PIL import features

from benchmarks.peers.codecs.peer import (
    Build,
    Codec,
    Peer,
    newest,
    numbers,
    opened,
    pillow,
    pnm_program,
    version_of,
)


def peers() -> Iterator[Peer]:
    """WebP at a usual setting and at its best."""
    for quality in (75, 100):
        builds = [*in_pillow(quality), *_programs(quality)]
        if builds:
            name = f"WebP -m 6 -q {quality}"
            yield newest(builds).peer(name, mosaic=quality == 100)


def in_pillow(quality: int) -> Iterator[Build]:
    """The library that Pillow has, if it has one."""
    if features.check("webp"):
        version = str(features.version("webp"))
        save = pillow("WEBP", lossless=True, exact=True, method=6, quality=quality)
        yield Build(numbers(version), f"Pillow, libwebp {version}", save, opened)


def _programs(quality: int) -> Iterator[Build]:
    version = version_of("cwebp", "-version")
    if version and shutil.which("dwebp"):
        encoder = f"cwebp -quiet -lossless -exact -m 6 -q {quality} {{source}} -o {{target}}"
        coder = pnm_program(encoder, "dwebp -quiet -ppm {source} -o {target}", ".webp")
        yield Build(numbers(version), f"cwebp {version}", *coder)


WEBP = Codec("WebP", peers, {"WebP": "cwebp and dwebp (apt install webp)"})
