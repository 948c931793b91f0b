"""Packages and the optional C kernels; everything else is declared in setup.cfg."""

from setuptools import Extension, find_packages, setup

NATIVE = "models/exact/native/"

# bitswap_models lies in models/, which setup.cfg cannot say of all the folders below it at once.
MODELS = [f"bitswap_{name}" for name in find_packages(include=["models", "models.*"])]

setup(
    packages=[*find_packages(include=["bitswap_cli", "bitswap_cli.*"]), *MODELS],
    ext_modules=[
        Extension(
            name,
            sources=sources,
            depends=headers,
            extra_compile_args=["-O3", "-fno-trapping-math"],
            optional=True,
        )
        for name, sources, headers in (
            ("bitswap_cli.ans._kernel", ["bitswap_cli/ans/kernel.c"], []),
            (
                "bitswap_models.exact._kernel",
                [NATIVE + name for name in ("kernel.c", "binary.c", "pixels.c", "gradient.c")],
                [NATIVE + name for name in ("layers.h", "convolution.h", "gradient.h")],
            ),
        )
    ],
)
