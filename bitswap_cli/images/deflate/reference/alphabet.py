"""The alphabets of deflate (RFC 1951) and the numbers that columns, kinds and classes have."""

LITERALS, DISTANCES, CODES, END = 286, 30, 19, 256
MIN_MATCH, MAX_MATCH, WINDOW, LOOKAHEAD = 3, 258, 32768, 262
STORED, FIXED, DYNAMIC = range(3)
COPY, ZEROS, MANY_ZEROS = 16, 17, 18

LENGTH_EXTRA = [0] * 8 + [k for k in range(1, 6) for _ in range(4)] + [0]
LENGTH_BASE = [3 + sum(1 << extra for extra in LENGTH_EXTRA[:k]) for k in range(28)] + [258]
DISTANCE_EXTRA = [0, 0] + [k for k in range(14) for _ in range(2)]
DISTANCE_BASE = [1 + sum(1 << extra for extra in DISTANCE_EXTRA[:k]) for k in range(30)]
CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
FIXED_LENGTHS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8

OPERATION_BITS = {COPY: 2, ZEROS: 3, MANY_ZEROS: 7}
OPERATION_LEAST = {COPY: 3, ZEROS: 3, MANY_ZEROS: 11}

# Columns of corrections, see docs/format.md.
RIGHT_PLAIN, RIGHT_DEFERRED, RIGHT_TAKEN, WRONG_DEFERRED, WRONG_TAKEN = range(5)
SAME_LENGTH, NEW_LENGTH, RANK, DISTANCE, RIGHT_SPLIT, SPLIT = range(5, 11)
STORED_GAP, STORED_SIZE, KIND, TREE, LENGTHS, OPERATIONS, REPEATS = range(11, 18)
CODE_LENGTHS, PAD = 18, 19

OTHER_LENGTHS, OTHER_OPERATIONS, OTHER_CODES = 1, 2, 4


def _symbols(base: list[int], last: int) -> list[int]:
    found = [0] * base[0]
    for symbol, (start, end) in enumerate(zip(base, [*base[1:], last + 1], strict=True)):
        found += [symbol] * (end - start)
    return found


LENGTH_SYMBOL = _symbols(LENGTH_BASE, MAX_MATCH)  # of a length
DISTANCE_SYMBOL = _symbols(DISTANCE_BASE, WINDOW)  # of a distance


def match_of(length: int, distance: int) -> int:
    """The token of a match; a literal's is 0."""
    return length << 16 | distance


def length_of(token: int) -> int:
    """Length of a match, 0 for a literal."""
    return token >> 16


def distance_of(token: int) -> int:
    """Distance of a match."""
    return token & 0xFFFF


def span(token: int) -> int:
    """Bytes that a token stands for."""
    return token >> 16 if token else 1


def first_codes(lengths: list[int]) -> list[int] | None:
    """The first code of each length 0..15 (RFC 1951, 3.2.2), or None if there are too many."""
    first, code, left = [0] * 16, 0, 1
    for length in range(1, 16):
        left = 2 * left - lengths.count(length)
        if left < 0:
            return None
        first[length] = code
        code = (code + lengths.count(length)) << 1
    return first
