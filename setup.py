"""Build of the optional C kernel; everything else is declared in setup.cfg."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "bitswap_cli.ans._kernel",
            sources=["bitswap_cli/ans/kernel.c"],
            extra_compile_args=["-O3", "-fno-trapping-math"],
            optional=True,
        )
    ]
)
