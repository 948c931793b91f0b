"""Packages and the optional C kernels; everything else is declared in setup.cfg."""

from pathlib import Path

from setuptools import Extension, find_packages, setup

CODER, LAYERS = "bitswap_cli/ans/native", "models/exact/native"
DEFLATE = "bitswap_cli/images/deflate/native"


def kernel(name: str, folder: str) -> Extension:
    """The extension of all C files in a folder, and in folders therein.

    What their code is for decides each file itself, with processor.h.
    """
    return Extension(
        name,
        sources=sorted(map(str, Path(folder).rglob("*.c"))),
        depends=sorted(
            str(header) for top in (CODER, DEFLATE, LAYERS) for header in Path(top).rglob("*.h")
        ),
        include_dirs=sorted({CODER, folder}),
        extra_compile_args=["-O3", "-fno-trapping-math"],
        optional=True,
    )


# bitswap_models lies in models/, which setup.cfg cannot say of all the folders below it at once.
MODELS = [f"bitswap_{name}" for name in find_packages(include=["models", "models.*"])]

setup(
    packages=[*find_packages(include=["bitswap_cli", "bitswap_cli.*"]), *MODELS],
    ext_modules=[
        kernel("bitswap_cli.ans._kernel", CODER),
        kernel("bitswap_cli.images.deflate._kernel", DEFLATE),
        kernel("bitswap_models.exact._kernel", LAYERS),
    ],
)
