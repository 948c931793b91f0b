"""The kernels' C compiled by tests, with a compiler and options of their choice."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bitswap_cli.ans import kernel as coder
from bitswap_cli.images.corrections import engine as corrections
from bitswap_cli.images.deflate import engine as deflate
from bitswap_cli.images.formats.jpeg import scan as jpeg
from bitswap_cli.images.history import engine as history
from bitswap_cli.images.packings import engine as packings
from bitswap_cli.images.vp8 import engine as vp8
from bitswap_cli.mixing import octets as mixing
from bitswap_models.exact import kernel as layers
from bitswap_models.families.drawn import kernel as drawn

CODER, CORRECTIONS, DEFLATE, JPEG, HISTORY, PACKINGS, MIXING, VP8, DRAWN, LAYERS = (
    Path(module).parent / "native"
    for module in (
        coder.__file__,
        corrections.__file__,
        deflate.__file__,
        jpeg.__file__,
        history.__file__,
        packings.__file__,
        mixing.__file__,
        vp8.__file__,
        drawn.__file__,
        layers.__file__,
    )
)

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def sources(*folders: Path) -> list[Path]:
    """The C files in folders, and in folders therein."""
    return sorted(path for folder in folders for path in folder.rglob("*.c"))


def compile(
    output: Path, *inputs: Path | str, command: str = "cc", options: tuple[str, ...] = ()
) -> str:
    """Compile C files; returns what the compiler says, and raises if it fails."""
    headers = [f"-I{folder}" for folder in (CODER, MIXING, LAYERS, DEFLATE)]
    done = subprocess.run(
        [command, *options, *headers, "-o", output, *inputs],
        check=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.stderr


def portable(folder: Path) -> Path:
    """The library of layers as processors compile it whose instructions we do not know."""
    output = folder / "portable.so"
    compile(output, *sources(LAYERS), "-lm", options=("-O1", "-shared", "-fPIC", "-DPORTABLE"))
    return output
