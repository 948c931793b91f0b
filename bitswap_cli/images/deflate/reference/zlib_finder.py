"""zlib's match finders, and those that look for nothing or for runs; see native/zlib.c."""

from bitswap_cli.images.deflate.parameters import ANY_DISTANCE, FAST, FILTERED, RUNS
from bitswap_cli.images.deflate.reference.alphabet import (
    LOOKAHEAD,
    MIN_MATCH,
    distance_of,
    length_of,
    match_of,
    span,
)
from bitswap_cli.images.deflate.reference.run import Run, common

_TOO_FAR = 4096


def plain(run: Run) -> None:
    """Literals, and matches at distance 1 where the predictor looks for runs."""
    p = 0
    while not run.done:
        candidate = 0
        if run.predictor == RUNS and 0 < p < run.size:
            length = common(run.data, p, p - 1, run.reach(p))
            candidate = match_of(length, 1) if length >= MIN_MATCH else 0
        p += span(run.settle(p, candidate, candidate != 0, None))


class Finder:
    """Chains of three bytes.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._shift = (run.hash_bits + 2) // 3
        self._mask = (1 << run.hash_bits) - 1
        self._head = [0] * (1 << run.hash_bits)
        self._prev = [0] * (1 << run.window_bits)
        self._farthest = len(self._prev) - LOOKAHEAD
        self._inserted = 0

    def go(self) -> None:
        """Run greedily, or lazily."""
        (self._greedy if self.run.predictor == FAST else self._lazy)()

    def _insert(self, p: int) -> None:
        a, b, c = self.run.data[p : p + 3]
        slot = ((a << self._shift ^ b) << self._shift ^ c) & self._mask
        self._prev[p % len(self._prev)] = self._head[slot]
        self._head[slot] = p

    def _insert_to(self, end: int) -> None:
        end = min(end, self.run.size - MIN_MATCH + 1)
        while self._inserted < end:
            self._insert(self._inserted)
            self._inserted += 1

    def _longest(self, p: int, best: int) -> int:
        """The longest match at p that is longer than `best`, or 0."""
        run, found = self.run, 0
        chain = run.chain >> 2 if best >= run.good else run.chain
        most = run.reach(p)
        nice, limit = min(run.nice, most), max(p - self._farthest, 0)
        at = self._prev[p % len(self._prev)]
        if not at or p - at > self._farthest or best >= most:
            return 0
        while True:
            length = common(run.data, p, at, most)
            if length > best:
                best, found = length, p - at
                if length >= nice:
                    break
            at = self._prev[at % len(self._prev)]
            chain -= 1
            if at <= limit or chain <= 0:
                break
        return match_of(best, found) if found else 0

    def _greedy(self) -> None:
        run, p = self.run, 0
        while not run.done:
            candidate = 0
            if run.size - p >= MIN_MATCH:
                self._insert(p)
                candidate = self._longest(p, MIN_MATCH - 1)
            truth = run.settle(p, candidate, candidate != 0, self._prev)
            end = p + span(truth)
            if truth and length_of(truth) <= run.lazy and run.size - end >= MIN_MATCH:
                for inside in range(p + 1, end):
                    self._insert(inside)
            p = end

    def _worth(self, p: int, best: int) -> int:
        """The longest match, unless it is short and far away, or short and strategy filtered."""
        if self.run.size - p < MIN_MATCH:
            return 0
        match, flags = self._longest(p, best), self.run.flags
        if not match or length_of(match) > 5:
            return match
        far = length_of(match) == MIN_MATCH and distance_of(match) > _TOO_FAR
        return 0 if flags & FILTERED or (far and not flags & ANY_DISTANCE) else match

    def _lazy(self) -> None:
        run, p, carried, known = self.run, 0, 0, False
        while not run.done:
            self._insert_to(p + 1)
            candidate = carried if known else self._worth(p, MIN_MATCH - 1)
            later = 0
            if candidate and length_of(candidate) < run.lazy:
                self._insert_to(p + 2)
                later = self._worth(p + 1, length_of(candidate))
            truth = run.settle(p, candidate, bool(candidate and not later), self._prev)
            known, carried = bool(not truth and later), later
            p += span(truth)
            if truth:
                self._insert_to(p)
