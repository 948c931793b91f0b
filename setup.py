"""Build of the optional C kernels; everything else is declared in setup.cfg."""

from setuptools import Extension, setup

NATIVE = "models/exact/native/"

setup(
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
    ]
)
