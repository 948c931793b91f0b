"""Build of the optional C kernels; everything else is declared in setup.cfg."""

from setuptools import Extension, setup

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
                "bitswap_models._kernel",
                ["models/kernel.c", "models/binary.c", "models/pixels.c", "models/gradient.c"],
                ["models/layers.h", "models/convolution.h", "models/gradient.h"],
            ),
        )
    ]
)
