"""Coefficients of JPEG files: the pictures of one message, in groups, over a virtual bottom.

    encode    pop z_1 ~ q(z_1 | x)     push x ~ p(x | z_1)    push z_1 ~ p(z_1)    push statistics

Decoding runs backwards, pushes for pops. Groups follow one another on one stack, as those of tiles
do (chunk.py): the first picture is a group of its own, and only its latents cost initial bits.

A model may *learn* while it codes: x is decisions then, one after the other, and all pictures are
one group, so that none is new to it for long.

A chunk's words are one byte, the number of lanes, and 128 where the model learns; and the flattened
message in little-endian 32-bit words. What a decoder needs besides is the frames of the pictures,
and the *excess*: pairs of little-endian 64-bit integers, the place of a coefficient among all of
the chunk, and what it is more than the one that was coded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import LANES, Damaged, Logistic, LogisticMixture, Message
from bitswap_cli.ans.distributions import information
from bitswap_cli.ans.kernel import Native, engine
from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    PRECISION,
    LogisticParameters,
    MixtureParameters,
)
from bitswap_cli.ans.reference import DECISION_SHIFT
from bitswap_cli.coefficients import (
    CodedBlocks,
    CoefficientModel,
    Coefficients,
    EncodedPictures,
    Frame,
)
from bitswap_cli.contract import Alphabet, Integers
from bitswap_cli.errors import ArchiveError

GROUP_BLOCKS = 1 << 18  # of a group of more than one picture
_LEARNS = 128
LEARNING = _LEARNS | 1  # how words begin where the model learns: its message has one lane
_LANE_BLOCKS = (1 << 7, 1 << 14)  # from which on a message has more lanes
T = TypeVar("T")


def blocks_of(frame: Frame) -> int:
    """Blocks of a picture."""
    return sum(component.rows * component.columns for component in frame)


def groups(frames: Sequence[Frame], growth: float) -> Iterator[slice]:
    """Yield the groups of pictures: so many blocks, as a share of those before."""
    done, start = 0, 0
    while start < len(frames):
        most = min(math.floor(done * growth), GROUP_BLOCKS)
        end, blocks = start + 1, blocks_of(frames[start])
        while end < len(frames) and blocks + blocks_of(frames[end]) <= most:
            blocks += blocks_of(frames[end])
            end += 1
        yield slice(start, end)
        start, done = end, done + blocks


class CoefficientCodec:
    """The `BlockCodec` of a model: what the archive is handed.

    Parameters
    ----------
    model : CoefficientModel
    learning : bool
        Whether the model learns while it encodes, as it did not before version 0.11.0.
    """

    scheme = "bitswap"

    def __init__(self, model: CoefficientModel, *, learning: bool = True) -> None:
        self.model, self.learning = model, learning

    def encode(
        self, frames: Sequence[Frame], pictures: Sequence[Coefficients], payload: bytes
    ) -> EncodedPictures:
        """See `BlockCodec.encode`."""
        begins = LEARNING if self.learning else _lanes(frames)
        message = Message.with_bottom(payload, begins & ~_LEARNS)
        bits = np.zeros((len(frames), 3))
        clipped = [[x.clip(*self.model.values) for x in picture] for picture in pictures]
        for where in self._groups(frames, begins):
            self._push(message, frames[where], clipped[where], bits[where])
        words, used = message.finish()
        content = bytes([begins]) + words.astype("<u4").tobytes()
        return EncodedPictures(content, _excess(pictures, clipped), used, bits)

    def decode(
        self, words: bytes, excess: bytes, frames: Sequence[Frame]
    ) -> tuple[list[list[NDArray[np.int16]]], bytes]:
        """See `BlockCodec.decode`."""
        if words[:1] not in (bytes([_lanes(frames)]), bytes([LEARNING])) or len(words) % 4 != 1:
            raise ArchiveError("the compressed data is damaged: its lanes or length are wrong")
        pictures: list[list[NDArray[np.int16]]] = [[] for _ in frames]
        try:
            message = Message.from_words(np.frombuffer(words, "<u4", offset=1), words[0] & ~_LEARNS)
            learning = words[0] == LEARNING
            for where in reversed(self._groups(frames, words[0])):
                pictures[where] = self._pop(message, frames[where], learning=learning)
            payload = message.check_bottom()
        except Damaged as error:
            raise ArchiveError(str(error)) from None
        _add(excess, pictures)
        return pictures, payload

    def _groups(self, frames: Sequence[Frame], begins: int) -> list[slice]:
        if begins == LEARNING:
            return [slice(0, len(frames))] if frames else []
        return list(groups(frames, float(self.model.growth)))

    def _push(
        self,
        message: Message,
        frames: Sequence[Frame],
        x: Sequence[Coefficients],
        bits: NDArray[np.float64],
    ) -> None:
        model = self.model
        statistics = [model.measure(picture) for picture in x]
        planes = model.lay(frames, statistics)
        model.fill(planes, x)
        z1 = None
        if model.depth:
            posterior = _latents(model.posterior(planes))
            z1 = posterior.pop(message)
            _count(bits[:, 1], model.owners(planes), -posterior.bits(z1).sum(1))
        if self.learning:
            for decided in reversed(model.decided(planes, z1)):
                engine().push_decisions(message, decided.told)
                _count(bits[:, 0], decided.owner, decided.bits)
        else:
            for coded in reversed(model.coded(planes, z1)):
                _push_blocks(message, model, coded, bits[:, 0])
        if z1 is not None:
            prior = _latents(model.prior(planes))
            prior.push(message, z1)
            _count(bits[:, 1], model.owners(planes), prior.bits(z1).sum(1))
        self._push_statistics(message, frames, statistics, bits[:, 2])

    def _pop(
        self, message: Message, frames: Sequence[Frame], *, learning: bool
    ) -> list[list[NDArray[np.int16]]]:
        model = self.model
        statistics = model.walk_statistics(
            frames, lambda told, where: Logistic(told, *model.statistics).pop(message)
        )
        planes = model.lay(frames, statistics)
        z1 = _latents(model.prior(planes)).pop(message) if model.depth else None
        if learning:
            x = model.learn(planes, z1, _PopDecisions(message))
        else:
            x = model.walk(planes, z1, _Pop(message, model.symbols))
        if z1 is not None:
            _latents(model.posterior(planes)).push(message, z1)
        return [list(picture) for picture in x]

    def _push_statistics(
        self,
        message: Message,
        frames: Sequence[Frame],
        statistics: list[list[Integers]],
        bits: NDArray[np.float64],
    ) -> None:
        steps: list[tuple[Logistic, Integers]] = []

        def code(told: LogisticParameters, where: Integers) -> Integers:
            values = np.array([statistics[i][place][k] for i, place, k in where], np.int32)
            steps.append((Logistic(told, *self.model.statistics), values))
            _count(bits, where[:, 0], steps[-1][0].bits(values))
            return values

        self.model.walk_statistics(frames, code)
        for codec, values in reversed(steps):
            codec.push(message, values)


class _Pop:
    """Pops symbols under mixtures from a message."""

    def __init__(self, message: Message, symbols: Alphabet) -> None:
        self.message, self.symbols = message, symbols

    def __call__(self, parameters: MixtureParameters, alphabet: Alphabet) -> Integers:
        return LogisticMixture(parameters, *alphabet).pop(self.message)

    def natively(self, work: Callable[[Native], T]) -> T | None:
        low, high = self.symbols
        return engine().pop_natively(self.message, work, low, high - low + 1)


class _PopDecisions:
    """Pops decisions from a message."""

    def __init__(self, message: Message) -> None:
        self.message = message

    def __call__(self, one: int) -> int:
        table = np.array([0, one << DECISION_SHIFT, 1 << PRECISION], np.uint32)
        return 1 - int(engine().pop_table(self.message, 1, table)[0])

    def natively(self, work: Callable[[Native], T]) -> T | None:
        return engine().pop_natively(self.message, work, 0, 2)


def _latents(parameters: LogisticParameters) -> Logistic:
    return Logistic(parameters, LATENT_MIN, LATENT_MAX)


def _push_blocks(
    message: Message, model: CoefficientModel, coded: CodedBlocks, bits: NDArray[np.float64]
) -> None:
    """Push wave by wave, the last one first, what is popped first last."""
    lasts = LogisticMixture(coded.of_lasts, *model.lasts)
    symbols = LogisticMixture(coded.of_symbols, *model.symbols)
    first, second = lasts.intervals(coded.lasts), symbols.intervals(coded.symbols)
    _count(bits, coded.owner[: len(coded.lasts)], _bits(first[1], lasts.precision))
    _count(bits, coded.owner[len(coded.lasts) :], _bits(second[1], symbols.precision))
    block, symbol = len(coded.lasts), len(coded.symbols)
    for size, batches in zip(coded.waves[::-1], coded.batches[::-1], strict=True):
        here = slice(symbol - int(batches.sum()), symbol)
        engine().push_batches(message, second[0][here], second[1][here], batches, symbols.precision)
        there = slice(block - int(size), block)
        engine().push(message, first[0][there], first[1][there], lasts.precision)
        symbol, block = here.start, there.start


def _bits(freq: NDArray[np.uint32], precision: int) -> NDArray[np.float64]:
    return information(freq, freq.shape, precision)


def _count(bits: NDArray[np.float64], owner: Integers, more: NDArray[np.float64]) -> None:
    bits += np.bincount(owner, more, minlength=len(bits))


def _lanes(frames: Sequence[Frame]) -> int:
    """Lanes of a chunk: a lane costs 4 to 6 bytes, so small chunks take few."""
    blocks = sum(map(blocks_of, frames))
    return LANES[sum(blocks >= least for least in _LANE_BLOCKS)]


def _flat(pictures: Sequence[Sequence[NDArray[Any]]]) -> NDArray[Any]:
    parts = [x.reshape(-1) for picture in pictures for x in picture]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def _excess(pictures: Sequence[Coefficients], clipped: Sequence[Coefficients]) -> bytes:
    whole, part = _flat(pictures), _flat(clipped)
    where = np.nonzero(whole != part)[0]
    more = whole[where].astype(np.int64) - part[where]
    return np.stack((where, more), 1).astype("<i8").tobytes()


def _add(excess: bytes, pictures: list[list[NDArray[np.int16]]]) -> None:
    """Add an excess to pictures, in place."""
    if not excess:
        return
    sizes = [x.size for picture in pictures for x in picture]
    damaged = ArchiveError("the compressed data is damaged: coefficients are where none can be")
    if len(excess) % 16:
        raise damaged
    where, more = np.frombuffer(excess, "<i8").reshape(-1, 2).T
    if where.min() < 0 or where.max() >= sum(sizes):
        raise damaged
    ends = np.cumsum([0, *sizes])
    parts = [x.reshape(-1) for picture in pictures for x in picture]
    which = np.searchsorted(ends, where, "right") - 1
    for i, at, value in zip(which, where - ends[which], more, strict=True):
        whole = int(parts[i][at]) + int(value)
        if not -(1 << 15) <= whole < 1 << 15:
            raise damaged
        parts[i][at] = whole
