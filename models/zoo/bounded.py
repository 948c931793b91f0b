"""JSON and TOML that others wrote: bounded in length and in depth."""

import json
import tomllib
from typing import Any, NoReturn

LIMIT = 1 << 22  # characters; the largest of ours have some ten thousand


def parse(text: str | bytes) -> Any:
    """Parse JSON.

    Raises
    ------
    ValueError
        If it is none, too long or too deep.
    """
    if len(text) > LIMIT:
        raise ValueError("it is too long")
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is too deep") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises
    ------
    ValueError
        If it is none, too long or too deep, or has a number of thousands of digits.
    """
    if len(text) > LIMIT:
        raise ValueError("it is too long")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is too deep") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
