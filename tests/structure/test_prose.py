"""Lines have at most 100 columns, since they are read in terminals and in differences."""

import re

import pytest

from tests.structure import house

COLUMNS = 100
TEXT = {".md", ".py", ".toml", ".cfg", ".c", ".h", ".yaml", ""}  # Makefile and its like have none
URL = re.compile(r"https?://\S+")
PRAGMA = re.compile(r"\s+# (noqa|type: ignore).*")  # what tools read
CODE = {".c", ".h"}  # of which only comments are prose; clang-format holds the rest
# Recipes are kept in the model files as they were when these were made.
FILES = [
    name
    for name in house.tracked()
    if (house.ROOT / name).suffix in TEXT and not name.endswith("/recipe.toml")
]


def too_long(line: str) -> bool:
    """Whether a line has too many columns; tables and links cannot be broken."""
    unbroken = line.lstrip().startswith("|") or URL.search(line)
    return len(PRAGMA.sub("", line)) > COLUMNS and not unbroken


@pytest.mark.parametrize("name", FILES)
def test_lines_are_short(name: str) -> None:
    path = house.ROOT / name
    lines = path.read_text("utf-8").splitlines()
    if path.suffix in CODE:
        lines = [line if line.lstrip().startswith(("*", "/")) else "" for line in lines]
    assert [number for number, line in enumerate(lines, 1) if too_long(line)] == []


def test_what_is_too_long() -> None:
    assert too_long("x" * 101) and not too_long("ä" * 100)
    assert not too_long("x" * 99 + "  # noqa: E501")
    assert not too_long("| " + "x" * 100) and not too_long("https://" + "x" * 100)
