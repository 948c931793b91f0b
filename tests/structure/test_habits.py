"""Habits that are easily lost: what no file says, and what every file has."""

import ast
import configparser
import re
from pathlib import Path

import pytest

from tests.structure import house, plan

TRACKED = house.tracked()
TEXTS = [name for name in TRACKED if (house.ROOT / name).suffix not in house.BINARY]
FOLDERS = {"bitswap_cli": "bitswap_cli", "models": "bitswap_models"}


@pytest.mark.parametrize("path", house.python_files(), ids=lambda path: path.name)
def test_resource_is_imported_where_it_is_used(path: Path) -> None:
    """Windows has no such module."""
    for node in ast.parse(path.read_text("utf-8")).body:
        names = {alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")}
        assert "resource" not in names | {getattr(node, "module", None)}


def test_no_file_names_a_machine_or_an_index() -> None:
    paths = r"/(?:work|tmp|root|home)/\w|[A-Z]:\\Users"
    indexes = r"\bpypi\.org/simple|download\.pytorch\.org|\bgit\+https://(?!github\.com/j-towns)"
    found = re.compile(f"(?<![\\w.~]){paths}|{indexes}")
    for name in TEXTS:
        if name != "tests/structure/test_habits.py":
            match = found.search((house.ROOT / name).read_text("utf-8"))
            assert match is None, f"{name}: {match[0] if match else ''}"


def test_nothing_required_is_an_address() -> None:
    """No index of packages takes what is to be fetched from elsewhere."""
    assert "@" not in (house.ROOT / "setup.cfg").read_text()


def test_every_folder_of_the_product_is_a_package() -> None:
    """So that setup.py finds it."""
    for name in TRACKED:
        if name.endswith(".py") and name.partition("/")[0] in FOLDERS:
            assert f"{Path(name).parent.as_posix()}/__init__.py" in TRACKED


def test_every_file_of_the_product_is_installed() -> None:
    setup = configparser.ConfigParser()
    setup.read(house.ROOT / "setup.cfg")
    patterns = [
        f"{package.replace('.', '/')}/{pattern}"
        for package, text in setup["options.package_data"].items()
        for pattern in text.split()
    ]
    for name in TRACKED:
        top, _, rest = name.partition("/")
        if top in FOLDERS and not name.endswith(".py"):
            installed = f"{FOLDERS[top]}/{rest}"
            assert any(Path(installed).match(pattern) for pattern in patterns), name


def test_tests_mirror_the_product() -> None:
    lost = []
    for path in sorted((house.ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(house.ROOT / "tests")
        folder = house.ROOT / ("" if name.parts[0] in ("models", "benchmarks") else "bitswap_cli")
        mirrored = folder / name.parent / name.stem.removeprefix("test_")
        room = mirrored.parent if mirrored.parent.name == mirrored.name else mirrored
        own = room.is_dir() or mirrored.with_suffix(".py").is_file()
        if not (own or name.as_posix() in plan.LAWS or name.parts[0] in plan.FREE):
            lost.append(name.as_posix())
    assert lost == []
    assert [name for name in plan.LAWS if not (house.ROOT / "tests" / name).is_file()] == []
