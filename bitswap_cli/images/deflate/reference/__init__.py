"""The engine in plain Python: slow, and what the compiled one is tested against.

Its functions are an `Engine`: inflate a stream, compare its tokens and blocks with what a predictor
would have made, make tokens of corrections, write the stream again.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.deflate.columns import COLUMNS, NOTHING, Column
from bitswap_cli.images.deflate.inflated import (
    PADDING,
    UNSEEN,
    Blocks,
    Bytes,
    Inflated,
    Predicted,
    Seen,
    Tokens,
    Told,
    Walked,
)
from bitswap_cli.images.deflate.parameters import LD_HASHED, LD_OPTIMAL, NG_QUICK, RUNS
from bitswap_cli.images.deflate.reference import costs
from bitswap_cli.images.deflate.reference.alphabet import (
    CODES,
    DISTANCES,
    DYNAMIC,
    FIXED,
    KIND,
    LITERALS,
    PAD,
    SPLIT,
    STORED,
    STORED_SIZE,
    span,
)
from bitswap_cli.images.deflate.reference.describing import Describing
from bitswap_cli.images.deflate.reference.inflating import Damaged, Inflater
from bitswap_cli.images.deflate.reference.libdeflate_finder import LibdeflateFinder
from bitswap_cli.images.deflate.reference.ng_finder import NgFinder
from bitswap_cli.images.deflate.reference.optimal import Optimal
from bitswap_cli.images.deflate.reference.restoring import Restoring
from bitswap_cli.images.deflate.reference.run import Run
from bitswap_cli.images.deflate.reference.trees import describe_head, parse, plan
from bitswap_cli.images.deflate.reference.writing import Writer
from bitswap_cli.images.deflate.reference.zlib_finder import Finder, plain

NAME = "reference"

MOST_HEAD = 3 + CODES + 2 * (LITERALS + DISTANCES)
"""Bytes of a head in `Inflated`, at most."""

_MODULUS, _STEP = 65521, 1 << 16
_NONE = [NOTHING] * COLUMNS


def inflate(stream: bytes, limit: int) -> Inflated | None:
    """Inflate a raw deflate stream, which more may follow.

    Parameters
    ----------
    stream : bytes
    limit : int
        The most bytes that it may inflate to.

    Returns
    -------
    Inflated or None
        None if it is no deflate stream, is cut, or inflates to more.
    """
    inflater = Inflater(stream, limit)
    try:
        inflater.run()
        consumed, pad = inflater.finish()
    except Damaged:
        return None
    return Inflated(
        np.frombuffer(bytes(inflater.data) + bytes(PADDING), np.uint8),
        np.array(inflater.tokens, np.uint32),
        np.array(inflater.blocks, np.int32).reshape(-1, 3),
        np.frombuffer(bytes(inflater.heads), np.uint8),
        consumed,
        pad,
    )


def walk(stream: bytes, history: int, stop: int, limit: int) -> Walked | None:
    """Go through whole blocks of a raw deflate stream, which end with a byte.

    Parameters
    ----------
    stream : bytes
        As much of it as is at hand.
    history : int
        How many bytes the blocks before it inflate to, as far as matches reach.
    stop, limit : int
        They inflate to `stop` bytes or more, if there are so many, and to `limit` at most.

    Returns
    -------
    Walked or None
        None if there are none.
    """
    found = Inflater(stream, history + limit).walk(history, stop)
    return found and Walked(*found[:3], bool(found[3]))


def adler(data: Bytes, size: int) -> int:
    """Adler-32 (RFC 1950) of so many bytes."""
    low, high = 1, 0
    weights = np.arange(_STEP, 0, -1, dtype=np.int64)
    for start in range(0, size, _STEP):
        part = data[start : min(start + _STEP, size)].astype(np.int64)
        high = (high + len(part) * low + int(part @ weights[-len(part) :])) % _MODULUS
        low = (low + int(part.sum())) % _MODULUS
    return high << 16 | low


def _go(run: Run) -> None:
    if run.done:
        return
    if run.predictor <= RUNS:
        plain(run)
    elif run.predictor < NG_QUICK:
        Finder(run).go()
    elif run.predictor < LD_HASHED:
        NgFinder(run).go()
    elif run.predictor < LD_OPTIMAL:
        LibdeflateFinder(run).go()
    else:
        Optimal(run).go()


def predict(inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int) -> Predicted:
    """Compare the tokens of a stream, and where its blocks end, with what a predictor says.

    Parameters
    ----------
    inflated : Inflated
    how : int64 array
        Parameters of the predictor.
    stop, budget : int
        Give up behind so many tokens, or when more is wrong than this.

    Returns
    -------
    Predicted
        If it gave up, of what it has seen.
    """
    run = Describing(inflated, how, stop, budget)
    _go(run)
    return run.result()


def wrong(inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int) -> int:
    """Return of what `predict` returns how wrong the predictor is, and nothing else."""
    return predict(inflated, how, stop, budget).wrong


def describe_blocks(inflated: Inflated, flags: int) -> list[Column]:
    """Compare kinds and heads of blocks with what would be made of their tokens.

    Parameters
    ----------
    inflated : Inflated
    flags : int
        Of the predictor.

    Returns
    -------
    list of int32 arrays
        Columns, of which those of tokens are empty.
    """
    columns: list[list[int]] = [[] for _ in range(COLUMNS)]
    heads, tokens = iter(inflated.heads.tolist()), inflated.tokens.tolist()
    data, at, first = inflated.data.tobytes(), 0, 0
    for kind, size, pad in inflated.blocks.tolist():
        if kind == STORED:
            columns[PAD].append(pad)
            at += size
            continue
        part = tokens[first : first + size]
        head, fixed = plan(data[at:], part, flags)
        columns[KIND].append(int(fixed != (kind == FIXED)))
        if kind == DYNAMIC:
            describe_head(head, parse(heads), columns, flags)
        first += size
        at += sum(span(token) for token in part)
    columns[PAD].append(inflated.pad)
    return [np.array(column, np.int32) for column in columns]


def most_blocks(size: int, columns: Sequence[Column]) -> int:
    """The most blocks that corrections can make: one a byte, and those that they tell."""
    return size + len(columns[SPLIT]) + len(columns[STORED_SIZE]) + 2


def restore(
    data: Bytes, how: NDArray[np.int64], columns: Sequence[Column]
) -> tuple[Tokens, Blocks]:
    """Make tokens and blocks of corrections.

    Parameters
    ----------
    data : uint8 array
        The inflated bytes, and PADDING zeros behind them.
    how : int64 array
        Parameters of the predictor.
    columns : sequence of int32 arrays
        Corrections.

    Returns
    -------
    tokens : uint32 array
    blocks : int32 array, shape (n, 3)
        Those that are not stored are of kind 1 until they are written.

    Raises
    ------
    ArchiveError
        If the corrections make no stream of these bytes.
    """
    run = Restoring(data, how, columns, most_blocks(len(data) - PADDING, columns))
    _go(run)
    return np.array(run.tokens, np.uint32), np.array(run.blocks, np.int32).reshape(-1, 3)


def replay(
    data: Bytes, how: NDArray[np.int64], columns: Sequence[Column], predicted: Predicted
) -> tuple[Tokens, Blocks]:
    """Make tokens and blocks of corrections where it is known what the predictor said; that is
    how a description is proved without another search. This engine searches again.

    Parameters
    ----------
    data, how, columns
        See `restore`.
    predicted : Predicted
        Of the stream that the corrections are of, by the same predictor.

    Returns
    -------
    tokens, blocks
        See `restore`.

    Raises
    ------
    ArchiveError
        If the corrections make no stream of these bytes.
    """
    return restore(data, how, columns)


def write(
    data: Bytes, tokens: Tokens, blocks: Blocks, flags: int, columns: Sequence[Column], room: int
) -> bytes:
    """Write a raw deflate stream.

    Parameters
    ----------
    data, tokens, blocks : arrays
        What `restore` was given and returns.
    flags : int
        Of the predictor.
    columns : sequence of int32 arrays
        Corrections of kinds, heads and padding bits.
    room : int
        The most bytes that it may have.

    Returns
    -------
    bytes

    Raises
    ------
    ArchiveError
        If the corrections make no stream, or a longer one.
    """
    writer, first, rows = Writer(data.tobytes(), columns, room), 0, blocks.tolist()
    for row, (kind, size, _) in enumerate(rows):
        count = 0 if kind == STORED else size
        part = tokens[first : first + count].tolist()
        writer.block(kind, part, size, row == len(rows) - 1, flags)
        first += count
    return writer.finish()


def make(data: Bytes, how: NDArray[np.int64], room: int) -> bytes:
    """Make the raw deflate stream of a predictor that is always right: what `restore` and `write`
    do, of at most `room` bytes. Raises `ArchiveError` as they do.
    """
    tokens, blocks = restore(data, how, _NONE)
    return write(data, tokens, blocks, int(how[-1]), _NONE, room)


def tell(inflated: Inflated, room: int) -> Told | None:
    """Tell a stream by costs.

    Parameters
    ----------
    inflated : Inflated
    room : int
        Bytes that it had better take.

    Returns
    -------
    Told or None
        Of any length. None if many of the first tokens are not the cheapest, or it soon seems to
        take more than two thirds of the room, or has too many blocks.
    """
    return costs.tell(inflated, room)


def hear(data: Bytes, message: bytes, seen: Seen = UNSEEN) -> Inflated:  # noqa: ARG001
    """Hear what was told of a stream.

    Parameters
    ----------
    data : uint8 array
        The inflated bytes, and PADDING zeros behind them.
    message : bytes
        What `tell` gave.
    seen : uint32 array, optional
        What it saw, which is taken as it was: that is how a message is proved without another
        search. This engine searches again.

    Returns
    -------
    Inflated
        Whose `consumed` is 0.

    Raises
    ------
    ArchiveError
        If the bytes make no stream of these data.
    """
    return costs.hear(data, message)


def most_rows(size: int) -> int:
    """The most blocks of a stream that is told by costs, for so many inflated bytes."""
    return costs.most_rows(size)
