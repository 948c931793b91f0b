"""zlib-ng's match finders; see native/zlibng.c."""

from dataclasses import dataclass, replace

from bitswap_cli.images.deflate.parameters import (
    FILTERED,
    NG_2_2,
    NG_EARLY,
    NG_FAST,
    NG_LAZY,
    NG_MEDIUM,
    NG_QUICK,
)
from bitswap_cli.images.deflate.reference.alphabet import (
    LOOKAHEAD,
    MAX_MATCH,
    MIN_MATCH,
    distance_of,
    length_of,
    match_of,
    span,
)
from bitswap_cli.images.deflate.reference.run import Run, common

_WANTED = 4
_LONG_CHAIN = 1024


@dataclass
class Held:
    """A match as medium holds it.

    Attributes
    ----------
    start, origin, source : int
        Where it starts; the first position that it may enter behind that; where it comes from.
    length : int
        1 for a literal, 0 for none.
    """

    start: int = 0
    origin: int = 0
    source: int = 0
    length: int = 0


class NgFinder:
    """Chains of four bytes, or of three where the search is long, and the window behind them.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._window = 1 << run.window_bits
        self._farthest = self._window - LOOKAHEAD
        self._three = run.predictor == NG_LAZY and run.chain > _LONG_CHAIN
        self._head = [0] * (1 << 16)
        self._prev = [0] * self._window
        self._finishing = run.feed == 0
        self._given = run.size if self._finishing else 0
        self._base = self._seen = 0
        self._log: list[tuple[int, int, int, int]] = []

    def go(self) -> None:
        """Run as the predictor says."""
        kinds = {
            NG_QUICK: self._quick, NG_FAST: self._fast,
            NG_MEDIUM: self._medium, NG_LAZY: self._lazy,
        }  # fmt: skip
        kinds[self.run.predictor]()

    def _three_bytes(self, p: int) -> int:
        a, b, c = self.run.data[p : p + 3]
        return (a << 10 ^ b << 5 ^ c) & 0x7FFF

    def _slot(self, p: int) -> int:
        if self._three:
            return self._three_bytes(p)
        value = int.from_bytes(self.run.data[p : p + 4], "little")
        return (value * 2654435761 & 0xFFFFFFFF) >> 16

    def _enter(self, p: int) -> int:
        """Enter a position unless it heads its chain; return what headed it before."""
        slot, place = self._slot(p), p % self._window
        before = self._head[slot]
        if before != p:
            self._log.append((place, self._prev[place], slot, before))
            self._prev[place], self._head[slot] = before, p
        return before

    def _take_back(self, logged: int) -> None:
        while len(self._log) > logged:
            place, previous, slot, head = self._log.pop()
            self._prev[place], self._head[slot] = previous, head

    def _fill(self, p: int) -> None:
        while True:
            room = self._base + 2 * self._window - self._seen
            if p - self._base >= self._window + self._farthest:
                self._base += self._window
                room += self._window
            if self._given == self._seen:
                return
            self._seen += min(self._given - self._seen, room)
            if self._seen - p >= MIN_MATCH and not self._three and p > self._base:
                self._enter(p - 1)
            if self._seen - p >= LOOKAHEAD:
                return

    def _look_ahead(self, p: int) -> bool:
        """Have enough ahead of p, unless the data ends; whether the window was filled."""
        if self._seen - p >= LOOKAHEAD:
            return False
        self._fill(p)
        while self._seen - p < LOOKAHEAD and not self._finishing:
            left = self.run.size - self._given
            self._given += min(left, self.run.feed)
            self._finishing = not left
            self._fill(p)
        return True

    def _near(self, p: int, at: int) -> bool:
        return 0 < at < p and p - at <= self._farthest

    def _alike(self, a: int, b: int, best: int) -> bool:
        size = 2 if best < 4 else 4 if best < 8 else 8
        far, data = best + 1 - size, self.run.data
        return (
            data[a + far : a + far + size] == data[b + far : b + far + size]
            and data[a : a + size] == data[b : b + size]
        )

    def _longest(self, p: int, at: int, best: int, early: bool) -> int:
        """The longest match at p from `at` on that is longer than `best`, or 0."""
        run, found = self.run, 0
        chain = run.chain >> 2 if best >= run.good else run.chain
        ahead, limit = self._seen - p, max(p - self._farthest, 0)
        while at < p:
            if self._alike(p, at, best):
                length = common(run.data, p, at, MAX_MATCH)
                if length > best:
                    found = p - at
                    if length >= ahead:
                        return match_of(ahead, found)
                    best = length
                    if best >= run.nice:
                        break
                elif early:
                    break
            chain -= 1
            at = self._prev[at % self._window]
            if not chain or at <= limit:
                break
        return match_of(best, found) if found else 0

    def _longest_slow(self, p: int, at: int, best: int) -> int:
        """As `_longest`, going over to the chain of a later byte where it goes back farther."""
        run, found, offset = self.run, 0, 0
        chain = run.chain >> 2 if best >= run.good else run.chain
        ahead, base = self._seen - p, max(p - self._farthest, 0)
        for i in range(3, best + 1):
            head = self._head[self._three_bytes(p + i - 2)]
            if head < at:
                offset, at = i - 2, head
        if best >= MIN_MATCH and at <= base + offset:
            return 0
        while at < p:
            if self._alike(p, at - offset, best):
                length = common(run.data, p, at - offset, MAX_MATCH)
                if length > best:
                    found = p - (at - offset)
                    if length >= ahead:
                        return match_of(ahead, found)
                    best = length
                    if best >= run.nice:
                        break
                    if length > MIN_MATCH and at - offset + length < p:
                        moved = self._farther(p, at - offset, length, base)
                        if moved is None:
                            break
                        at, offset = moved
                        continue
            chain -= 1
            at = self._prev[at % self._window]
            if not chain or at <= base + offset:
                break
        return match_of(best, found) if found else 0

    def _farther(self, p: int, at: int, length: int, base: int) -> tuple[int, int] | None:
        """Behind a match at `at`: the next position and its offset, None if the search ends."""
        farther, offset = at, 0
        for i in range(length - MIN_MATCH + 1):
            before = self._prev[(at + i) % self._window]
            if before < farther:
                if before <= base + i:
                    return None
                farther, offset = before, i
        head = self._head[self._three_bytes(p + length - 4)]
        if head < farther:
            farther, offset = head, length - 4
            if head <= base + offset:
                return None
        return farther, offset

    def _quick(self) -> None:
        run, p = self.run, 0
        while not run.done:
            self._log.clear()
            self._look_ahead(p)
            candidate = 0
            if self._seen - p >= _WANTED:
                at = self._enter(p)
                if at < p and p - at <= self._farthest:
                    length = common(run.data, p, at, run.reach(p))
                    candidate = match_of(length, p - at) if length >= _WANTED else 0
            p += span(run.settle(p, candidate, candidate != 0, self._prev))

    def _fast(self) -> None:
        run, p = self.run, 0
        while not run.done:
            self._log.clear()
            self._look_ahead(p)
            candidate = 0
            if self._seen - p >= _WANTED:
                at = self._enter(p)
                if self._near(p, at):
                    candidate = self._longest(p, at, MIN_MATCH - 1, True)
                if length_of(candidate) < _WANTED:
                    candidate = 0
            truth = run.settle(p, candidate, candidate != 0, self._prev)
            end = p + span(truth)
            if truth:
                all_of_it = length_of(truth) <= run.lazy and self._seen - end >= _WANTED
                for inside in range(p + 1 if all_of_it else end - 1, end):
                    self._enter(inside)
            p = end

    def _hold(self, p: int, at: int) -> Held:
        if self._near(p, at):
            match = self._longest(p, at, MIN_MATCH - 1, bool(self.run.flags & NG_EARLY))
            if length_of(match) >= _WANTED:
                return Held(p, p, p - distance_of(match), length_of(match))
        return Held(p, p, 0, 1)

    def _enter_match(self, p: int, held: Held) -> None:
        if self._seen - p <= held.length + _WANTED or held.length < _WANTED:
            return
        end = held.start + held.length
        all_of_it = self.run.flags & NG_2_2 or held.length <= 16 * self.run.lazy
        for inside in range(max(held.start + 1, held.origin) if all_of_it else end - 1, end):
            self._enter(inside)

    def _fizzle(self, current: Held, later: Held) -> tuple[Held, Held]:
        """Move the later match to the left over all but a byte of the current one, if it fits."""
        data, back = self.run.data, current.length - 1
        if back < 1 or back > later.source - self._base:
            return current, later
        if data[later.source - back] != data[later.start - back]:
            return current, later
        c, n = replace(current), replace(later)
        limit = self._base + max(n.start - self._base - self._farthest, 0)
        while (
            data[n.source - 1] == data[n.start - 1]
            and c.length >= 1
            and n.start > limit
            and n.length < 256
            and n.source - self._base > 1
        ):
            n.start, n.source, n.length = n.start - 1, n.source - 1, n.length + 1
            c.length -= 1
        if n.start == later.start or c.length > 1 or n.length == 2:
            return current, later
        n.origin += 1
        return c, n

    def _medium(self) -> None:
        run, p, later = self.run, 0, Held()
        looks = not run.flags & NG_EARLY
        while not run.done:
            self._log.clear()
            if self._look_ahead(p):
                later = Held()
            if looks and later.length:
                current = later
            else:
                current = self._hold(p, self._enter(p) if self._seen - p >= _WANTED else 0)
            later, logged, origin = Held(), len(self._log), current.origin
            is_match = current.length >= _WANTED
            candidate = match_of(current.length, current.start - current.source) * is_match
            self._enter_match(p, current)
            end = p + current.length
            room = end - self._base < 2 * self._window - LOOKAHEAD
            if looks and self._seen - p > LOOKAHEAD and room:
                later = self._hold(end, self._enter(end))
                if later.length >= _WANTED:
                    current, later = self._fizzle(current, later)
            if not current.length:
                continue
            predicted = candidate if current.length >= _WANTED else 0
            truth = run.settle(p, candidate, predicted != 0, self._prev)
            if truth != predicted:
                self._take_back(logged)
                later = Held()
                self._enter_match(p, Held(p, origin, 0, span(truth)))
            p += span(truth)

    def _lazy(self) -> None:
        run, p, carried, known, entered = self.run, 0, 0, False, 0
        while not run.done:
            self._log.clear()
            found = [carried if known else 0, 0]
            for ahead in range(int(known), 2):
                at, head = p + ahead, 0
                best = length_of(found[0]) if ahead and found[0] else MIN_MATCH - 1
                if ahead and (not found[0] or at >= run.size):
                    break
                self._look_ahead(at)
                if self._seen - at >= _WANTED:
                    head = self._enter(at) if entered <= at else self._prev[at % self._window]
                entered = max(entered, at + 1)
                if best >= run.lazy or not self._near(at, head):
                    continue
                if self._three:
                    match = self._longest_slow(at, head, best)
                else:
                    match = self._longest(at, head, best, False)
                if length_of(match) > 5 * bool(run.flags & FILTERED) and length_of(match) > best:
                    found[ahead] = match
            truth = run.settle(p, found[0], bool(found[0] and not found[1]), self._prev)
            known, carried = bool(not truth and found[1]), found[1]
            end = p + span(truth)
            if truth:
                for inside in range(entered, min(end, run.size - MIN_MATCH + 1)):
                    self._enter(inside)
                entered = max(entered, end)
            p = end
