"""The rooms of bitswap_models: which may import which, and how large they are."""

import ast
from pathlib import Path

import pytest

import bitswap_models

ROOT = Path(bitswap_models.__file__).parent if bitswap_models.__file__ else Path()
FILES = sorted(path for path in ROOT.rglob("*.py"))
BELOW = {  # of each room, those that it may import
    "exact": set(),
    "families": {"exact"},
    "zoo": set(),
    "stored": {"exact", "families", "zoo"},
    "training": {"exact", "families", "stored", "zoo"},
    "fitting": {"exact", "families", "stored", "training"},
}
WITH_TORCH = {"training", "fitting"}
OF_THE_PROGRAM = {"ans", "atomic", "contract", "errors"}


def imports(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_doors_are_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "bitswap_models":
            assert rest.split(".")[0] in BELOW[room] | {room}, name
        if package == "bitswap_cli":
            assert rest.split(".")[0] in OF_THE_PROGRAM, name
        assert package != "torch" or room in WITH_TORCH, name


def test_rooms_and_files_are_small() -> None:
    for folder in {path.parent for path in FILES}:
        assert len(list(folder.glob("*.py"))) <= 14, folder
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 350, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, (path, node.name)
