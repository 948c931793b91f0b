"""Huffman trees and heads of blocks as they are predicted, and corrections of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.inflated import DAMAGED
from bitswap_cli.images.deflate.parameters import FIXED_ONLY, SORTED
from bitswap_cli.images.deflate.reference.alphabet import (
    CODE_LENGTHS,
    CODE_ORDER,
    CODES,
    COPY,
    DISTANCE_EXTRA,
    DISTANCE_SYMBOL,
    DISTANCES,
    END,
    FIXED_LENGTHS,
    LENGTH_EXTRA,
    LENGTH_SYMBOL,
    LENGTHS,
    LITERALS,
    MANY_ZEROS,
    OPERATION_BITS,
    OPERATION_LEAST,
    OPERATIONS,
    OTHER_CODES,
    OTHER_LENGTHS,
    OTHER_OPERATIONS,
    REPEATS,
    TREE,
    ZEROS,
    distance_of,
    length_of,
)
from bitswap_cli.images.deflate.reference.sorted_trees import runs_across, sorted_lengths

_LONGEST, _LONGEST_SORTED, _LONGEST_CODE = 15, 14, 7


@dataclass
class Head:
    """The head of a dynamic block: code lengths, the operations that send them, and their code.

    Attributes
    ----------
    literals, distances : list of int
        Code lengths, as many as are sent.
    operations : list of (symbol, repeat)
        What sends them; repeat is the value of the extra bits.
    codes : list of int
        Code lengths of the operations, in the order and number in which they are sent.
    """

    literals: list[int]
    distances: list[int]
    operations: list[tuple[int, int]]
    codes: list[int]


class _Heap:
    """Nodes by frequency, then by depth, in zlib's order of ties."""

    def __init__(self, freq: list[int], depth: list[int], nodes: list[int]) -> None:
        self.freq, self.depth, self.nodes = freq, depth, [-1, *nodes]
        for at in range(len(nodes) // 2, 0, -1):
            self.sink(at)

    def _smaller(self, a: int, b: int) -> bool:
        return (self.freq[a], self.depth[a]) <= (self.freq[b], self.depth[b])

    def sink(self, at: int) -> None:
        """Let the node at a place sink to where it belongs."""
        nodes, node = self.nodes, self.nodes[at]
        while (child := 2 * at) < len(nodes):
            if child + 1 < len(nodes) and self._smaller(nodes[child + 1], nodes[child]):
                child += 1
            if self._smaller(node, nodes[child]):
                break
            nodes[at] = nodes[child]
            at = child
        nodes[at] = node

    def pop(self) -> int:
        """Take the smallest node; the last one takes its place, and sinks."""
        least, last = self.nodes[1], self.nodes.pop()
        if len(self.nodes) > 1:
            self.nodes[1] = last
            self.sink(1)
        return least


def build_lengths(counts: list[int], longest: int) -> list[int]:
    """Code lengths of symbols by their counts, up to the last one that has a code.

    At least two symbols get codes, as zlib has it.
    """
    freq, used = list(counts), [k for k, count in enumerate(counts) if count]
    while len(used) < 2:
        top = used[-1] if used else -1
        forced = top + 1 if top < 2 else 0
        used.append(forced)
        freq[forced] = 1
    heap = _Heap(freq, [0] * len(freq), used)
    parent: dict[int, int] = {}
    order: list[int] = []  # of nodes, the rarest first
    while len(heap.nodes) > 2:
        pair = heap.pop(), heap.nodes[1]
        order += pair
        freq.append(sum(freq[node] for node in pair))
        heap.depth.append(max(heap.depth[node] for node in pair) + 1)
        parent.update(dict.fromkeys(pair, len(freq) - 1))
        heap.nodes[1] = len(freq) - 1
        heap.sink(1)
    depth = {len(freq) - 1: 0}
    overflow = 0
    for node in reversed(order):
        wanted = depth[parent[node]] + 1
        overflow += wanted > longest
        depth[node] = min(wanted, longest)
    leaves = [node for node in order if node < len(counts)]
    lengths = [depth.get(symbol, 0) for symbol in range(max(used) + 1)]
    if overflow:
        _shorten(lengths, leaves, overflow, longest)
    return lengths


def _shorten(lengths: list[int], leaves: list[int], overflow: int, longest: int) -> None:
    """Make room for codes that are too long, and give the longest codes to the rarest leaves."""
    per_length = [0] * (longest + 1)
    for leaf in leaves:
        per_length[lengths[leaf]] += 1
    while overflow > 0:
        length = longest - 1
        while not per_length[length]:
            length -= 1
        per_length[length] -= 1
        per_length[length + 1] += 2
        per_length[longest] -= 1
        overflow -= 2
    rarest = iter(leaves)
    for length in range(longest, 0, -1):
        for _ in range(per_length[length]):
            lengths[next(rarest)] = length


def _runs(lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Operations for the lengths of one alphabet, as zlib forms runs."""
    before, at = -1, 0
    while at < len(lengths):
        length = lengths[at]
        most = 138 if not length else 6 if length == before else 7
        least = 4 if length and length != before else 3
        run = 1
        while run < most and at + run < len(lengths) and lengths[at + run] == length:
            run += 1
        at += run
        if run < least:
            yield from [(length, 0)] * run
        elif length:
            if length != before:
                yield length, 0
                run -= 1
            yield COPY, run - 3
        else:
            yield (ZEROS, run - 3) if run <= 10 else (MANY_ZEROS, run - 11)
        before = length


def _lengths_of(counts: list[int], longest: int, flags: int) -> list[int]:
    return (sorted_lengths if flags & SORTED else build_lengths)(counts, longest)


def _with_runs(head: Head, flags: int) -> Head:
    if flags & SORTED:
        return replace(head, operations=[*runs_across(head.literals + head.distances)])
    return replace(head, operations=[*_runs(head.literals), *_runs(head.distances)])


def _with_codes(head: Head, flags: int) -> Head:
    counts = [0] * CODES
    for symbol, _ in head.operations:
        counts[symbol] += 1
    lengths = _lengths_of(counts, _LONGEST_CODE, flags)
    lengths += [0] * (CODES - len(lengths))
    codes = [lengths[symbol] for symbol in CODE_ORDER]
    while len(codes) > 4 and not codes[-1]:
        codes.pop()
    return replace(head, codes=codes)


class Tally:
    """How often symbols occur in a block.

    Parameters
    ----------
    data : bytes
    at : int
        Where the block begins.
    tokens : iterable of int
    """

    def __init__(self, data: bytes, at: int, tokens: Iterable[int]) -> None:
        self.literals, self.distances = [0] * LITERALS, [0] * DISTANCES
        for token in tokens:
            if token:
                self.literals[257 + LENGTH_SYMBOL[length_of(token)]] += 1
                self.distances[DISTANCE_SYMBOL[distance_of(token)]] += 1
                at += length_of(token)
            else:
                self.literals[data[at]] += 1
                at += 1
        self.literals[END] = 1

    def extra_bits(self) -> int:
        """Bits that follow the codes, whatever these are."""
        extra = sum(n * bits for n, bits in zip(self.literals[257:], LENGTH_EXTRA, strict=True))
        return extra + sum(n * b for n, b in zip(self.distances, DISTANCE_EXTRA, strict=True))

    def fixed_bits(self) -> int:
        """Bits of a fixed block, but for the three that tell its kind."""
        fixed = sum(n * bits for n, bits in zip(self.literals, FIXED_LENGTHS, strict=False))
        return fixed + 5 * sum(self.distances) + self.extra_bits()

    def dynamic_bits(self, head: Head) -> int:
        """The same of a dynamic one with such a head."""
        bits = 3 * len(head.codes) + 14 + self.extra_bits()
        bits += sum(n * b for n, b in zip(self.literals, head.literals, strict=False))
        bits += sum(n * b for n, b in zip(self.distances, head.distances, strict=False))
        for symbol, _ in head.operations:
            bits += head.codes[CODE_ORDER.index(symbol)] + OPERATION_BITS.get(symbol, 0)
        return bits


def plan_head(tally: Tally, flags: int) -> Head:
    """The head that would be sent."""
    longest = _LONGEST_SORTED if flags & SORTED else _LONGEST
    literals = _lengths_of(tally.literals, longest, flags)
    distances = _lengths_of(tally.distances, _LONGEST, flags)
    return _with_codes(_with_runs(Head(literals, distances, [], []), flags), flags)


def plan(data: bytes, tokens: list[int], flags: int) -> tuple[Head, bool]:
    """The head that would be sent for a block, and whether a fixed one would be sent instead."""
    tally = Tally(data, 0, tokens)
    head = plan_head(tally, flags)
    fixed, dynamic = tally.fixed_bits(), tally.dynamic_bits(head)
    if flags & SORTED:
        return head, fixed <= dynamic
    return head, bool(flags & FIXED_ONLY) or (fixed + 10) // 8 <= (dynamic + 10) // 8


def parse(heads: Iterator[int]) -> Head:
    """The head that a block has, of the bytes that inflate keeps."""
    literal, distance = next(heads) + 257, next(heads) + 1
    codes = [0] * (next(heads) + 4)
    codes = [next(heads) for _ in codes]
    lengths: list[int] = []
    operations = []
    while len(lengths) < literal + distance:
        symbol = next(heads)
        repeat = next(heads) if symbol >= COPY else 0
        operations.append((symbol, repeat))
        length = symbol if symbol < COPY else lengths[-1] if symbol == COPY else 0
        lengths += [length] * (repeat + OPERATION_LEAST.get(symbol, 1))
    return Head(lengths[:literal], lengths[literal:], operations, codes)


def _folded(value: int) -> int:
    return -2 * value - 1 if value < 0 else 2 * value


def _unfolded(value: int) -> int:
    return -(value + 1) // 2 if value & 1 else value // 2


def _sized(lengths: list[int], count: int) -> list[int]:
    return (lengths + [0] * count)[:count]


def describe_head(planned: Head, sent: Head, columns: list[list[int]], flags: int) -> None:
    """Write how the head that was sent differs from the one that was planned."""
    wrong = 0
    if (planned.literals, planned.distances) != (sent.literals, sent.distances):
        wrong |= OTHER_LENGTHS
        columns[LENGTHS] += [len(sent.literals) - 257, len(sent.distances) - 1]
        for true, guess in (
            (sent.literals, planned.literals), (sent.distances, planned.distances),
        ):  # fmt: skip
            pairs = zip(true, _sized(guess, len(true)), strict=True)
            columns[LENGTHS] += [_folded(a - b) for a, b in pairs]
        planned = _with_codes(_with_runs(sent, flags), flags)
    if planned.operations != sent.operations:
        wrong |= OTHER_OPERATIONS
        columns[OPERATIONS] += [symbol for symbol, _ in sent.operations]
        columns[REPEATS] += [repeat for symbol, repeat in sent.operations if symbol >= COPY]
        planned = _with_codes(sent, flags)
    if planned.codes != sent.codes:
        wrong |= OTHER_CODES
        columns[CODE_LENGTHS] += [len(sent.codes) - 4, *sent.codes]
    columns[TREE].append(wrong)


def correct_head(head: Head, columns: list[Iterator[int]], flags: int) -> Head:
    """Change a planned head as its corrections say; ArchiveError if they make no head."""
    wrong = next(columns[TREE], 0)
    if wrong & OTHER_LENGTHS:
        literal, distance = next(columns[LENGTHS], 0) + 257, next(columns[LENGTHS], 0) + 1
        if literal > LITERALS or distance > DISTANCES:
            raise ArchiveError(DAMAGED)
        guess = [*_sized(head.literals, literal), *_sized(head.distances, distance)]
        lengths = [length + _unfolded(next(columns[LENGTHS], 0)) for length in guess]
        if not all(0 <= length <= _LONGEST for length in lengths):
            raise ArchiveError(DAMAGED)
        head = replace(head, literals=lengths[:literal], distances=lengths[literal:])
        head = _with_codes(_with_runs(head, flags), flags)
    if wrong & OTHER_OPERATIONS:
        head = _with_codes(replace(head, operations=_read_operations(head, columns)), flags)
    if wrong & OTHER_CODES:
        sent = next(columns[CODE_LENGTHS], 0) + 4
        if sent > CODES:
            raise ArchiveError(DAMAGED)
        codes = [next(columns[CODE_LENGTHS], 0) for _ in range(sent)]
        if max(codes) > _LONGEST_CODE:
            raise ArchiveError(DAMAGED)
        head = replace(head, codes=codes)
    return head


def _read_operations(head: Head, columns: list[Iterator[int]]) -> list[tuple[int, int]]:
    operations, left = [], len(head.literals) + len(head.distances)
    while left:
        symbol = next(columns[OPERATIONS], 0)
        repeat = next(columns[REPEATS], 0) if symbol >= COPY else 0
        if symbol >= CODES or repeat >> OPERATION_BITS.get(symbol, 0):
            raise ArchiveError(DAMAGED)
        left -= repeat + OPERATION_LEAST.get(symbol, 1)
        if left < 0:
            raise ArchiveError(DAMAGED)
        operations.append((symbol, repeat))
    return operations
