"""JSON of model files that others wrote: bounded in length and in depth."""

import json
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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
