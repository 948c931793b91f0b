"""Tables of recipes: what is of another type, too small or unknown is one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bitswap_cli.errors import ModelError
from bitswap_models.training.tables import fill


@dataclass(frozen=True)
class Some:
    """One field of each type."""

    steps: int
    rate: float = 0.5
    name: str = ""
    flip: bool = False
    sizes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


def test_what_fits() -> None:
    table = {"steps": 1, "rate": 1, "name": "x", "flip": True, "sizes": [1, 0], "names": []}
    assert fill(Some, "some", table) == Some(1, 1, "x", True, (1, 0))
    assert fill(Some, "some", {"steps": 2}) == Some(2)
    with pytest.raises(TypeError, match="steps"):
        fill(Some, "some", {})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"stepz": 1}, "unknown key in [some]: stepz"),
        ({"steps": True}, "steps in [some] is a whole number from 0"),
        ({"steps": -1}, "steps in [some] is a whole number from 0"),
        ({"steps": 1.0}, "steps in [some] is a whole number from 0"),
        ({"steps": [1]}, "steps in [some] is a whole number from 0"),
        ({"steps": 0}, "steps in [some] is 1 or more"),
        ({"rate": "1"}, "rate in [some] is a number from 0"),
        ({"rate": float("nan")}, "rate in [some] is a number from 0"),
        ({"rate": False}, "rate in [some] is a number from 0"),
        ({"name": 1}, "name in [some] is a text"),
        ({"flip": 1}, "flip in [some] is true or false"),
        ({"sizes": 1}, "sizes in [some] is a list, each a whole number from 0"),
        ({"sizes": [[1]]}, "sizes in [some] is a list, each a whole number from 0"),
        ({"names": "ab"}, "names in [some] is a list, each a text"),
        (["steps"], "[some] is a table of keys and values"),
    ],
)
def test_what_does_not_fit(table: Any, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        fill(Some, "some", table)
    assert str(raised.value) == message
