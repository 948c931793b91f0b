"""Lockstep: the blocks of a group of pictures in the order in which they are coded.

A wave (planes.py) is coded in *batches*: the index of the last coefficient of all of its blocks,
then coefficient k of those that have one, for k = 1..63, then DC of all. This is the definition, in
numpy; kernel.py does the same in C.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bitswap_cli.ans.parameters import MixtureParameters
from bitswap_cli.coefficients import CodedBlocks, CoefficientPop, DecisionPop, Decisions
from bitswap_cli.mixing.logits import COST_BITS, costs
from bitswap_models.exact.kernel import Values
from bitswap_models.families.jpeg_vae.config import CELL
from bitswap_models.families.jpeg_vae.features import LEFT, Integers, dequantized, last_of
from bitswap_models.families.jpeg_vae.learning import Around, Learner, Mixture
from bitswap_models.families.jpeg_vae.network import (
    LASTS,
    SYMBOLS,
    BlockNet,
    Surroundings,
    symbols_of,
    values_of,
)
from bitswap_models.families.jpeg_vae.planes import Plane, Wave, surroundings, waves

LAST = -1
ORDER = (*range(1, 64), 0)


class Batch(NamedTuple):
    """Symbols that are coded at a time."""

    wave: Wave
    """Their blocks."""
    coefficient: int
    """Which one of each block, or `LAST`."""
    parameters: MixtureParameters
    """(n, K)"""
    symbols: Callable[[Integers], Integers]
    """Turns values into symbols."""
    seen: Surroundings
    """Of their blocks."""
    last: Integers
    """Of their blocks, as far as it is known: (n,)"""


Code = Callable[[Batch], Integers]
"""Is told a batch; returns its symbols, (n,)."""
Films = list[Values] | None
"""Gains and shifts of the cells of each plane, (cells, 2, C)."""


def walk(net: BlockNet, planes: list[Plane], films: Films, code: Code) -> list[Integers]:
    """Go through planes of one rank batch by batch.

    Returns
    -------
    list of int32 arrays (rows, columns, 64)
        The coefficients of each.
    """
    known = [np.zeros(plane.x.shape, np.int32) for plane in planes]
    for wave in waves(planes):
        seen = surroundings(planes, known, wave)
        context = net.context(seen, _film(planes, films, wave))
        steps = np.stack([plane.component.steps for plane in planes])[wave.plane]
        x = _blocks(net, wave, steps, seen, context, code)
        for i, plane in enumerate(known):
            here = wave.plane == i
            plane[wave.row[here], wave.column[here]] = x[here]
    return known


def _film(planes: list[Plane], films: Films, wave: Wave) -> Values | None:
    if films is None:
        return None
    across = np.array([-(-plane.x.shape[1] // CELL) for plane in planes])[wave.plane]
    cells = wave.row // CELL * across + wave.column // CELL
    return np.stack([films[p][cell] for p, cell in zip(wave.plane, cells, strict=True)])


def _blocks(
    net: BlockNet, wave: Wave, steps: Integers, seen: Surroundings, context: Values, code: Code
) -> Integers:
    """Code the blocks of a wave; returns their coefficients, (N, 64)."""
    x = np.zeros((len(context), 64), np.int32)
    last = code(Batch(wave, LAST, net.last_index(context), lambda x: x, seen, x[:, 0]))
    for k in ORDER:
        here = np.nonzero(last >= k)[0]
        if not len(here):
            continue
        part, mine = _rows(seen, here), last[here]
        predicted = net.predictions(k, part, dequantized(x[here], steps[here]))
        told = net.coefficient(k, part, context[here], (mine, x[here]), predicted)

        def symbols(
            values: Integers, k: int = k, mine: Integers = mine, predicted: Integers = predicted
        ) -> Integers:
            return symbols_of(k, values, mine, predicted)

        coded = code(Batch(_rows(wave, here), k, told, symbols, part, mine))
        x[here, k] = values_of(k, coded, mine, predicted)
    return x


def _rows(fields: Any, here: Any) -> Any:
    """Some rows of all arrays of a tuple, and of tuples therein."""
    parts = (
        _rows(f, here) if isinstance(f, tuple) else f if f is None else f[here] for f in fields
    )
    return type(fields)(*parts)


def mixtures(net: BlockNet, planes: list[Plane], films: Films) -> CodedBlocks:
    """Everything that an encoder of planes of one rank pushes; their coefficients are known."""
    told: list[tuple[int, Integers, MixtureParameters, Integers]] = []
    pictures = np.array([plane.picture for plane in planes], np.int32)

    def code(batch: Batch) -> Integers:
        symbols = batch.symbols(_values(planes, batch)).astype(np.int32)
        told.append((batch.coefficient, symbols, batch.parameters, pictures[batch.wave.plane]))
        return symbols

    walk(net, planes, films, code)
    lasts = [batch for batch in told if batch[0] == LAST]
    others = [batch for batch in told if batch[0] != LAST]
    batches = np.zeros((len(lasts), 64), np.int32)
    at = -1
    for k, symbols, _, _ in told:
        at += k == LAST
        if k != LAST:
            batches[at, k - 1] = len(symbols)  # that of DC is the last one
    return CodedBlocks(
        np.concatenate([batch[1] for batch in lasts]), _joined([batch[2] for batch in lasts]),
        np.concatenate([batch[1] for batch in others]), _joined([batch[2] for batch in others]),
        np.array([len(batch[1]) for batch in lasts], np.int32), batches,
        np.concatenate([batch[3] for batch in (*lasts, *others)]),
    )  # fmt: skip


def _values(planes: list[Plane], batch: Batch) -> Integers:
    """What is to be coded of planes whose coefficients are known."""
    x = np.stack([planes[p].x[r, c] for p, r, c in zip(*batch.wave, strict=True)])
    values = last_of(x) if batch.coefficient == LAST else x[:, batch.coefficient]
    return values.astype(np.int32)


def _joined(parts: list[MixtureParameters]) -> MixtureParameters:
    return MixtureParameters(*(np.concatenate(p) for p in zip(*parts, strict=True)))


def pop(
    net: BlockNet, planes: list[Plane], films: Films, message: CoefficientPop
) -> list[Integers]:
    """Pop the coefficients of planes of one rank."""
    return walk(
        net, planes, films,
        lambda batch: message(batch.parameters, LASTS if batch.coefficient == LAST else SYMBOLS),
    )  # fmt: skip


def decided(net: BlockNet, planes: list[Plane], films: Films) -> Decisions:
    """As `mixtures`, but learn."""
    told: list[int] = []
    bits, table = np.zeros(len(planes)), costs()

    def decide(one: int, bit: int) -> int:
        told.append(bit << 16 | one)
        bits[learner.plane] += table[(one if bit else 65536 - one) >> 4] / 2**COST_BITS
        return bit

    learner = Learner(decide)
    walk(net, planes, films, lambda batch: _learnt(net, learner, batch, _values(planes, batch)))
    owner = np.array([plane.picture for plane in planes], np.int32)
    return Decisions(np.array(told, np.uint32), bits, owner)


def learn(net: BlockNet, planes: list[Plane], films: Films, pop: DecisionPop) -> list[Integers]:
    """As `pop`, but learn."""
    learner = Learner(lambda one, _: pop(one))

    def code(batch: Batch) -> Integers:
        return _learnt(net, learner, batch, np.zeros(len(batch.last), np.int32))

    return walk(net, planes, films, code)


def _learnt(net: BlockNet, learner: Learner, batch: Batch, values: Integers) -> Integers:
    """Code a batch and learn from it; returns its symbols. A decoder's values do not count."""
    learner.begin()
    k, seen = batch.coefficient, batch.seen
    mixed = [Mixture(*parts) for parts in zip(*(p.tolist() for p in batch.parameters), strict=True)]
    coded = []
    if k == LAST:
        around = (seen.blocks.flags[:, :4] // 2).tolist()
        for of, lasts, value, plane in zip(mixed, around, values, batch.wave.plane, strict=True):
            learner.plane = int(plane)
            coded.append(learner.last(of, lasts, int(value)))
        return np.array(coded, np.int32)
    other = seen.blocks.around[:, LEFT, k]
    if net.chroma:
        other = np.where(seen.second, seen.other[:, k], seen.luma[:, k])
    if k == 0:
        values = batch.symbols(values)
    rows = zip(other.tolist(), batch.last.tolist(), strict=True)
    for of, row, value, plane in zip(mixed, rows, values, batch.wave.plane, strict=True):
        learner.plane = int(plane)
        coded.append(learner.value(k, of, Around(*row), int(value)))
    found = np.array(coded, np.int32)
    return batch.symbols(found).astype(np.int32) if k else found
