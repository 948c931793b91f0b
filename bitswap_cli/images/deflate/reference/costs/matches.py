"""All matches of all positions, in binary trees; see native/costs/matches.c."""

from bitswap_cli.images.deflate.reference.alphabet import MAX_MATCH, MIN_MATCH, WINDOW

_STEPS = 64
Matches = list[tuple[int, int]]
"""Length and distance, the longest for each distance that is the least for some length."""


class MatchFinder:
    """The strings of a window, newer ones nearer the root.

    Parameters
    ----------
    data : bytes
        Without padding.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._roots: dict[int, int] = {}
        self._sons: dict[int, list[int]] = {}
        self._next = self._left = 0

    def find(self, start: int, end: int) -> list[Matches]:
        """Matches of positions start..end - 1, after all before them."""
        while self._next < start:
            self._enter()
        return [self._enter() for _ in range(start, end)]

    def _enter(self) -> Matches:
        p, data = self._next, self._data
        self._next += 1
        most = min(len(data) - p, MAX_MATCH)
        if most < MIN_MATCH:
            return []
        found: Matches = []
        name = (int.from_bytes(data[p : p + 3], "little") * 2654435761 & 0xFFFFFFFF) >> 16
        at, self._roots[name] = self._roots.get(name, -1), p
        own = self._sons[p] = [-1, -1]
        lower, higher = (own, 0), (own, 1)  # where the next such string goes
        below = above = 0
        best = MIN_MATCH - 1
        self._left += _STEPS
        while at >= 0 and p - at <= WINDOW and self._left:
            self._left -= 1
            sons, length = self._sons[at], min(below, above)
            while length < most and data[at + length] == data[p + length]:
                length += 1
            if length > best:
                best = length
                found.append((length, p - at))
                if length == most:
                    lower[0][lower[1]], higher[0][higher[1]] = sons
                    return found
            if data[at + length] < data[p + length]:
                lower[0][lower[1]] = at
                lower, below, at = (sons, 1), length, sons[1]
            else:
                higher[0][higher[1]] = at
                higher, above, at = (sons, 0), length, sons[0]
        lower[0][lower[1]] = higher[0][higher[1]] = -1
        return found
