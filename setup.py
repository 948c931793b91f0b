"""Packages and the optional C kernels; everything else is declared in setup.cfg.

The kernels know nothing of Python: ctypes loads them. So one wheel serves every Python, on every
Linux whose glibc is at least what they ask for. BITSWAP_KERNELS=needed makes it an error if they
cannot be compiled.
"""

import os
import re
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

CODER, LAYERS = "bitswap_cli/ans/native", "models/exact/native"
DEFLATE = "bitswap_cli/images/deflate/native"
JPEG = "bitswap_cli/images/formats/jpeg/native"
HISTORY = "bitswap_cli/images/history/native"
PACKINGS = "bitswap_cli/images/packings/native"
MIXING, DRAWN = "bitswap_cli/mixing/native", "models/families/drawn/native"
CORRECTIONS = "bitswap_cli/images/corrections/native"
VP8 = "bitswap_cli/images/vp8/native"


def kernel(name: str, folder: str, *others: str) -> Extension:
    """The extension of all C files in a folder, and in folders therein, and headers of others.

    What their code is for decides each file itself, with processor.h.
    """
    folders = sorted({CODER, folder, *others})
    return Extension(
        name,
        sources=sorted(map(str, Path(folder).rglob("*.c"))),
        depends=sorted(str(header) for top in folders for header in Path(top).rglob("*.h")),
        include_dirs=folders,
        libraries=[] if sys.platform == "win32" else ["m"],
        extra_compile_args=["-O3", "-fno-trapping-math", "-ffp-contract=off", "-g0"],
        optional=os.environ.get("BITSWAP_KERNELS") != "needed",
    )


def platform_tag(tag: str, kernels: list[bytes]) -> str:
    """The tag of the oldest Linux on which kernels run: linux_x86_64 -> manylinux_2_27_x86_64.

    The versions of glibc that a library asks for are among its strings. PEP 600 names the newest,
    and installers go down to 2.17 everywhere.
    """
    found = [version for k in kernels for version in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", k)]
    if not tag.startswith("linux_") or not found:  # musl has none
        return tag
    major, minor = max((2, 17), *((int(a), int(b)) for a, b in found))
    return tag.replace("linux", f"manylinux_{major}_{minor}", 1)


class Kernels(build_ext):
    """Compiles kernels; no version of Python is in their names."""

    def get_ext_filename(self, fullname: str) -> str:
        """a.b -> a/b.so"""
        return str(Path(*fullname.split("."))) + EXTENSION_SUFFIXES[-1]


class Wheel(bdist_wheel):
    """A wheel for every Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Interpreter, its ABI, and the platform."""
        paths = map(Path, self.get_finalized_command("build_ext").get_outputs())
        kernels = [path.read_bytes() for path in paths if path.is_file()]
        return "py3", "none", platform_tag(super().get_tag()[2], kernels)


# bitswap_models lies in models/, which setup.cfg cannot say of all the folders below it at once.
MODELS = [f"bitswap_{name}" for name in find_packages(include=["models", "models.*"])]

if __name__ == "__main__":
    setup(
        packages=[*find_packages(include=["bitswap_cli", "bitswap_cli.*"]), *MODELS],
        cmdclass={"build_ext": Kernels, "bdist_wheel": Wheel},
        ext_modules=[
            kernel("bitswap_cli.ans._kernel", CODER),
            kernel("bitswap_cli.images.corrections._kernel", CORRECTIONS, MIXING),
            kernel("bitswap_cli.images.deflate._kernel", DEFLATE),
            kernel("bitswap_cli.images.formats.jpeg._kernel", JPEG),
            kernel("bitswap_cli.images.history._kernel", HISTORY),
            kernel("bitswap_cli.images.packings._kernel", PACKINGS),
            kernel("bitswap_cli.images.vp8._kernel", VP8, MIXING),
            kernel("bitswap_cli.mixing._kernel", MIXING),
            kernel("bitswap_models.exact._kernel", LAYERS),
            kernel("bitswap_models.families.drawn._kernel", DRAWN, MIXING),
        ],
    )
