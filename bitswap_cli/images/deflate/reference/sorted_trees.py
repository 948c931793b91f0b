"""Huffman codes and runs of their lengths as libdeflate makes them; see native/sorted.c."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from bitswap_cli.images.deflate.reference.alphabet import COPY, MANY_ZEROS, ZEROS


def _per_length(counts: list[int], longest: int) -> list[int]:
    """How many codes have each length, of two or more ascending counts."""
    leaves, nodes = counts[::-1], list[tuple[int, int]]()  # sum and number
    parent, made = list[int](), 0
    while len(leaves) + len(nodes) > 1:
        total = 0
        for _ in range(2):
            if leaves and (not nodes or leaves[-1] <= nodes[0][0]):
                total += leaves.pop()
            else:
                part, number = nodes.pop(0)
                parent[number] = made
                total += part
        nodes.append((total, made))
        parent.append(-1)
        made += 1
    depths = [0] * made
    found = [0, 2] + [0] * longest
    for node in range(made - 2, -1, -1):
        depths[node] = length = depths[parent[node]] + 1
        if length >= longest:
            length = longest - 1
            while not found[length]:
                length -= 1
        found[length] -= 1
        found[length + 1] += 2
    return found[: longest + 1]


def sorted_lengths(counts: Sequence[int], longest: int) -> list[int]:
    """Code lengths of symbols by their counts, up to the last one that has a code, of two or more.

    Symbols of equal counts are sorted by their numbers; the rarest have the longest codes.
    """
    used = sorted((count, symbol) for symbol, count in enumerate(counts) if count)
    if len(used) < 2:
        other = max((symbol for _, symbol in used), default=0) or 1
        return [int(symbol in (0, other)) for symbol in range(other + 1)]
    per_length = _per_length([count for count, _ in used], longest)
    lengths = [0] * (max(symbol for _, symbol in used) + 1)
    rarest = iter(used)
    for length in range(longest, 0, -1):
        for _ in range(per_length[length]):
            lengths[next(rarest)[1]] = length
    return lengths


def runs_across(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Operations for the lengths of both alphabets, one behind the other."""
    for length, equal in groupby(lengths):
        run = len(list(equal))
        if not length:
            while run >= 11:
                yield MANY_ZEROS, min(run, 138) - 11
                run -= min(run, 138)
            if run >= 3:
                yield ZEROS, run - 3
                run = 0
        elif run >= 4:
            yield length, 0
            run -= 1
            while run >= 3:
                yield COPY, min(run, 6) - 3
                run -= min(run, 6)
        yield from [(length, 0)] * run
