"""Where libdeflate ends blocks: it watches kinds of tokens; see native/splitter.h."""

from bitswap_cli.images.deflate.parameters import LD_HASHED, LD_OPTIMAL
from bitswap_cli.images.deflate.reference.alphabet import MIN_MATCH, length_of, span

SOFT_BLOCK, LEAST_BLOCK = 300_000, 5000
_SOFT_QUICK_BLOCK, _MOST_QUICK_MATCHES, _MOST_MATCHES = 65_535, 8192, 50_000
_KINDS, _LOOK = 10, 512


def kind_of_literal(byte: int) -> int:
    """One of eight kinds: the two highest bits and the lowest one."""
    return byte >> 5 & 6 | byte & 1


def kind_of_match(length: int) -> int:
    """A short match, or a long one."""
    return 8 + (length >= 9)


def soft_end(start: int, size: int, most: int) -> int:
    """Where a block that begins at `start` ends if nothing ends it before."""
    return size if size - start < most + LEAST_BLOCK else start + most


def least_by_values(values: int, depth: int) -> int:
    """The shortest match worth taking where so many values of literals occur."""
    steps = ((6, 9), (8, 8), (10, 7), (16, 6), (45, 5), (80, 4), (257, 3))
    least = next(least for below, least in steps if values < below)
    return min(least, 4 if depth < 5 else 5 if depth < 10 else 7 if depth < 16 else 9)


def least_match(data: bytes, start: int, end: int, depth: int) -> int:
    """The same for a block that begins at `start` and ends at `end` at the latest."""
    if end - start < 512:
        return MIN_MATCH
    return least_by_values(len(set(data[start : min(end, start + 4096)])), depth)


class Observations:
    """Kinds of tokens, counted since the last look, and since the block began until then."""

    def __init__(self) -> None:
        self.fresh, self.seen = [0] * _KINDS, [0] * _KINDS

    def observe(self, kind: int) -> None:
        """Count a token."""
        self.fresh[kind] += 1

    def merge(self) -> None:
        """Count to the block what came since the last look."""
        self.seen = [a + b for a, b in zip(self.seen, self.fresh, strict=True)]
        self.fresh = [0] * _KINDS

    def time_to_look(self, start: int, p: int, size: int) -> bool:
        """Whether a block that begins at `start` may end at p."""
        return sum(self.fresh) >= _LOOK and p - start >= LEAST_BLOCK and size - p >= LEAST_BLOCK

    def differs(self, length: int) -> bool:
        """Whether what came since the last look ends a block of so many bytes; else merge it."""
        old, new = sum(self.seen), sum(self.fresh)
        if old:
            difference = distance_between(self.seen, self.fresh)
            most = new * 200 // 512 * old
            if length < 10000 and old + new < 8192:
                most += most * (8192 - old - new) // 8192
            if difference + length // 4096 * old >= most:
                return True
        self.merge()
        return False


def distance_between(one: list[int], other: list[int]) -> int:
    """Sum of the absolute differences of shares, times both sums."""
    a, b = sum(one), sum(other)
    return sum(abs(x * b - y * a) for x, y in zip(one, other, strict=True))


class Splitter:
    """What is counted of a block, and whether it ends.

    Parameters
    ----------
    data : bytes
    size, start : int
        Bytes of all, and where the block begins.
    predictor : int

    Attributes
    ----------
    due : int
        1 if it ends here, 2 if it should have ended before.
    held : bool
        Whether the next token is no place to end one behind.
    limit : int
        Where it ends if nothing ends it before.
    literals : list of int
        How often each occurs.
    """

    def __init__(self, data: bytes, size: int, start: int, predictor: int) -> None:
        self._data, self._size, self._start, self._predictor = data, size, start, predictor
        self._kinds = Observations()
        self._matches = self.due = 0
        self.literals = [0] * 256
        self.held = False
        quick = predictor == LD_HASHED
        self.limit = soft_end(start, size, _SOFT_QUICK_BLOCK if quick else SOFT_BLOCK)

    def watch(self, p: int, truth: int) -> None:
        """Count the token at p, and set `due`."""
        end, held = p + span(truth), self.held
        self.held = False
        if self.due:
            self.due = 2
        elif self._predictor == LD_OPTIMAL:
            self.due = 0 if end < self.limit else 1 if end == self.limit else 2
        else:
            self._matches += truth != 0
            self.literals[self._data[p]] += not truth
            if self._predictor == LD_HASHED:
                self.due = int(end >= self.limit or self._matches >= _MOST_QUICK_MATCHES)
            else:
                kind = kind_of_match(length_of(truth)) if truth else kind_of_literal(self._data[p])
                self._kinds.observe(kind)
                self.due = int(not held and self._ends(end))

    def _ends(self, p: int) -> bool:
        if p >= self.limit or self._matches >= _MOST_MATCHES:
            return True
        look = self._kinds.time_to_look(self._start, p, self._size)
        return look and self._kinds.differs(p - self._start)
