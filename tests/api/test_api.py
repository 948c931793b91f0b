"""What ``import bitswap_cli`` gives: lazily, and every example as it is written."""

import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import bitswap_cli
from bitswap_cli.api import arguments
from bitswap_cli.coding import SCHEMES

DOCS = Path(__file__).parents[2] / "docs"
MODULES = (
    "api.archive",
    "api.arguments",
    "api.cache",
    "api.compress",
    "api.decompress",
    "api.evaluate",
    "errors",
)


def test_importing_it_loads_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import bitswap_cli;"
        "own = {n for n in set(sys.modules) - before if n.startswith('bitswap')};"
        "heavy = {'numpy', 'torch', 'click', 'PIL'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy or own != {'bitswap_cli'} else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_name_is_there() -> None:
    for name in bitswap_cli.__all__:
        assert getattr(bitswap_cli, name).__doc__, name
        assert name in dir(bitswap_cli)
    assert issubclass(bitswap_cli.InputError, bitswap_cli.BitswapError)
    with pytest.raises(AttributeError, match="no attribute 'squeeze'"):
        bitswap_cli.squeeze  # noqa: B018


def test_nothing_below_the_command_line_knows_it() -> None:
    """What talks to a terminal stays in cli/."""
    code = "import sys, bitswap_cli;"
    code += "[getattr(bitswap_cli, name) for name in bitswap_cli.__all__];"
    code += "sys.exit('click' in sys.modules or 'bitswap_cli.cli' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_schemes_of_the_command_line_are_those_of_the_codecs() -> None:
    assert tuple(SCHEMES) == arguments.SCHEMES


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, archive: Path) -> None:
    if name == "api.compress":
        archive.unlink()
    assert doctest.testmod(import_module(f"bitswap_cli.{name}")).failed == 0


def test_examples_of_the_page(photos: Path, made_archive: Path) -> None:
    outcome = doctest.testfile(str(DOCS / "api.md"), module_relative=False)
    assert outcome.failed == 0 and outcome.attempted > 10
