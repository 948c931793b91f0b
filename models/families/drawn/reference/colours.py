"""Whole colours: is the next pixel's one of those that stand around it, or were seen here before?

Sources are: the place, the first and the second colour of each memory, then W, N, NW, NE, WW, NN
and W + N - NW.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.mixing import Adaptive, Decision, clip, mingle
from bitswap_cli.mixing.tables import STATES, STEPS
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.reference.memory import Followed, Memory, Place
from bitswap_models.families.drawn.reference.palette import Kind
from bitswap_models.families.drawn.reference.window import Window, channel
from bitswap_models.families.drawn.state import (
    CANDIDATES,
    COLOUR_CONTEXTS,
    CONFIDENCES,
    ROLES,
    SETS,
    SOURCES,
)

AROUND = 13  # the first source of the window
Source = tuple[int, int]
"""A colour, and with what confidence; -1 says nothing."""


@dataclass
class Candidate:
    """A colour, the sources that name it, one bit each, and how likely it is."""

    colour: int
    agreeing: int = 0
    score: int = -LIMIT


def sources(
    v: Window, place: Place | None, there: int, told: Sequence[Followed], channels: int
) -> list[Source]:
    """What all sources say."""
    found = [(there, min(place.run, 31) if place else -1)]
    for f in told:
        found.append((f.first, min(f.run, 31) if f.run else -1))
        found.append((f.second, min(f.run, 7) * 4 + f.again if f.again else -1))
    total = sum(
        clip(channel(v.w, k) + channel(v.n, k) - channel(v.nw, k), 0, 255) << (8 * k)
        for k in range(channels)
    )
    around = v.w, v.n, v.nw, v.ne, v.ww, v.nn, total
    return found + [(colour, v.equal) for colour in around]


def gather(
    a: Adaptive, kind: Kind, told: Sequence[Source], each: int, without: Collection[int]
) -> list[Candidate]:
    """Distinct colours that the picture may have, but those that have been ruled out."""
    found: dict[int, Candidate] = {}
    for i, (colour, confidence) in enumerate(told):
        if confidence < 0 or colour in without or not kind.may_have(colour):
            continue
        own = a.logit[a.chance("right", i * CONFIDENCES + confidence)]
        candidate = found.setdefault(colour, Candidate(colour))
        candidate.agreeing |= 1 << i
        candidate.score = max(candidate.score, own)
    for candidate in found.values():
        candidate.score += each * candidate.agreeing.bit_count()
    return list(found.values())


def code_colour(
    coder: Encoder | Decoder,
    a: Adaptive,
    memory: Memory,
    v: Window,
    kind: Kind,
    told: Sequence[Source],
    config: Config,
    without: list[int],
    colour: int,
) -> int | None:
    """Ask candidate after candidate, the likeliest first; None if it is none of them.

    Those with a score below `config.least` are left out. `without` are colours that have been ruled
    out; those of candidates are added.
    """
    each = config.numbers.each_source
    rest = [own for own in gather(a, kind, told, each, without) if own.score >= config.least]
    rejected = 0
    for rank in range(min(len(rest), CANDIDATES)):
        best = max(range(rank, len(rest)), key=lambda j: (rest[j].score, -j))
        rest[rank], rest[best] = rest[best], rest[rank]
        candidate = rest[rank]
        decision = Decision(a)
        _see(decision, memory, v, told, candidate, rejected, rank, kind.channels)
        one = _mixed(decision, told, candidate.agreeing, rejected, rank, kind.channels)
        found = coder.code(one, int(candidate.colour == colour))
        decision.learn(found, config.numbers.colour_rate)
        if found:
            return candidate.colour
        rejected |= candidate.agreeing
        without.append(candidate.colour)
    return None


def _see(
    decision: Decision,
    memory: Memory,
    v: Window,
    told: Sequence[Source],
    candidate: Candidate,
    rejected: int,
    rank: int,
    channels: int,
) -> None:
    agreeing, confidence = candidate.agreeing, [own for _, own in told]
    for i in range(SOURCES):
        if confidence[i] < 0:
            decision.inputs.append(0)
            continue
        role = 0 if agreeing >> i & 1 else 2 if rejected >> i & 1 else 1
        decision.see("hit", (i * ROLES + role) * CONFIDENCES + confidence[i])
    shape = mingle(v.equal | v.flat << 7, channels)
    sure = (confidence[1] + 1) * 64 + confidence[3] + 1
    contexts = (
        mingle(agreeing, mingle(rejected, 1)),
        mingle(shape, mingle(agreeing >> AROUND, mingle(rank, 2))),
        mingle(candidate.colour, mingle(v.w, 3)),
        mingle(agreeing, mingle(confidence[0] + 1, mingle(sure, 4))),
    )
    for k in range(COLOUR_CONTEXTS):
        decision.see_slot(memory.slot(contexts[k]), 1, "colour_slots", k * STATES)


def _mixed(
    decision: Decision,
    told: Sequence[Source],
    agreeing: int,
    rejected: int,
    rank: int,
    channels: int,
) -> int:
    """The probability; sets of weights are chosen by the rank, and by which sources agree."""
    pattern = agreeing & 1 | (agreeing >> 1 & 1) << 1 | (agreeing >> 3 & 1) << 2
    pattern |= (agreeing >> 7 & 1) << 3 | (agreeing >> AROUND & 3) << 4
    pattern |= (told[1][1] >= 0) << 6 | (told[3][1] >= 0) << 7
    pattern |= (rank > 0) << 8 | (rank > 1) << 9
    sets = [
        ("colour_by_rank", (channels - 1) * CANDIDATES + rank),
        ("colour_by_sources", pattern),
    ]
    which = mingle(agreeing, mingle(rejected, 1)) >> 22
    return decision.mix(sets, ("colour_sets", rank * SETS), ("colour_steps", which * STEPS))
