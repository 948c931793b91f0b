"""The kernels in C alone: every set of instructions of every processor gives the same integers.

The test programs draw weights and symbols and print hashes of what comes of them; processors of ARM
are emulated where QEMU and a cross compiler are installed.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.ans.sigmoid import tables
from bitswap_models.exact import kernel
from bitswap_models.exact.mixtures import POWERS
from tests.native.compiler import (
    CODER,
    CORRECTIONS,
    DEFLATE,
    DRAWN,
    HISTORY,
    JPEG,
    LAYERS,
    MIXING,
    PACKINGS,
    VP8,
    compile,
    needs_compiler,
    sources,
)

# By plain C on x86-64. Words of archives and integers of models depend on these: they never change.
FROZEN = {
    "logistics": "b15c72fa9c81ebd4",
    "alphabets": "058f015e3f238c18",
    "tables": "dfa57355214edbb5",
    "numbers": "792987ff7583f339",
    "bytes": "9ec8ad4d9ecbe1a2",
    "signs": "1bfcc0494d20ac0a",
    "pixels": "b859234b40accee5",
    "gray": "39c5d2a96b47f999",
}
PLAIN = dict.fromkeys(FROZEN, ["plain"])
NEON = {
    **PLAIN,
    **dict.fromkeys(("numbers", "bytes", "signs", "pixels", "gray"), ["plain", "neon"]),
}
DOTPROD = {
    **NEON,
    **dict.fromkeys(("numbers", "bytes", "pixels", "gray"), ["plain", "neon", "dotprod"]),
}

WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
CROSS, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
COMPILED = kernel.compiled()


def build(folder: Path, command: str, *options: str) -> list[Path]:
    """Compile both test programs."""
    here, programs = Path(__file__).parent, [folder / "coder", folder / "layers"]
    for program, folders in zip(programs, ((CODER,), (CODER, LAYERS)), strict=True):
        files = (here / f"{program.name}.c", *sources(*folders))
        compile(program, *files, "-lm", command=command, options=("-fno-trapping-math", *options))
    return programs


def run(programs: list[Path], folder: Path, *emulator: str) -> dict[str, list[str]]:
    """What the programs print: the sets of instructions that each kernel was computed with.

    All hashes are compared with those frozen.
    """
    path = folder / "tables"
    np.concatenate([*tables(), POWERS]).astype("<i4").tofile(path)
    found: dict[str, list[str]] = {}
    for program in programs:
        command = [*emulator, str(program), str(path)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for line in printed.splitlines():
            name, instructions, digest = line.split()
            assert digest == FROZEN[name], line
            found.setdefault(name, []).append(instructions)
    return found


@needs_compiler
def test_every_set_of_instructions_gives_the_frozen_integers(tmp_path: Path) -> None:
    found = run(build(tmp_path, "cc", "-O1"), tmp_path)
    assert found.keys() == FROZEN.keys()
    if COMPILED:
        of_all = [found[name] for name in ("numbers", "bytes", "pixels", "gray")]
        assert of_all == [COMPILED.variants] * 4
        assert found["signs"] == COMPILED.binary_variants


@needs_compiler
def test_plain_c_gives_the_frozen_integers(tmp_path: Path) -> None:
    assert run(build(tmp_path, "cc", "-O1", "-DPORTABLE"), tmp_path) == PLAIN


@pytest.mark.skipif(
    not (shutil.which(CROSS) and shutil.which(EMULATOR)), reason=f"no {CROSS} or no {EMULATOR}"
)
def test_processors_of_arm_give_the_frozen_integers(tmp_path: Path) -> None:
    programs = build(tmp_path, CROSS, "-O2", "-static")
    assert run(programs, tmp_path, EMULATOR, "-cpu", "max") == DOTPROD
    assert run(programs, tmp_path, EMULATOR, "-cpu", "cortex-a53") == NEON


@pytest.mark.parametrize("options", [(), ("-DPORTABLE",)])
@pytest.mark.parametrize("command", ["gcc", "clang", CROSS])
def test_compilers_have_nothing_to_say(
    tmp_path: Path, command: str, options: tuple[str, ...]
) -> None:
    if shutil.which(command) is None:
        pytest.skip(f"no {command}")
    programs = Path(__file__).parent.glob("*.c")
    for path in (
        *programs,
        *sources(CODER, CORRECTIONS, DEFLATE, JPEG, HISTORY, PACKINGS, MIXING, VP8, DRAWN, LAYERS),
    ):
        given = ("-fsyntax-only", *WARNINGS, *options)
        assert compile(tmp_path / "object.o", path, command=command, options=given) == ""
