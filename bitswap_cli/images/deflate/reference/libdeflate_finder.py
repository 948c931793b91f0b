"""libdeflate's match finders and parsers of levels 1 to 9; see native/libdeflate.c."""

from bitswap_cli.images.deflate.parameters import LD_GREEDY, LD_HASHED, LD_LAZIER
from bitswap_cli.images.deflate.reference.alphabet import (
    MIN_MATCH,
    WINDOW,
    distance_of,
    length_of,
    match_of,
    span,
)
from bitswap_cli.images.deflate.reference.run import Run, common
from bitswap_cli.images.deflate.reference.splitting import least_by_values, least_match

NEEDED = 5  # bytes that a search needs
NEVER = -WINDOW  # no position


def hash_of(data: bytes, p: int, count: int, bits: int) -> int:
    """The hash of so many bytes at p; at position 0 it is 0."""
    if not p:
        return 0
    product = int.from_bytes(data[p : p + count], "little") * 0x1E35A7BD
    return (product & 0xFFFFFFFF) >> (32 - bits)


def nice_at(run: Run, p: int) -> int:
    """The length that ends a search."""
    nice: int = min(run.nice, run.reach(p))
    return nice


def _better(later: int, match: int, more: int) -> bool:
    """Whether a later match is worth one literal, `more` being 2, or two literals, for 6."""
    if not later:
        return False
    nearer = distance_of(match).bit_length() - distance_of(later).bit_length()
    return 4 * (length_of(later) - length_of(match)) + nearer > more


class LibdeflateFinder:
    """Two positions a hash (level 1), or chains of four bytes and the last position of three.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._table = [[NEVER, NEVER] for _ in range(1 << 15)]
        self._head, self._third = [NEVER] * (1 << 16), [NEVER] * (1 << 15)
        self._prev, self._before = [NEVER] * WINDOW, [NEVER] * WINDOW
        self._inserted = self._recount = 0
        self._block, self._least = -1, MIN_MATCH

    def go(self) -> None:
        """Run as the level does."""
        if self.run.predictor == LD_HASHED:
            self._hashed()
        elif self.run.predictor == LD_GREEDY:
            self._greedy()
        else:
            self._lazy()

    def _hashed(self) -> None:
        run, p = self.run, 0
        while not run.done:
            candidate = best = 0
            if run.size - p >= NEEDED:
                for at in self._table[hash_of(run.data, p, 4, 15)]:
                    if at <= p - WINDOW:
                        break
                    length = common(run.data, p, at, run.reach(p))
                    if length > max(best, 3):
                        candidate, best = match_of(length, p - at), length
                        if best >= nice_at(run, p):
                            break
            end = p + span(run.settle(p, candidate, candidate != 0, None))
            while p < end and run.size - p >= NEEDED:
                slot = hash_of(run.data, p, 4, 15)
                self._table[slot] = [p, self._table[slot][0]]
                p += 1
            p = end

    def _insert_to(self, end: int) -> None:
        data = self.run.data
        for p in range(self._inserted, min(end, self.run.size - NEEDED + 1)):
            three, four = hash_of(data, p, 3, 15), hash_of(data, p, 4, 16)
            self._before[p % WINDOW], self._third[three] = self._third[three], p
            self._prev[p % WINDOW], self._head[four] = self._head[four], p
            self._inserted = p + 1

    def _longest(self, p: int, best: int, depth: int) -> int:
        """The longest match at p that is longer than `best`, looking at up to `depth` positions."""
        run, found = self.run, 0
        if run.size - p < NEEDED:
            return 0
        self._insert_to(p + 1)
        third, at = self._before[p % WINDOW], self._prev[p % WINDOW]
        nice = nice_at(run, p)
        if best <= MIN_MATCH:
            if third <= p - WINDOW:
                return 0
            if best < MIN_MATCH and common(run.data, p, third, MIN_MATCH) == MIN_MATCH:
                found = match_of(MIN_MATCH, p - third)
            best = MIN_MATCH
        elif best >= nice:
            return 0
        while at > p - WINDOW and depth:
            length = common(run.data, p, at, run.reach(p))
            if length > best:
                best, found = length, match_of(length, p - at)
                if best >= nice:
                    break
            at = self._prev[at % WINDOW]
            depth -= 1
        return found

    def _worth(self, p: int, farthest: int) -> int:
        """The longest match at p that is long enough to be taken, given how far it is."""
        match = self._longest(p, self._least - 1, self.run.chain)
        far = length_of(match) == MIN_MATCH and distance_of(match) > farthest
        return 0 if length_of(match) < self._least or far else match

    def _begin(self, p: int) -> None:
        """Begin a block, if one begins at p."""
        run = self.run
        if self._block != run.start:
            self._block = run.start
            self._least = least_match(run.data, p, run.split.limit, run.chain)
            self._recount = p + min(run.size - p, 10000)

    def _greedy(self) -> None:
        run, p = self.run, 0
        while not run.done:
            self._begin(p)
            match = self._worth(p, 4096)
            p += span(run.settle(p, match, match != 0, self._prev))
            self._insert_to(p)

    def _count_again(self, p: int) -> None:
        """Find the shortest match worth taking anew, by the literals of the block so far."""
        run, literals = self.run, self.run.split.literals
        rare = sum(literals) >> 10
        self._least = least_by_values(sum(count > rare for count in literals), run.chain)
        self._recount += min(run.size - self._recount, p - run.start)

    def _lazy(self) -> None:
        run, p, later, known = self.run, 0, 0, -1
        while not run.done:
            self._begin(p)
            match = later
            if known != p:
                if p >= self._recount:
                    self._count_again(p)
                match = self._worth(p, 8192)
            later, ahead = self._look_ahead(p, match)
            known = p + ahead if ahead else -1
            run.split.held = ahead > 0
            truth = run.settle(p, match, bool(match and not ahead), self._prev)
            p += span(truth)
            if not truth and ahead == 2 and not run.done:
                run.split.held = True
                p += span(run.settle(p, 0, False, self._prev))
            self._insert_to(p)

    def _look_ahead(self, p: int, match: int) -> tuple[int, int]:
        """A match that is worth one or two literals at p, and how many; else two zeros."""
        run = self.run
        if match and length_of(match) < nice_at(run, p):
            later = self._longest(p + 1, length_of(match) - 1, run.chain >> 1)
            if _better(later, match, 2):
                return later, 1
            if run.predictor == LD_LAZIER:
                later = self._longest(p + 2, length_of(match) - 1, run.chain >> 2)
                if _better(later, match, 6):
                    return later, 2
        return 0, 0
