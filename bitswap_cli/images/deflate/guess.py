"""Who wrote a stream: candidates in the order of what its blocks and matches suggest, tried."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from bitswap_cli.images.deflate.columns import Column, about
from bitswap_cli.images.deflate.engine import engine
from bitswap_cli.images.deflate.inflated import PADDING, Inflated, Predicted
from bitswap_cli.images.deflate.parameters import (
    FREE,
    LIBDEFLATE,
    LITERALS,
    RUN_LENGTHS,
    SORTED,
    ZLIB,
    ZLIB_NG,
    ZLIB_NG_2_2,
    Parameters,
)

_NEVER = 1 << 61
# Rounds of trials: the most tokens, the share of all that is tried, how many candidates go on.
_ROUNDS = ((1 << 13, 8, 4), (1 << 15, 2, 2))
_LEAST = 64  # tokens that say something
_DOUBT = 12  # if more than this part of them is wrong by all candidates, it may be none of these
_SLACK = 64  # corrections that do not rule a candidate out
_FEW = 1000  # a predictor that is wrong less often than once in so many tokens is good enough,
_EXACT = 20_000  # less often than that: no other is looked for,
_PARDON = 8  # or not more often than this in a whole stream

_HEADS = 8  # blocks whose codes are looked at
_TOKEN_COLUMNS = 13  # the first ones, which tell tokens and where blocks end
_TREE = 14  # column: what of a head is otherwise
_MOST = 1 << 31  # inflated bytes in which libdeflate is predicted
_LONG = 256  # corrections of which it is worth while to see how many bits they take
_PARSERS = 10  # the first level of libdeflate that looks ahead,
_AHEAD = 1 << 12  # at least over so many bytes where tokens of the beginning are tried
_MANY = 100  # matches of 3 bytes, of which some would be far if they could

_MEDIUM = (3, 4, 5, 6)  # zlib-ng's levels that depend on how it was fed, and on its version

# Searches that resemble those of other makers: good, lazy, nice, chain.
_SEARCHES = (
    (258, 258, 258, 4096),
    (258, 258, 32, 16),
    (258, 258, 130, 35),
)


class _Facts(NamedTuple):
    """What a stream shows at a glance."""

    hint: int  # FLEVEL of the header
    window: int
    memories: tuple[int, ...]
    largest: int  # tokens of a block
    full: int  # tokens of full blocks that no memLevel explains
    literal: bool  # no matches
    runs: bool  # all of distance 1
    shortest: int  # length of a match
    fixed: bool  # no dynamic blocks, and a header as Z_FIXED has it
    far: int  # the longest distance of a match of 3 bytes
    many: bool  # whether there are many of these


def _facts(inflated: Inflated, header: bytes) -> _Facts:
    matches = inflated.tokens[inflated.tokens != 0]
    distances, lengths = matches & 0xFFFF, matches >> 16
    window = max((header[0] >> 4) + 8, 9)
    while len(matches) and window < 15 and distances.max() > (1 << window) - 262:
        window += 1
    coded = inflated.blocks[:-1][inflated.blocks[:-1, 0] > 0, 1]
    memories, full = tuple(range(8, 10)), 0
    if len(coded):
        usual = int(np.bincount(coded).argmax())
        memory = (usual + 1).bit_length() - 7
        if usual == (1 << max(memory, 0) + 6) - 1 and 1 <= memory <= 9:
            memories = (memory,)
        elif (coded == usual).sum() * 2 > len(coded) > 1:
            full = usual
    short = distances[lengths == 3]
    return _Facts(
        hint=header[1] >> 6,
        window=window,
        memories=memories,
        largest=int(inflated.blocks[inflated.blocks[:, 0] > 0, 1].max(initial=0)),
        full=full,
        literal=not len(matches),
        runs=bool((distances == 1).all()),
        shortest=int(lengths.min()) if len(matches) else 258,
        fixed=header[1] < 64 and not (inflated.blocks[:, 0] == 2).any(),
        far=int(short.max(initial=0)),
        many=len(short) > _MANY,
    )


def _wrong_heads(inflated: Inflated, flags: int) -> int:
    """How many of the first blocks have codes that are not made so."""
    blocks = engine().describe_blocks(inflated._replace(blocks=inflated.blocks[:_HEADS]), flags)
    return int(np.count_nonzero(blocks[_TREE]))


def _most_wrong(inflated: Inflated) -> int:
    """How many of the first blocks may have codes that are not a maker's, before that says that it
    is another one."""
    return int((inflated.blocks[:_HEADS, 0] == 2).sum()) // 2


def foreign(inflated: Inflated) -> bool:
    """Whether codes are neither zlib's nor libdeflate's."""
    most = _most_wrong(inflated)
    return all(_wrong_heads(inflated, flags) > most for flags in (0, SORTED))


def likely(inflated: Inflated, header: bytes) -> Parameters:
    """Return the maker that `guess` tries first if all codes of a stream are as zlib's."""
    facts = _facts(inflated, header)
    return next(_with_heaps(facts, _unmatched(facts), ()))


def _unmatched(facts: _Facts) -> Parameters:
    """One that looks for no matches."""
    full, fixed = facts.full, facts.fixed
    return Parameters(LITERALS, 0, facts.memories[0], facts.window, full=full, fixed=fixed)


def _candidates(inflated: Inflated, header: bytes, feeds: tuple[int, ...]) -> Iterator[Parameters]:
    facts = _facts(inflated, header)
    plain = _unmatched(facts)
    heaps = _with_heaps(facts, plain, feeds)
    wrong = _wrong_heads(inflated, 0)
    if not wrong:  # whatever else its codes may be, they are as zlib's
        yield from heaps
    in_order = _wrong_heads(inflated, SORTED)
    most = _most_wrong(inflated)
    if wrong <= in_order or in_order > most:
        yield from heaps
    if (in_order <= wrong or wrong > most) and len(inflated.data) < _MOST:
        for level in _levels_of_libdeflate(facts, foreign=min(wrong, in_order) > most):
            yield Parameters(LIBDEFLATE, level)
    yield from heaps  # if it is none of these, it may still search as others do
    for search in () if facts.literal else _SEARCHES:
        yield plain._replace(family=FREE, search=search)


def _with_heaps(facts: _Facts, plain: Parameters, feeds: tuple[int, ...]) -> Iterator[Parameters]:
    """Those whose codes are zlib's."""
    if facts.literal:
        yield plain
        return
    if facts.runs:
        yield plain._replace(family=RUN_LENGTHS)
    hinted = ((1,), (5, 2, 4, 3), (6,), (9, 8, 7))[facts.hint]
    for levels in (hinted, tuple(level for level in range(9, 0, -1) if level not in hinted)):
        for level in levels:
            for memory in facts.memories:
                yield from _at_level(facts, plain._replace(level=level, memory=memory), feeds)


def _levels_of_libdeflate(facts: _Facts, *, foreign: bool) -> list[int]:
    """Levels that may have made such matches of 3 bytes, those first that the header suggests;
    `foreign`, whether its codes are neither libdeflate's nor zlib's."""
    if foreign:
        return [12]  # which resembles those that search long
    hinted = ((1,), (5, 4, 3, 2), (6, 7), (11, 12, 10, 9, 8))[facts.hint]
    levels = [*hinted, *(level for level in range(12, 0, -1) if level not in hinted)]
    least = 10 if facts.far > 8192 else 5 if facts.far > 4096 else 1 if facts.shortest > 3 else 2
    most = 9 if facts.many and facts.far <= 8192 else 12
    return [level for level in levels if least <= level <= most]


def _full(memory: int) -> int:
    """Tokens of a full block."""
    return (1 << memory + 6) - 1


def _at_level(facts: _Facts, plain: Parameters, feeds: tuple[int, ...]) -> Iterator[Parameters]:
    level, filtered = plain.level, facts.shortest > 5
    yield plain._replace(family=ZLIB, filtered=filtered and level >= 4)
    if level == 1 and not facts.fixed:
        return
    if 1 < level < 7 and facts.shortest < 4:
        return
    plain = plain._replace(filtered=filtered and level >= 7)
    for family in (ZLIB_NG, ZLIB_NG_2_2):
        if family == ZLIB_NG_2_2 and level not in _MEDIUM:
            continue
        if plain.memory != facts.memories[0] and facts.largest < _full(facts.memories[0]):
            continue  # memory tells nothing but how large blocks are
        for feed in (*feeds, 0) if level in (1, *_MEDIUM) else (0,):
            yield plain._replace(family=family, feed=feed)


def _try(inflated: Inflated, candidate: Parameters, budget: int) -> Predicted:
    return engine().predict(inflated, candidate.as_array(), _NEVER, budget)


def _wrong(inflated: Inflated, candidate: Parameters, stop: int, budget: int) -> int:
    return engine().wrong(inflated, candidate.as_array(), stop, budget)


Guess = tuple[Parameters, Predicted]


def guess(
    inflated: Inflated, header: bytes, feeds: Iterable[int], otherwise: Callable[[], bool]
) -> Guess | None:
    """Find the parameters that predict a stream best.

    Parameters
    ----------
    inflated : Inflated
    header : bytes
        The first two bytes of the zlib stream.
    feeds : iterable of int
        How many bytes deflate may have been given at a time.
    otherwise : callable
        Asked, once at most, where it seems that the maker is none that is known, because of its
        codes or of the first tokens: whether the stream is told without one.

    Returns
    -------
    tuple of Parameters and Predicted, or None
        None if it is told otherwise.
    """
    asked = foreign(inflated)
    if asked and otherwise():
        return None
    known = tuple(dict.fromkeys(feed for feed in feeds if feed > 0))
    candidates = _candidates(inflated, header, known)  # made as far as they are tried
    first = next(candidates)
    predicted = _try(inflated, first, 0)
    if not predicted.wrong:
        return first, predicted
    left: Iterable[Parameters] = chain([first], candidates)
    count = len(inflated.tokens)
    for most_tokens, share, kept in _ROUNDS:
        if count // share >= _LEAST:
            stop = min(most_tokens, count // share)
            left, found, least = _round(inflated, left, stop, kept)
            if found is not None:
                return found
            doubtful = least * _DOUBT > stop and inflated.blocks[:, 0].all()  # none is stored
            if doubtful and not asked and otherwise():
                return None
            asked = True
            if len(left) == 1:
                break
    left = list(left)
    best = left[0], _try(inflated, left[0], _NEVER)
    compare = _shorter if len(left) <= _ROUNDS[-1][2] and best[1].wrong > _LONG else _better
    for candidate in left[1:]:
        best = compare(inflated, candidate, best)
    return best


def _shorter(inflated: Inflated, candidate: Parameters, best: Guess) -> Guess:
    """The one of two that takes fewer bits to correct, if that is to be seen soon enough."""
    predicted = _try(inflated, candidate, 2 * best[1].wrong)
    if predicted.wrong > 2 * best[1].wrong:
        return best
    one, other = (about(told(inflated, *each)) for each in (best, (candidate, predicted)))
    return best if one <= other else (candidate, predicted)


def told(inflated: Inflated, parameters: Parameters, predicted: Predicted) -> list[Column]:
    """All columns of corrections."""
    blocks = engine().describe_blocks(inflated, int(parameters.as_array()[-1]))
    return [*predicted.columns[:_TOKEN_COLUMNS], *blocks[_TOKEN_COLUMNS:]]


def _better(inflated: Inflated, candidate: Parameters, best: Guess) -> Guess:
    if not best[1].wrong:
        return best
    most = best[1].wrong - 1
    if len(inflated.tokens) < _ROUNDS[0][0] and _wrong(inflated, candidate, _NEVER, most) > most:
        return best  # which takes half as long where it takes next to nothing
    predicted = _try(inflated, candidate, most)
    return (candidate, predicted) if predicted.wrong <= most else best


def _beginning(inflated: Inflated, stop: int) -> Inflated:
    """A stream up to so many tokens, or a little more, for those that look ahead, if they can only
    resemble its maker."""
    if not inflated.blocks[:, 0].all() or not _wrong_heads(inflated, SORTED):
        return inflated  # some blocks are stored, or all codes are right
    size = max(int(np.maximum(inflated.tokens[:stop] >> 16, 1).sum()), _AHEAD)
    if len(inflated.data) - PADDING <= size:
        return inflated
    data = np.zeros(size + PADDING, np.uint8)
    data[:size] = inflated.data[:size]
    return inflated._replace(data=data)


def _round(
    inflated: Inflated, left: Iterable[Parameters], stop: int, kept: int
) -> tuple[list[Parameters], Guess | None, int]:
    """Try candidates on the first tokens; those that go on, one that is as good as right, and how
    wrong the best one is."""
    good = len(inflated.tokens) // _FEW + _PARDON
    tried: list[tuple[int, Parameters]] = []
    best: Guess | None = None
    least = _NEVER
    beginning: Inflated | None = None
    for candidate in left:
        seen = inflated
        if candidate.level >= _PARSERS:
            seen = beginning = beginning or _beginning(inflated, stop)
        wrong = _wrong(seen, candidate, stop, 2 * least + _SLACK)
        if wrong * _FEW <= stop:
            if best is None:
                predicted = _try(inflated, candidate, good)
                best = (candidate, predicted) if predicted.wrong <= good else None
            else:
                best = _better(inflated, candidate, best)
            if best is not None and best[1].wrong * _EXACT <= len(inflated.tokens):
                return [], best, 0
        least = min(least, wrong)
        tried.append((wrong, candidate))
    tried.sort(key=lambda pair: pair[0])
    going_on = [candidate for wrong, candidate in tried[:kept] if wrong <= 2 * least + _SLACK]
    return going_on, best, least
