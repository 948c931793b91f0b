"""Doors open downwards only, and nobody goes in circles."""

import pytest

from tests.structure import house, plan


def test_the_house_has_the_rooms_of_the_plan() -> None:
    assert set(map(house.room_of, house.modules())) == plan.DOORS.keys() - plan.PLANNED


def test_the_plan_itself_has_no_circle() -> None:
    edges = {room: set(others) for room, others in plan.DOORS.items()}
    assert [circle for circle in house.circles(edges) if len(circle) > 1] == []


def test_doors_are_kept() -> None:
    broken = house.broken()
    new = {door: modules for door, modules in broken.items() if door not in plan.BROKEN}
    assert new == {}, "rooms that are entered from where nobody may (tests/structure/plan.py)"
    assert sorted(plan.BROKEN.keys() - broken.keys()) == [], "mended: take them off the plan"


def test_there_are_no_circles() -> None:
    circles = house.circles(house.imports())
    new = [sorted(circle) for circle in circles if not circle & plan.CIRCLES.keys()]
    assert new == []
    mended = plan.CIRCLES.keys() - set().union(*circles)
    assert sorted(mended) == [], "mended: take them off the plan"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("import a.b\nimport c as d", {"a.b", "c"}),
        ("from a import b, c", {"a.b", "a"}),
        ("def f():\n    from a.b import c", {"a.b"}),
        ("if TYPE_CHECKING:\n    import a.b", {"a.b"}),
        ("FITTED_BY = 'a.b'", set()),
    ],
)
def test_imports_are_seen(text: str, expected: set[str]) -> None:
    assert house.imported(text, {"a", "a.b"}) == expected


def test_circles_and_floors() -> None:
    edges = {"a": "b", "b": "cd", "c": "be", "d": "", "e": "", "f": "f"}
    assert house.circles(edges) == [{"b", "c"}, {"f"}]
    assert house.floors(edges) == {"a": 3, "b": 2, "c": 2, "d": 1, "e": 1, "f": 1}
