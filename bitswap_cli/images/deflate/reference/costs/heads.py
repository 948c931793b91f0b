"""Heads of dynamic blocks, told by how their lengths differ from likely ones.

See native/costs/heads.c.
"""

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.inflated import DAMAGED
from bitswap_cli.images.deflate.reference.alphabet import (
    CODE_ORDER,
    CODES,
    COPY,
    DISTANCES,
    LITERALS,
    MANY_ZEROS,
    OPERATION_LEAST,
    ZEROS,
)
from bitswap_cli.images.deflate.reference.costs.coder import Coder
from bitswap_cli.images.deflate.reference.sorted_trees import sorted_lengths
from bitswap_cli.images.deflate.reference.trees import Head

_OF_LITERALS, _OF_DISTANCES, _OF_OPERATIONS = range(3)
_LONGEST, _LONGEST_CODE = 15, 7
_BITS = {COPY: 2, ZEROS: 3, MANY_ZEROS: 7}


def smoothed(counts: list[int]) -> list[int]:
    """Counts as some deflaters change them, so that more neighbours have codes of equal lengths."""
    counts = list(counts)
    size = max((k + 1 for k, count in enumerate(counts) if count), default=0)
    kept = [False] * size
    at = 0
    while at < size:
        run = 1
        while at + run < size and counts[at + run] == counts[at]:
            run += 1
        if run >= (7 if counts[at] else 5):
            kept[at : at + run] = [True] * run
        at += run
    limit, total, run = counts[0], 0, 0
    for i in range(size + 1):
        own = counts[i] if i < size else 0
        if i == size or kept[i] or abs(own - limit) >= 4:
            if run >= 4 or (run == 3 and not total):
                mean = (total + run // 2) // run
                counts[i - run : i] = [max(mean, 1) if total else 0] * run
            run, total = 0, 0
            limit = (sum(counts[i : i + 4]) + 2) // 4 if i < size - 3 else own
        run += 1
        total += own
    return counts


def _planned(counts: list[int], longest: int) -> list[int]:
    lengths = sorted_lengths(counts, longest)
    return lengths + [0] * (len(counts) - len(lengths))


def _other(c: Coder, kind: int, near: int, length: int, longest: int) -> int:
    """Code a length from 1 to `longest` that is not the one that was near."""
    up = int(near < longest)
    if up and near > 1:
        up = c.decide(("longer", kind), length > near)
    most = longest - near if up else near - 1
    far = 1
    while far < most and c.decide(("off", kind, up, min(far - 1, 3)), abs(length - near) > far):
        far += 1
    return near + far if up else near - far


def _lengths(c: Coder, kind: int, planned: list[int], true: list[int], longest: int) -> list[int]:
    """Code lengths of one alphabet, of which `planned` are likely."""
    found, before, top = [], 0, max(1, *planned)
    for plan, length in zip(planned, true, strict=True):
        place = 0 if not before else 1 if before < plan else 2 if before == plan else 3
        if c.decide(("planned", kind, plan, place), length == plan):
            before = plan
        elif plan and c.decide(("unused", kind), not length):
            before = 0
        elif not plan and c.decide(("rare", kind), length == top):
            before = top
        else:
            before = _other(c, kind, plan or top, length, longest)
        found.append(before)
    return found


def _sent(c: Coder, kind: int, needed: int, sent: int, base: int, bits: int, most: int) -> int:
    """Code how many lengths are sent, at least those that are needed."""
    if c.decide(("least sent", kind), sent == needed):
        return needed
    sent = base + c.plain(bits, sent - base)
    if not needed <= sent <= most:
        raise ArchiveError(DAMAGED)
    return sent


def _operation(
    c: Coder, true: tuple[int, int], length: int, copies: bool, run: int
) -> tuple[int, int]:
    """Code the operation that begins where a run of equal lengths goes on for `run`."""
    symbol, repeat = true
    zero = not length
    where = 0 if run < 4 else 1 if run < 7 else 2 if run < 11 else 3
    if run < 3 or not (zero or copies):
        return length, 0
    if not c.decide(("repeated", int(zero), int(copies), where), symbol >= COPY):
        return length, 0
    copy = int(copies)
    if zero and copies:
        copy = c.decide(("copied",), symbol == COPY)
    many = int(run >= 11)
    if not copy and many:
        many = c.decide(("many",), symbol == MANY_ZEROS)
    symbol = COPY if copy else MANY_ZEROS if many else ZEROS
    bits = _BITS[symbol]
    most = min((1 << bits) - 1, run - OPERATION_LEAST[symbol])
    if c.decide(("longest", symbol), repeat == most):
        return symbol, most
    repeat = c.plain(bits, repeat)
    if repeat > most:
        raise ArchiveError(DAMAGED)
    return symbol, repeat


def _operations(c: Coder, lengths: list[int], true: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Code the operations that send some lengths."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(lengths):
        run = 1
        while at + run < len(lengths) and lengths[at + run] == lengths[at]:
            run += 1
        copies = at > 0 and lengths[at - 1] == lengths[at]
        own = true[len(found)] if len(found) < len(true) else (0, 0)
        symbol, repeat = _operation(c, own, lengths[at], copies, run)
        found.append((symbol, repeat))
        at += repeat + OPERATION_LEAST[symbol] if symbol >= COPY else 1
    return found


def _needed(lengths: list[int], least: int) -> int:
    """How many lengths there are up to the last that is used."""
    return max([least, *(k + 1 for k, length in enumerate(lengths) if length)])


def tell_head(c: Coder, head: Head, literals: list[int], distances: list[int]) -> Head:
    """Code the head of a dynamic block in which symbols may occur about so often."""
    true = (
        head.literals + [0] * (LITERALS - len(head.literals)),
        head.distances + [0] * (DISTANCES - len(head.distances)),
    )
    plans = []
    for counts in ((literals, distances), (smoothed(literals), smoothed(distances))):
        plans.append([_planned(each, _LONGEST) for each in counts])
    right = [
        sum(a == b for a, b in zip(sum(plan, []), sum(true, []), strict=True)) for plan in plans
    ]
    plan = plans[c.decide(("smoothed",), right[1] > right[0])]
    found = [_lengths(c, kind, plan[kind], true[kind], _LONGEST) for kind in range(2)]
    sent = []
    for kind, (own, base) in enumerate(((head.literals, 257), (head.distances, 1))):
        needed = _needed(found[kind], base)
        sent.append(_sent(c, kind, needed, len(own), base, 5, len(found[kind])))
    lengths = [found[kind][: sent[kind]] for kind in range(2)]
    operations = _operations(c, lengths[0] + lengths[1], head.operations)
    return Head(lengths[0], lengths[1], operations, _codes(c, operations, head.codes))


def _codes(c: Coder, operations: list[tuple[int, int]], true: list[int]) -> list[int]:
    """Code the lengths of the code of operations, in the order in which they are sent."""
    counts, own = [0] * CODES, [0] * CODES
    for symbol, _ in operations:
        counts[symbol] += 1
    for symbol, length in zip(CODE_ORDER, true, strict=False):
        own[symbol] = length
    planned = _planned(counts, _LONGEST_CODE)
    lengths = _lengths(c, _OF_OPERATIONS, planned, own, _LONGEST_CODE)
    ordered = [lengths[symbol] for symbol in CODE_ORDER]
    sent = _sent(c, _OF_OPERATIONS, _needed(ordered, 4), len(true), 4, 4, CODES)
    return ordered[:sent]
