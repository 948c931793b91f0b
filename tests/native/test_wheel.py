"""One wheel serves every Python, and its tag tells on which systems."""

import runpy
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest

from bitswap_cli.ans import kernel as coder
from bitswap_cli.ans import library
from bitswap_cli.images.deflate import engine as deflate
from bitswap_cli.images.formats.jpeg import scan
from bitswap_cli.images.history import engine as history
from bitswap_cli.images.packings import engine as packings
from bitswap_models.exact import kernel as layers
from bitswap_models.families.drawn import kernel as drawn
from tests.structure.house import ROOT

Distribution = import_module("setuptools").Distribution  # which tells no types


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py defines."""
    monkeypatch.chdir(ROOT)
    return runpy.run_path("setup.py")


@pytest.mark.parametrize(
    ("tag", "strings", "expected"),
    [
        ("linux_x86_64", ["GLIBC_2.2.5 GLIBC_2.14"], "manylinux_2_17_x86_64"),
        ("linux_x86_64", ["GLIBC_2.2.5", "GLIBC_2.3.4 GLIBC_2.27"], "manylinux_2_27_x86_64"),
        ("linux_aarch64", ["GLIBC_2.9 GLIBC_2.100"], "manylinux_2_100_aarch64"),
        ("linux_x86_64", ["", "memcpy MY_GLIBC_2.30 GLIBC_PRIVATE"], "linux_x86_64"),
        ("linux_x86_64", [], "linux_x86_64"),
        ("macosx_11_0_arm64", ["GLIBC_2.14"], "macosx_11_0_arm64"),
    ],
)
def test_the_oldest_linux(
    setup: dict[str, Any], tag: str, strings: list[str], expected: str
) -> None:
    kernels = [b"\0%s\0" % text.replace(" ", "\0").encode() for text in strings]
    assert setup["platform_tag"](tag, kernels) == expected


def test_names_tell_no_python(setup: dict[str, Any]) -> None:
    extensions = [setup["kernel"]("bitswap_cli.ans._kernel", setup["CODER"])]
    command = setup["Kernels"](Distribution({"ext_modules": extensions}))
    name = command.get_ext_filename("bitswap_cli.ans._kernel")
    assert name.replace("\\", "/") == f"bitswap_cli/ans/_kernel{EXTENSION_SUFFIXES[-1]}"
    assert "." not in name.removesuffix(EXTENSION_SUFFIXES[-1])


def test_a_wheel_is_for_every_python_on_this_platform(setup: dict[str, Any]) -> None:
    extensions = [setup["kernel"]("bitswap_cli.ans._kernel", setup["CODER"])]
    command = setup["Wheel"](Distribution({"name": "a", "ext_modules": extensions}))
    command.finalize_options()
    interpreter, abi, platform = command.get_tag()
    assert (interpreter, abi) == ("py3", "none") and platform != "any"


@pytest.mark.parametrize(
    "engine",
    [coder, deflate, drawn, history, layers, packings, scan],
    ids=lambda engine: engine.__name__,
)
def test_every_engine_looks_for_that_name(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(library, "find", asked.append)
    assert engine.compiled.__wrapped__() is None
    assert asked == [Path(engine.__file__).parent]


def test_a_kernel_that_is_needed_is_not_optional(
    setup: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, optional in (("", True), ("needed", False)):
        monkeypatch.setenv("BITSWAP_KERNELS", value)
        assert setup["kernel"]("a", setup["CODER"]).optional is optional
