"""Rooms, files and functions are small."""

from tests.structure import house, plan


def too_long() -> dict[str, int]:
    """Files and functions, and how many lines they have."""
    found = {}
    for path in house.python_files():
        name = path.relative_to(house.ROOT).as_posix()
        if (count := house.lines(path)) > plan.MOST_LINES:
            found[name] = count
        for function, count in house.functions(path):
            if count > plan.MOST_FUNCTION:
                found[f"{name}:{function}"] = count
    return found


def test_files_and_functions_are_short() -> None:
    found = too_long()
    assert {name: count for name, count in found.items() if name not in plan.LONG} == {}
    assert sorted(plan.LONG.keys() - found.keys()) == [], "mended: take them off the plan"


def test_rooms_have_few_files() -> None:
    counts = {room: len(files) for room, files in house.rooms().items()}
    full = {room: count for room, count in counts.items() if count > plan.MOST_FILES}
    assert full.keys() <= set(plan.MANY_FILES), full
