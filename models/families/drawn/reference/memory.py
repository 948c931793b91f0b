"""What was seen before in a chunk: which colours followed a context, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitswap_cli.mixing.mixing import FRESH, mingle
from bitswap_cli.mixing.tables import COUNTS

MEMORIES = 6
MOST_CHANGES = 1 << 18  # that a compiled kernel keeps of what is held: 9 MB


@dataclass
class Followed:
    """The last two colours that followed a context, and how often they did so without a break."""

    check: int = 0
    first: int = 0
    second: int = 0
    run: int = 0
    again: int = 0

    def become(self, check: int) -> None:
        """Be another context's, which nothing has followed."""
        self.check, self.first, self.second, self.run, self.again = check, 0, 0, 0, 0

    def follow(self, colour: int) -> None:
        """Let a colour follow."""
        if self.run and self.first == colour:
            self.run = min(self.run + 1, 255)
            return
        known = self.again and self.second == colour
        self.again = min(self.again + 1, 3) if known else int(self.run > 0)
        self.first, self.second, self.run = colour, self.first, 1


@dataclass(frozen=True)
class Place:
    """Where in the chunk colours stand that a picture repeats, how far it is to the next row there,
    and how long it has been right."""

    at: int
    stride: int
    run: int = 0


@dataclass
class Memory:
    """Hashed tables: an entry belongs to the context that asked for it last. Where there are two
    ways, a context has its own entry, by its hash, or the one beside that: which of them is its
    own, else the one that was used less, else its own."""

    bits: int
    ways: int
    changes: int = 0
    """How often an entry was asked for that may be written."""
    _followed: dict[tuple[int, int], Followed] = field(default_factory=dict)
    _stood: dict[int, tuple[int, Place]] = field(default_factory=dict)
    _slots: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def entry(self, k: int, context: int) -> Followed:
        """A context's entry of table k."""
        self.changes += 1
        h = mingle(context, k)
        places = self._ways(h >> (32 - self.bits))
        own, other = (self._followed.setdefault((k, at), Followed()) for at in places)
        if own.check != h | 1 and (other.check == h | 1 or other.run < own.run):
            own = other
        if own.check != h | 1:
            own.become(h | 1)
        return own

    def stood(self, context: int) -> Place | None:
        """Where a context stood last."""
        check, place = self._stood.get(context >> (32 - self.bits), (None, None))
        return place if check == context else None

    def stand(self, context: int, place: Place) -> None:
        """Say where it stands."""
        self.changes += 1
        self._stood[context >> (32 - self.bits)] = context, place

    def bucket(self, h: int) -> list[int]:
        """A check and the 15 nodes of half a value."""
        return self._checked("bucket", h, 16)

    def slot(self, h: int) -> list[int]:
        """A check and a slot."""
        return self._checked("slot", h, 2)

    def _ways(self, place: int) -> tuple[int, int]:
        """Return where an entry may lie, its own place first."""
        return place, place ^ (self.ways - 1)

    def _checked(self, kind: str, h: int, size: int) -> list[int]:
        self.changes += 1
        check = (h | 1) & 0xFFFF
        places = self._ways(h >> (30 - self.bits))
        found, other = (self._slots.setdefault((kind, at), [0] * size) for at in places)
        if found[0] != check and (other[0] == check or other[1] % COUNTS < found[1] % COUNTS):
            found = other
        if found[0] != check:
            found[:] = [check] + [FRESH] * (size - 1)  # whoever holds it sees it change
        return found
