"""Print the map of the house: rooms with files, lines and floors; circles; broken doors.

python -m tests.structure.map
"""

from tests.structure import house
from tests.structure.plan import MANY_FILES, MOST_FILES


def main() -> None:
    """Print it."""
    edges = house.imports()
    depth = house.floors(edges)
    print(f"{'room':34}{'files':>6}{'lines':>7}{'longest':>9}  floors")
    for room, files in sorted(house.rooms().items()):
        sizes = [house.lines(module.path) for module in files]
        stories = [depth[module.name] for module in files]
        full = len(files) > MOST_FILES and room not in MANY_FILES
        print(
            f"{room:34}{len(files):6}{sum(sizes):7}{max(sizes):9}"
            f"  {min(stories)}..{max(stories)}{'  TOO MANY FILES' if full else ''}"
        )
    print(f"{len(edges)} files, {max(depth.values())} floors")
    circles = house.circles(edges)
    print(f"circles: {len(circles) or 'none'}")
    for circle in circles:
        print("  " + " ".join(sorted(circle)))
    broken = house.broken()
    print(f"broken doors: {len(broken) or 'none'}")
    for (room, other), modules in sorted(broken.items()):
        print(f"  {room} -> {other}: {', '.join(modules)}")


if __name__ == "__main__":
    main()
