"""The house as it is: modules, what they import, rooms, floors, circles, doors, sizes.

A room is a folder of Python files. Every import counts: those inside functions, and those that only
a type checker sees. A name in a register, of what will be imported when it is needed, is none: that
is how a family of models says who fits it.
"""

import ast
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.structure.plan import DOORS, ONLY_IN

ROOT = Path(__file__).parents[2]
PACKAGES = {"bitswap_cli": "bitswap_cli", "bitswap_models": "models"}  # the product, by folder
OTHERS = ("benchmarks", "tests")
BINARY = {".bsw", ".jpg", ".mutant", ".npz", ".older", ".png", ".recipe", ".safetensors"}

Edges = Mapping[str, Iterable[str]]


class Module(NamedTuple):
    """A file of the product.

    Attributes
    ----------
    name : str
        As it is imported; that of ``__init__.py`` is its folder's.
    path : Path
    ours : frozenset of str
        Modules of ours that it imports.
    libraries : frozenset of str
        All others, by the first part of their names.
    """

    name: str
    path: Path
    ours: frozenset[str]
    libraries: frozenset[str]

    @property
    def room(self) -> str:
        """The folder that it lies in, by the name it is imported under."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


@cache
def modules() -> dict[str, Module]:
    """The files of the product, by name."""
    paths = {}
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            paths[".".join((package, *parts)).removesuffix(".__init__")] = path
    found = {}
    for name, path in paths.items():
        seen = imported(path.read_text("utf-8"), paths.keys()) - {name}
        libraries = {other.partition(".")[0] for other in seen - paths.keys()}
        found[name] = Module(name, path, frozenset(seen & paths.keys()), frozenset(libraries))
    return found


def imported(text: str, known: Collection[str]) -> set[str]:
    """Modules that a file imports, of which those with `known` names are ours."""
    return set(_imported(ast.parse(text), known))


def _imported(tree: ast.AST, known: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(str(module), names, 0):
                inner = (f"{module}.{alias.name}" for alias in names)
                yield from (name if name in known else module for name in inner)
            case ast.ImportFrom():
                raise ValueError(f"line {node.lineno}: imports are absolute here")


def imports() -> dict[str, frozenset[str]]:
    """Modules of ours, and those that each imports."""
    return {name: module.ours for name, module in modules().items()}


def rooms() -> dict[str, list[Module]]:
    """Files by room."""
    found: dict[str, list[Module]] = {}
    for module in modules().values():
        found.setdefault(module.room, []).append(module)
    return found


def circles(edges: Edges) -> list[set[str]]:
    """Sets of nodes that reach each other, the largest first."""
    reached: dict[str, set[str]] = {}
    for node in edges:
        ahead, seen = list(edges[node]), set[str]()
        while ahead:
            other = ahead.pop()
            if other not in seen:
                seen.add(other)
                ahead += edges[other]
        reached[node] = seen
    found: list[set[str]] = []
    for node, seen in reached.items():
        if node in seen and not any(node in circle for circle in found):
            found.append({other for other in seen if node in reached[other]})
    return sorted(found, key=len, reverse=True)


def floors(edges: Edges) -> dict[str, int]:
    """How far down one can go from each node, one door after another; a circle is one floor."""
    circle_of = {node: n for n, circle in enumerate(circles(edges)) for node in circle}
    depth: dict[str, int] = {}

    def down(node: str) -> int:
        if node not in depth:
            number = circle_of.get(node)
            together = (
                [node] if number is None else [n for n in edges if circle_of.get(n) == number]
            )
            below = {other for one in together for other in edges[one]} - set(together)
            depth.update(dict.fromkeys(together, 1 + max(map(down, below), default=0)))
        return depth[node]

    return {node: down(node) for node in edges}


def room_of(name: str) -> str:
    """The room of the plan that a module belongs to."""
    return max((room for room in DOORS if f"{name}.".startswith(f"{room}.")), key=len)


def broken() -> dict[tuple[str, str], list[str]]:
    """Doors that nobody may use, and who does: (room, room or library) -> modules."""
    found: dict[tuple[str, str], list[str]] = {}
    for module in modules().values():
        room = room_of(module.name)
        for other in sorted({room_of(name) for name in module.ours} - {room, *DOORS[room]}):
            found.setdefault((room, other), []).append(module.name)
        for library in sorted(module.libraries & ONLY_IN.keys()):
            if room not in ONLY_IN[library]:
                found.setdefault((room, library), []).append(module.name)
    return found


@cache
def tracked() -> list[str]:
    """The files of the project, by name: those that git knows, or all where there is no git."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        tops = (ROOT / top for top in (*PACKAGES.values(), *OTHERS, "docs"))
        below = [path for top in tops for path in top.rglob("*") if "__pycache__" not in path.parts]
        return sorted(str(path.relative_to(ROOT)) for path in below if path.is_file())
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def python_files() -> list[Path]:
    """All files of Python, those of tests and benchmarks too."""
    tops = (*PACKAGES.values(), *OTHERS)
    return [
        ROOT / "setup.py",
        *(path for top in tops for path in sorted((ROOT / top).rglob("*.py"))),
    ]


def lines(path: Path) -> int:
    """How many lines a file has."""
    return len(path.read_text("utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a file, and how many lines each has, decorators aside."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.name, node.end_lineno - node.lineno + 1
