"""Recipes and their tables, checked against the dataclasses that they fill."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from bitswap_cli.errors import ModelError
from bitswap_models.zoo.bounded import parse_toml

_NAMES: dict[Any, str] = {
    int: "a whole number from 0",
    float: "a number from 0",
    str: "a text",
    bool: "true or false",
}
_POSITIVE = {"steps", "batch", "tiles"}


def read(recipe: Path, names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the text of a recipe, and its tables.

    Raises
    ------
    ModelError
        If it cannot be read, or has others than these, which nobody would follow.
    """
    try:
        text = recipe.read_text(encoding="utf-8")
        tables = parse_toml(text)
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the recipe {recipe}: {error}") from None
    if others := sorted(tables.keys() - names):
        known = ", ".join(f"[{name}]" for name in names)
        raise ModelError(f"the recipe {recipe} has more than {known}: {', '.join(others)}")
    return text, tables


def has_table(recipe: Path, name: str) -> bool:
    """Whether a recipe has a table of a name; False, too, if it cannot be read."""
    try:
        return name in parse_toml(recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def fill(kind: Any, name: str, table: dict[str, Any]) -> Any:
    """Make a dataclass of a table; raises as `check` does, and TypeError if a key is missing."""
    check(kind, name, table, {f.name for f in fields(kind)})
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})


def check(kind: Any, name: str, table: dict[str, Any], known: set[str]) -> None:
    """Check the keys of a table, and that each value is of its field's type.

    Parameters
    ----------
    kind : dataclass
    name : str
        Of the table.
    table : dict
    known : set of str
        Fields that may be in it.

    Raises
    ------
    ModelError
        If a key is unknown, or a value of another type, negative, or nothing of what there has to
        be something of.
    """
    if not isinstance(table, dict):
        raise ModelError(f"[{name}] is a table of keys and values")
    if unknown := set(table) - known:
        raise ModelError(f"unknown key in [{name}]: {', '.join(sorted(unknown))}")
    hints = get_type_hints(kind)
    for key, value in table.items():
        hint = hints[key]
        several = get_origin(hint) is tuple
        single = get_args(hint)[0] if several else hint
        if several != isinstance(value, list | tuple) or not all(
            _fits(v, single) for v in (value if several else [value])
        ):
            what = _NAMES.get(single, "something else")
            raise ModelError(f"{key} in [{name}] is {f'a list, each {what}' if several else what}")
        if key in _POSITIVE and not value:
            raise ModelError(f"{key} in [{name}] is 1 or more")


def _fits(value: Any, kind: Any) -> bool:
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value) and value >= 0
    return type(value) is kind and (kind is not int or value >= 0)
