"""What a codec is to those who measure it, and what codecs have in common."""

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.data.pictures import Pixels


class Peer(NamedTuple):
    """A codec with its settings; both functions take and return what is in memory."""

    name: str
    build: str
    encode: Callable[[Pixels], bytes]
    decode: Callable[[bytes], Pixels]
    mosaic: bool = False  # also worth coding a set of small images as one mosaic


class Codec(NamedTuple):
    """A row of the register.

    Attributes
    ----------
    name
        How the names of its peers begin.
    peers
        Finds those that this machine has.
    missing
        How to get what may be missing: how names begin, and what to install.
    """

    name: str
    peers: Callable[[], Iterator[Peer]]
    missing: dict[str, str]


class Build(NamedTuple):
    """One of the ways to run a codec: version of its library, name, encoder and decoder."""

    version: tuple[int, ...]
    name: str
    encode: Callable[[Pixels], bytes]
    decode: Callable[[bytes], Pixels]

    def peer(self, name: str, *, mosaic: bool) -> Peer:
        """This build as a peer."""
        return Peer(name, self.name, self.encode, self.decode, mosaic)


def newest(builds: list[Build]) -> Build:
    """The build of the newest library; the first of several."""
    return max(builds, key=lambda build: build.version)


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that compare."""
    return tuple(map(int, re.findall(r"\d+", version)))


def opened(data: bytes) -> Pixels:
    """The pixels of a file that Pillow reads."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def pillow(kind: str, **options: Any) -> Callable[[Pixels], bytes]:
    """Encoder of a format that Pillow writes."""

    def encode(pixels: Pixels) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, kind, **options)
        return stream.getvalue()

    return encode


def program(command: list[str], source: str, target: str, data: bytes) -> bytes:
    """Run a program on a file of `data`; `{source}` and `{target}` of the command are files.

    Raises
    ------
    ValueError
        If the program fails; the text is the last line that it wrote to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {"source": f"{folder}/in{source}", "target": f"{folder}/out{target}"}
        Path(paths["source"]).write_bytes(data)
        arguments = [part.format(**paths) for part in command]
        done = subprocess.run(arguments, capture_output=True)
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise ValueError(f"{command[0]} failed: {lines[-1] if lines else done.returncode}")
        return Path(paths["target"]).read_bytes()


def pnm_program(
    encoder: str, decoder: str, suffix: str
) -> tuple[Callable[[Pixels], bytes], Callable[[bytes], Pixels]]:
    """Encoder and decoder that are programs which read and write PNM, and so take no alpha."""

    def encode(pixels: Pixels) -> bytes:
        if pixels.ndim == 3 and pixels.shape[2] != 3:
            raise ValueError(f"{encoder.split()[0]} is handed PNM files, which have no alpha")
        kind = ".pgm" if pixels.ndim == 2 else ".ppm"
        return program(encoder.split(), kind, suffix, pillow("PPM")(pixels))

    def decode(data: bytes) -> Pixels:
        return opened(program(decoder.split(), suffix, ".ppm", data))

    return encode, decode


def version_of(*command: str) -> str:
    """The first thing like a version that a program says of itself; empty if it is not here."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    found = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return found[0] if found else "of unknown version"
