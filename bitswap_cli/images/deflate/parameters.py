"""What a predictor is set to: its kind, how hard it searches, its window, how it was fed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError

# Predictors, in the order that the kernel knows.
NOTHING, RUNS, FAST, LAZY, NG_QUICK, NG_FAST, NG_MEDIUM, NG_LAZY = range(8)
LD_HASHED, LD_GREEDY, LD_LAZY, LD_LAZIER, LD_OPTIMAL = range(8, 13)
# Flags of a predictor.
FILTERED, FIXED_ONLY, NG_2_2, ANY_DISTANCE, NG_EARLY, SORTED = 1, 2, 4, 8, 16, 32

UNSPLIT = 1 << 40  # tokens of a block that never is full
MAX_CHAIN = 4096

# Families: a zlib and its levels.
LITERALS, RUN_LENGTHS, ZLIB, ZLIB_NG, ZLIB_NG_2_2, FREE, LIBDEFLATE, COSTS = range(8)

# level: predictor, good, lazy, nice, chain (deflate.c's configuration_table)
_ZLIB = {
    1: (FAST, 4, 4, 8, 4),
    2: (FAST, 4, 5, 16, 8),
    3: (FAST, 4, 6, 32, 32),
    4: (LAZY, 4, 4, 16, 16),
    5: (LAZY, 8, 16, 32, 32),
    6: (LAZY, 8, 16, 128, 128),
    7: (LAZY, 8, 32, 128, 256),
    8: (LAZY, 32, 128, 258, 1024),
    9: (LAZY, 32, 258, 258, 4096),
}
_ZLIB_NG = {
    1: (NG_QUICK, 0, 0, 0, 1),
    2: (NG_FAST, 4, 4, 8, 4),
    3: (NG_MEDIUM, 4, 6, 16, 6),
    4: (NG_MEDIUM, 4, 12, 32, 24),
    5: (NG_MEDIUM, 8, 16, 32, 32),
    6: (NG_MEDIUM, 8, 16, 128, 128),
    7: (NG_LAZY, 8, 32, 128, 256),
    8: (NG_LAZY, 32, 128, 258, 1024),
    9: (NG_LAZY, 32, 258, 258, 4096),
}
# The last ones: passes, and bits that a pass has to gain, instead of good and lazy.
_LIBDEFLATE = {
    1: (LD_HASHED, 0, 0, 32, 2),
    2: (LD_GREEDY, 0, 0, 10, 6),
    3: (LD_GREEDY, 0, 0, 14, 12),
    4: (LD_GREEDY, 0, 0, 30, 16),
    5: (LD_LAZY, 0, 0, 30, 16),
    6: (LD_LAZY, 0, 0, 65, 35),
    7: (LD_LAZY, 0, 0, 130, 100),
    8: (LD_LAZIER, 0, 0, 258, 300),
    9: (LD_LAZIER, 0, 0, 258, 600),
    10: (LD_OPTIMAL, 2, 32, 75, 35),
    11: (LD_OPTIMAL, 4, 16, 150, 100),
    12: (LD_OPTIMAL, 10, 1, 258, 300),
}
# The longest block that is tried as a fixed one as well, in the place of `feed`.
_AS_FIXED = {11: 1000, 12: 10000}


class Parameters(NamedTuple):
    """What a description says of the maker of a stream.

    Attributes
    ----------
    family : int
        LITERALS (Z_HUFFMAN_ONLY, or nothing but stored blocks), RUN_LENGTHS (Z_RLE), ZLIB,
        ZLIB_NG (2.2.5 to 2.3), ZLIB_NG_2_2 (2.2.2), FREE: a lazy zlib with a search of its own, or
        LIBDEFLATE (1.9 on; 1.16 on above level 9).
    level : int
        1..9, of LIBDEFLATE 1..12, or 0 where the family has none.
    memory : int
        memLevel, 1..9: bits of the hash, and tokens of a full block.
    window : int
        windowBits, 9..15.
    filtered, fixed : bool
        Whether the strategy is Z_FILTERED, or Z_FIXED.
    feed : int
        Bytes that deflate was given at a time, 0 for all at once.
    full : int
        Tokens of a full block where memory does not tell it, else 0.
    search : tuple of int
        good, lazy, nice and chain of FREE, else empty.
    """

    family: int
    level: int = 0
    memory: int = 8
    window: int = 15
    filtered: bool = False
    fixed: bool = False
    feed: int = 0
    full: int = 0
    search: tuple[int, ...] = ()

    def as_array(self) -> NDArray[np.int64]:
        """The ten integers that the engines take: see `parameters` in native/deflate.h."""
        flags = FILTERED * self.filtered | FIXED_ONLY * self.fixed
        full, feed = self.full or (1 << self.memory + 6) - 1, self.feed
        if self.family == LIBDEFLATE:
            kind: tuple[int, ...] = _LIBDEFLATE[self.level]
            flags, full, feed = flags | SORTED, UNSPLIT, _AS_FIXED.get(self.level, 0)
        elif self.family == FREE:
            kind = (LAZY, *self.search)
            flags |= ANY_DISTANCE
        elif self.family == ZLIB:
            kind = _ZLIB[self.level]
        elif self.family in (ZLIB_NG, ZLIB_NG_2_2):
            kind = _ZLIB_NG[self.level]
            flags |= NG_EARLY * (self.level < 5) | NG_2_2 * (self.family == ZLIB_NG_2_2)
            if self.level == 1:
                flags |= FIXED_ONLY
                full = UNSPLIT
        else:
            kind = (self.family, 0, 0, 0, 1)
        return np.array([*kind, self.memory + 7, self.window, full, feed, flags], np.int64)

    def header(self) -> bytes:
        """The two bytes with which such a maker begins a zlib stream (RFC 1950)."""
        if self.family in (LITERALS, RUN_LENGTHS) or self.level == 1 or self.fixed:
            hint = 0
        else:
            medium = 7 if self.family == LIBDEFLATE else 6
            hint = 1 if self.level < 6 else 2 if self.level <= medium else 3
        first, second = (self.window - 8) << 4 | 8, hint << 6
        return bytes([first, second + 31 - (first << 8 | second) % 31])


def checked(parameters: Parameters) -> Parameters:
    """Return parameters that came from a description.

    Raises
    ------
    ArchiveError
        If no predictor has them.
    """
    p = parameters
    levels = range(1, 10) if ZLIB <= p.family <= ZLIB_NG_2_2 else range(1)
    if p.family == LIBDEFLATE:
        levels = range(1, 13) if p == Parameters(p.family, p.level) else range(0)
    if p.family == COSTS:
        alone = p == Parameters(p.family, p.level, window=p.window)
        levels = range(1, 10) if alone else range(0)
    good = (
        LITERALS <= p.family <= COSTS
        and p.level in levels
        and 1 <= p.memory <= 9
        and 9 <= p.window <= 15
        and p.full <= UNSPLIT
        and p.feed < 1 << 31
    )
    if good and p.family == FREE:
        *search, chain = p.search
        good = all(1 <= value <= 1 << 16 for value in search) and 1 <= chain <= MAX_CHAIN
    if not good:
        raise ArchiveError("the compressed data is damaged: no deflate has these parameters")
    return p
