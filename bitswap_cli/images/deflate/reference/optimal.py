"""libdeflate's near-optimal parser, levels 10 to 12; see native/optimal.c."""

from dataclasses import dataclass, field

from bitswap_cli.images.deflate.parameters import SORTED
from bitswap_cli.images.deflate.reference.alphabet import (
    DISTANCE_EXTRA,
    DISTANCE_SYMBOL,
    DISTANCES,
    FIXED_LENGTHS,
    LENGTH_EXTRA,
    LENGTH_SYMBOL,
    LITERALS,
    MAX_MATCH,
    MIN_MATCH,
    WINDOW,
    distance_of,
    length_of,
    match_of,
    span,
)
from bitswap_cli.images.deflate.reference.libdeflate_finder import NEEDED, NEVER, hash_of, nice_at
from bitswap_cli.images.deflate.reference.run import Run, common
from bitswap_cli.images.deflate.reference.splitting import (
    SOFT_BLOCK,
    Observations,
    distance_between,
    kind_of_literal,
    kind_of_match,
    least_by_values,
    least_match,
    soft_end,
)
from bitswap_cli.images.deflate.reference.trees import Head, Tally, plan_head

_SCALE = 16  # of prices, in parts of a bit
_UNUSED_LITERAL, _UNUSED_LENGTH, _UNUSED_DISTANCE = 13, 13, 10  # bits
_CACHE = 5 * SOFT_BLOCK  # matches and positions of a segment
_NO_WAY = 1 << 31  # the price behind a segment's end
_UNKNOWN = 1 << 60  # bits


class Trees:
    """All matches at all positions: trees of strings by the hash of four bytes, and the last two
    positions by that of three.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._third = [[NEVER, NEVER] for _ in range(1 << 16)]
        self._roots = [NEVER] * (1 << 16)
        self._sons = [[NEVER, NEVER] for _ in range(WINDOW)]  # the lower and the higher string

    def enter(self, p: int, wanted: bool) -> list[int]:
        """Enter the next position; its matches of ascending lengths, if they are wanted."""
        run, nice = self._run, nice_at(self._run, p)
        if run.reach(p) < NEEDED:
            return []
        data, three, four = run.data, hash_of(run.data, p, 3, 16), hash_of(run.data, p, 4, 16)
        recent = [at for at in self._third[three] if at > p - WINDOW]
        matches = [at for at in recent if data[at : at + 3] == data[p : p + 3]][:1]
        found = [match_of(MIN_MATCH, p - at) for at in matches if wanted]
        self._third[three] = [p, self._third[three][0]]
        at, self._roots[four] = self._roots[four], p
        most = run.reach(p) if wanted else nice
        return found + self._descend(p, at, most, nice, wanted)

    def _descend(self, p: int, at: int, most: int, nice: int, wanted: bool) -> list[int]:
        data, depth, found = self._run.data, self._run.chain, list[int]()
        lower = higher = self._sons[p % WINDOW]
        low, high = 0, 1  # which son of these
        below = above = length = 0
        best = MIN_MATCH
        while at > p - WINDOW and depth:
            sons = self._sons[at % WINDOW]
            length += common(data, p + length, at + length, most - length)
            longer = wanted and length > best
            if longer:
                best = length
                found.append(match_of(length, p - at))
            if length >= nice and (longer or not wanted):
                lower[low], higher[high] = sons
                return found
            if data[at + length] < data[p + length]:
                lower[low] = at
                lower, low, at = sons, 1, sons[1]
                below = length
            else:
                higher[high] = at
                higher, high, at = sons, 0, sons[0]
                above = length
            length = min(below, above)
            depth -= 1
        lower[low] = higher[high] = NEVER
        return found


def _logarithm(dividend: int, divisor: int) -> int:
    """floor(16 log2(dividend / divisor)), at least 0: the last k with 2^k below its 16th power."""
    return (dividend**16 // divisor**16).bit_length() - 1


@dataclass
class _Prices:
    """What symbols cost, with their extra bits."""

    literal: list[int]
    length: list[int]
    distance: list[int]

    def blended(self, fresh: "_Prices", part: int) -> "_Prices":
        """So many eighths of fresh prices, and the rest of these."""
        pairs = zip(vars(self).values(), vars(fresh).values(), strict=True)
        return _Prices(*(
            [(part * b + (8 - part) * a) // 8 for a, b in zip(old, new, strict=True)]
            for old, new in pairs
        ))  # fmt: skip


def _prices(literal: list[int], length: list[int], distance: list[int]) -> _Prices:
    """Prices by those of the codes of literals, of lengths and of distances."""
    lengths = [0] * MIN_MATCH
    for symbol in map(LENGTH_SYMBOL.__getitem__, range(MIN_MATCH, MAX_MATCH + 1)):
        lengths.append(length[symbol] + _SCALE * LENGTH_EXTRA[symbol])
    extra = zip(distance, DISTANCE_EXTRA, strict=True)
    return _Prices(literal, lengths, [price + _SCALE * bits for price, bits in extra])


def _by_lengths(literals: list[int], distances: list[int]) -> _Prices:
    """Prices by code lengths."""
    literals = (literals + [0] * LITERALS)[:LITERALS]
    distances = (distances + [0] * DISTANCES)[:DISTANCES]
    return _prices(
        [_SCALE * (bits or _UNUSED_LITERAL) for bits in literals[:256]],
        [_SCALE * (bits or _UNUSED_LENGTH) for bits in literals[257:]],
        [_SCALE * (bits or _UNUSED_DISTANCE) for bits in distances],
    )


_FIXED = _by_lengths(FIXED_LENGTHS[:LITERALS], [5] * DISTANCES)


@dataclass
class _Matches:
    """How many matches of each length were observed, since the last look and before."""

    fresh: list[int] = field(default_factory=lambda: [0] * (MAX_MATCH + 1))
    seen: list[int] = field(default_factory=lambda: [0] * (MAX_MATCH + 1))

    def merge(self) -> None:
        self.seen = [a + b for a, b in zip(self.seen, self.fresh, strict=True)]
        self.fresh = [0] * (MAX_MATCH + 1)


class Optimal:
    """The cheapest way through segments.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run, self._trees = run, Trees(run)
        self._passes, self._gain, self._as_fixed = run.good, run.lazy, run.feed
        self._matches: list[list[int]] = []  # of positions from `start` on
        self._start = self._end = 0
        self._now, self._before, self._lengths = Observations(), Observations(), _Matches()
        self._price = _FIXED
        self._steps: list[int] = []  # tokens of the segment's positions
        self._cost = 0
        self._only_literals = False
        self._head, self._prev, self._named = [NEVER] * (1 << 15), [NEVER] * WINDOW, 0

    def _name(self, end: int) -> None:
        """Chain positions up to `end` to the last ones of the same three bytes, to name distances
        by."""
        for p in range(self._named, min(end, self.run.size - NEEDED + 1)):
            slot = hash_of(self.run.data, p, 3, 15)
            self._prev[p % WINDOW], self._head[slot] = self._head[slot], p
        self._named = end

    def go(self) -> None:
        """Settle all tokens."""
        run, p = self.run, 0
        while not run.done:
            while self._end <= p < run.size:
                self._next_segment()
            self._name(p + 1)
            run.split.limit = self._end
            token = self._steps[p - self._start] if p < run.size else 0
            p += span(run.settle(p, token, token != 0, self._prev))

    def _next_segment(self) -> None:
        self._matches = self._matches[self._end - self._start :]
        self._start = self._end
        changed = self._gather()
        if not changed:
            self._merge()
        self._parse()
        self._before, self._now = self._now, Observations()
        lengths, self._lengths = self._lengths, _Matches()
        if changed:  # what is fresh belongs to the next one
            self._now.fresh, self._lengths.fresh = self._before.fresh, lengths.fresh

    def _merge(self) -> None:
        self._now.merge()
        self._lengths.merge()

    def _advance(self, wanted: bool) -> int:
        """Enter the next position; its longest match, 0 if there is none."""
        self._matches.append(self._trees.enter(self._start + len(self._matches), wanted))
        return length_of(self._matches[-1][-1]) if self._matches[-1] else 0

    def _gather(self) -> bool:
        """Look for matches until the segment's end is known; whether data changed there."""
        run, start, looked = self.run, self._start, 0
        limit = soft_end(start, run.size, SOFT_BLOCK)
        least = MAX_MATCH + 1
        if not self._only_literals:
            least = least_match(run.data, start, limit, run.chain)
        observed = p = start + len(self._matches)
        cached = sum(1 + len(found) for found in self._matches)
        while True:
            longest, before = self._advance(True), len(self._matches)
            if p >= observed and longest >= least:
                self._now.observe(kind_of_match(longest))
                self._lengths.fresh[longest] += 1
                observed = p + longest
            elif p >= observed:
                self._now.observe(kind_of_literal(run.data[p]))
            if longest >= max(MIN_MATCH, nice_at(run, p)):
                for _ in range(longest - 1):
                    self._advance(False)
            cached += len(self._matches[before - 1]) + 1 + len(self._matches) - before
            self._end = p = start + len(self._matches)
            if p >= limit or cached >= _CACHE:
                return False
            if self._now.time_to_look(start, p, run.size):
                if self._now.differs(p - start):
                    self._end = looked
                    return True
                self._merge()
                looked = p

    def _default_prices(self) -> _Prices:
        """Prices by how many values literals have, and about how many matches there are."""
        part, depth = self.run.data[self._start : self._end], self.run.chain
        values = sum(part.count(byte) > len(part) >> 11 for byte in set(part)) or 1
        lengths = range(least_by_values(values, depth), MAX_MATCH + 1)
        matches = sum(self._lengths.seen[length] for length in lengths)
        literals = max(0, len(part) - sum(k * self._lengths.seen[k] for k in lengths))
        if matches > literals:
            share, length = 1, 84
        else:
            share, length = (2, 93) if 4 * matches > literals else (3, 109)
        literal = _logarithm(4 * values, share)
        return _prices([literal] * 256, [length] * 29, [78] * DISTANCES)

    def _first_prices(self) -> _Prices:
        """Those of the segment before, the more of the default ones the more it differs."""
        fresh, one, other = self._default_prices(), self._before.seen, self._now.seen
        difference, most = distance_between(one, other), sum(one) * sum(other) * 200 // 512
        if not self._start or difference > 3 * most:
            return fresh
        if 4 * difference > 9 * most:
            return self._price.blended(fresh, 6)
        if 2 * difference > 3 * most:
            return self._price.blended(fresh, 5)
        return self._price.blended(fresh, 4 if 2 * difference > most else 2)

    def _find_way(self) -> tuple[Tally, Head]:
        """Find the cheapest way by the prices, and plan its head."""
        size, price = self._end - self._start, self._price
        costs = [0] * size + [0] + [_NO_WAY] * MAX_MATCH
        self._steps = [0] * size
        for i in range(size - 1, -1, -1):
            best = price.literal[self.run.data[self._start + i]] + costs[i + 1]
            length = MIN_MATCH
            for match in self._matches[i]:
                far = price.distance[DISTANCE_SYMBOL[distance_of(match)]]
                while length <= length_of(match):
                    cost = far + price.length[length] + costs[i + length]
                    if cost < best:
                        best, self._steps[i] = cost, match_of(length, distance_of(match))
                    length += 1
            costs[i] = best
        self._cost = costs[0]
        return self._plan()

    def _plan(self) -> tuple[Tally, Head]:
        tokens, at = list[int](), 0
        while at < len(self._steps):
            tokens.append(self._steps[at])
            at += span(self._steps[at])
        tally = Tally(self.run.data, self._start, tokens)
        return tally, plan_head(tally, SORTED)

    def _parse(self) -> None:
        """Settle on the tokens of the segment."""
        literals_only, head = self._without_matches()
        fixed = best = _UNKNOWN
        if self._end - self._start <= self._as_fixed:
            kept, self._price = self._price, _FIXED
            self._find_way()
            fixed, self._price = self._cost // _SCALE + 7, kept
        self._price = kept = self._first_prices()
        cost = 0
        for _ in range(self._passes):
            tally, head = self._find_way()
            cost = tally.dynamic_bits(head)
            if cost + self._gain > best:
                break
            best, kept = cost, self._price
            self._price = _by_lengths(head.literals, head.distances)
        self._only_literals = literals_only < min(best, fixed)
        if self._only_literals:
            _, head = self._without_matches()
            self._price = _by_lengths(head.literals, head.distances)
        elif fixed < best:
            self._price = _FIXED
            self._find_way()
        elif cost >= best + self._gain:
            self._price = kept
            _, head = self._find_way()
            self._price = _by_lengths(head.literals, head.distances)

    def _without_matches(self) -> tuple[int, Head]:
        """Bits of the segment by literals alone, which become its tokens, and its head."""
        self._steps = [0] * (self._end - self._start)
        tally, head = self._plan()
        return tally.dynamic_bits(head), head
