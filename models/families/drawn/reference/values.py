"""A colour that no source knows: channel by channel, bit by bit, the highest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.mixing import Adaptive, Decision, clip, mingle
from bitswap_cli.mixing.tables import COUNTS, REACH, STATES, STEPS
from bitswap_models.families.drawn.config import Numbers
from bitswap_models.families.drawn.reference.faults import damaged, lacking
from bitswap_models.families.drawn.reference.memory import Memory
from bitswap_models.families.drawn.reference.palette import ORDER, Kind
from bitswap_models.families.drawn.reference.window import Window, channel, median
from bitswap_models.families.drawn.state import (
    ACTIVITIES,
    AGREED,
    AGREEMENTS,
    ANCHORS,
    CHANNELS,
    SETS,
)

LEAST_SCALE = 7000


@dataclass
class Outlook:
    """What is known of one channel of a pixel before its value."""

    anchors: list[int]
    scales: list[int]
    """Where the scale of each is."""
    known: tuple[list[int], list[int]]
    """Values that it may repeat."""
    contexts: list[int]
    activity: int
    numbers: Numbers


def outlook(
    v: Window,
    pixel: int,
    place: int,
    channels: int,
    prefix: int,
    picture: int,
    numbers: Numbers,
) -> Outlook:
    """Look at a channel; `pixel` holds those before it, and `prefix` is a hash of these."""
    k = ORDER[channels - 1][place]
    tied = channels >= 3 and k not in (0, 3)  # to the channel before
    w, n, nw, ne, ww, nn, nne = (channel(c, k) for c in (v.w, v.n, v.nw, v.ne, v.ww, v.nn, v.nne))
    plain = [median(w, n, nw), w, n, (w + n + 1) >> 1]
    plain += [plain[0], plain[3]] if tied else [w + ((ne - nw) >> 1), n + ne - nne]
    steps, surprise, before = 0, 0, 0
    if tied:
        before = channel(pixel, k - 1)
        pw, pn, pnw = (channel(c, k - 1) for c in (v.w, v.n, v.nw))
        surprise = before - median(pw, pn, pnw)
        shifts = surprise, before - pw, before - pn, before - ((pw + pn + 1) >> 1)
        plain[:4] = [value + shift for value, shift in zip(plain, shifts, strict=False)]
        steps = abs(before - pw) + abs(before - pn)
    anchors = [clip(value, 0, 255) for value in plain]
    activity = (abs(w - nw) + abs(n - nw) + abs(n - ne) + abs(w - ww) + abs(n - nn)).bit_length()
    busy = min(activity, 7) * 8 + min(steps.bit_length(), 7)
    own = partial(_own, place * 64 + channels * 8)
    contexts = [
        mingle(prefix, own(1)),
        mingle(mingle(prefix, v.w), own(2)),
        mingle(mingle(prefix, v.n), own(3)),
        mingle(w << 8 | n, mingle(before, own(4))),
        mingle(median(w, n, nw) << 10 | (surprise + 256), own(5)),
        mingle(anchors[1], mingle(int(tied), own(6))),
        mingle(anchors[2], own(7)),
        mingle(anchors[1] << 8 | anchors[2], own(8)),
        mingle(anchors[0], mingle(busy, own(9))),
        mingle(mingle(v.w, v.n), mingle(prefix, own(10))),
        mingle(mingle(prefix, picture), own(11)),
    ]
    scales = [(i * CHANNELS + place) * ACTIVITIES + busy for i in range(ANCHORS)]
    own_ones = [contexts[k] for k in numbers.chosen]
    return Outlook(anchors, scales, ([w, n, nw, ne], anchors[:4]), own_ones, activity, numbers)


def _own(base: int, number: int) -> int:
    return base + number * 0x1000


def _see_anchors(decision: Decision, o: Outlook, low: int, middle: int, high: int) -> None:
    """The share of 1 in low..high-1, cut in the middle, under a logistic about each anchor."""
    a = decision.adaptive
    for anchor, at in zip(o.anchors, o.scales, strict=True):
        inverse = (1 << 32) // max(a.of["scale"][at] * o.numbers.scale >> 4, LEAST_SCALE)

        def below(edge: int, anchor: int = anchor, inverse: int = inverse) -> int:
            z = -REACH if edge == 0 else REACH
            if 0 < edge < 256:
                z = clip((2 * (edge - anchor) - 1) * inverse >> 9, -REACH, REACH)
            found: int = a.sigmoid[z + REACH]
            return found

        whole, upper = below(high) - below(low) + 2, below(high) - below(middle) + 1
        decision.inputs.append(a.logit[(upper << 15) // whole * 2])


def _agreement(values: list[int], prefix: int, bit: int) -> int:
    """Which of four values a prefix of bits agrees with, and what bit each would bring."""
    found = 0
    for value in values:
        agrees = (value | 256) >> (bit + 1) == prefix
        found = 3 * found + (1 + (value >> bit & 1) if agrees else 0)
    return found


def _known(halves: list[list[int]], node: int) -> int:
    """How well contexts know what follows: the first of eleven, two others of six."""
    if len(halves) > 6:
        return halves[0][node] & 15
    one, other = (sum((half[node] & 15) > least for least in (0, 2, 8)) for half in halves[1:3])
    return 4 * one + other


def _code_value(
    coder: Encoder | Decoder,
    a: Adaptive,
    memory: Memory,
    o: Outlook,
    place: int,
    channels: int,
    flags: int,
    rest: list[int],
    value: int,
) -> int:
    shift = 8 * (channels - 1 - place)  # of its bits in keys
    if len(rest) == 1:
        return rest[0] >> shift & 255
    busy = 2 if o.activity > 5 else 1 if o.activity > 2 else 0
    prefix, low, high = 1, 0, 256
    halves: list[list[int]] = []
    for bit in range(7, -1, -1):
        if bit in (7, 3):
            hashes = [mingle(context, 0 if bit == 7 else prefix) for context in o.contexts]
            halves = [memory.bucket(h) for h in hashes]
        node = prefix if bit > 3 else prefix & ((1 << (3 - bit)) - 1) | 1 << (3 - bit)
        middle, ones = (low + high) >> 1, [key for key in rest if key >> (shift + bit) & 1]
        if rest and len(ones) in (0, len(rest)):  # nothing to decide
            prefix = 2 * prefix + bool(ones)
            low, high = (middle, high) if ones else (low, middle)
            continue
        decision = Decision(a, o.numbers.inputs, o.numbers.haste)
        _see_anchors(decision, o, low, middle, high)
        for k, half in enumerate(halves):
            first = (k * CHANNELS + place) * STATES
            decision.see_slot(half, node, "value_slots", first, twice=not o.numbers.few)
        for k in range(AGREEMENTS):
            found = (_agreement(o.known[k], prefix, bit) * 16 + flags) * 8 + bit
            decision.see("agree", (k * CHANNELS + place) * AGREED + found)
        decision.inputs.append(a.logit[(len(ones) << 16) // len(rest)] if rest else 0)
        sets = [
            ("value_by_bit", ((channels - 1) * CHANNELS + place) * 8 + bit),
            ("value_by_prefix", place * 256 + prefix),
            ("value_by_activity", (place * 3 + busy) * COUNTS + _known(halves, node)),
        ]
        of_sets, steps = (place * 8 + bit) * SETS, (place * 256 + prefix) * STEPS
        one = decision.mix(sets, ("value_sets", of_sets), ("value_steps", steps))
        found = coder.code(one, value >> bit & 1)
        decision.learn(found, o.numbers.rate)
        prefix = 2 * prefix + found
        low, high = (middle, high) if found else (low, middle)
        rest[:] = ones if found else [key for key in rest if not key >> (shift + bit) & 1]
    return prefix - 256


def code_values(
    coder: Encoder | Decoder,
    a: Adaptive,
    memory: Memory,
    v: Window,
    kind: Kind,
    numbers: Numbers,
    without: Collection[int],
    colour: int,
) -> int:
    """Code a colour, which is none `without`; a decoder is told any."""
    channels, rest = kind.channels, kind.all_but(without)
    if kind.keys and not rest:
        raise damaged() if coder.decoding else lacking()
    pixel = prefix = 0
    flags = 15  # which of W, N, NW, NE all channels so far, but alpha, repeated
    for place, k in enumerate(ORDER[channels - 1]):
        o = outlook(v, pixel, place, channels, prefix, kind.number, numbers)
        known = place, channels, flags, rest, channel(colour, k)
        value = _code_value(coder, a, memory, o, *known)
        scales = a.of["scale"]
        for anchor, at in zip(o.anchors, o.scales, strict=True):
            scales[at] += ((abs(value - anchor) << 16) - scales[at]) >> numbers.slowness
        if channels % 2 or place:
            same = [value == known for known in o.known[0]]
            flags &= sum(bit << i for i, bit in enumerate(same))
        pixel |= value << (8 * k)
        prefix = mingle((prefix + 1) & 0xFFFFFFFF, value)
    if not coder.decoding and pixel != colour:
        raise lacking()
    return pixel
