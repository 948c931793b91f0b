"""Netpbm's plain formats: PBM (P1), PGM (P2) and PPM (P3), whose samples are numbers in a text."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.deep import high_first, whole
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rasters.pnm import Head, head_of
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.picture import Picture, Recipe

MAGIC: Sequence[bytes] = (b"P1", b"P2", b"P3")
KINDS: Sequence[Kind] = (
    Kind("pnm-plain", 45, exact=True, plain=False, common=True, feature="pnm-plain"),
)

_BITS = 1  # the number of PBM, whose samples are digits that nothing has to part
_DIGITS = 5
_LONGEST = 16  # bytes of a gap, which are white space, or of a number that is filled up
_MOST = 1 << 24  # samples: each takes some bytes of memory
_LARGEST = 1 << 28  # bytes of a file
_BLOCK = 1 << 18  # samples that are written at a time
_COUNT, _WITHIN, _BEYOND = range(3)  # where a line ends
_WITHIN_PIXEL, _PIXEL, _LINE, _ROW = range(4)  # gaps

Values = NDArray[np.uint16]
Places = NDArray[np.int32]
Flags = NDArray[np.bool_]


class _Rule(NamedTuple):
    """Where lines end."""

    by: int
    """Behind so many samples; behind the last one within so many characters, or else the first;
    behind the first one with which there are as many, or more."""
    most: int
    """How many."""
    rows: bool
    """Whether they end with each row, too."""
    apart: bool
    """Whether samples of a pixel may stand in different lines, where characters are counted."""


class _Text(NamedTuple):
    """How the samples are written."""

    rule: _Rule
    width: int
    """Characters to which spaces before it fill up a number."""
    gaps: tuple[bytes, ...]
    """What stands behind a sample: in a pixel, behind it, at the end of a line, and of a row."""

    def described(self) -> bytes:
        """Return a description."""
        by, most, rows, apart = self.rule
        told = [bytes([by + 3 * rows + 6 * apart, self.width]), varint(most)]
        return b"".join(told + [bytes([len(gap)]) + gap for gap in self.gaps])

    @classmethod
    def of(cls, recipe: Recipe) -> "_Text":
        """Read that of a recipe."""
        reader = Reader(recipe.description)
        flags, width = reader.take(2)
        most = reader.varint()
        gaps = tuple(reader.take(reader.take(1)[0]) for _ in range(4))
        known = flags < 12 and most > 0 and max(width, *map(len, gaps)) <= _LONGEST
        if reader.rest() or not known or b"".join(gaps).strip():
            raise misfit(recipe)
        return cls(_Rule(flags % 3, most, flags // 3 % 2 > 0, flags >= 6), width, gaps)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`. What the rule does not tell shows when the file is written again."""
    head = head_of(data)
    if head is None or not 0 < head.samples <= _MOST or len(data) > _LARGEST:
        return None
    read = _read(data, head)
    if read is None:
        return None
    values, starts, lengths, broken = read
    text = _found(data, head, starts, lengths, broken)
    if text is None:
        return None
    stored = values.astype(">u2" if head.deep else np.uint8).view(np.uint8)
    pixels = stored.reshape(*head.shape[:2], -1)
    start = int(starts[0]) - max(0, text.width - int(lengths[0]))
    recipe = Recipe(kind, data[:start], data[starts[-1] + lengths[-1] :], text.described())
    return Picture(high_first(pixels) if head.deep else pixels, recipe)


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    head, text = head_of(recipe.prefix), _Text.of(recipe)
    pixels = _samples(recipe, samples, head)
    if (
        head is None
        or head.number > len(MAGIC)
        or head.samples > _MOST
        or pixels.shape != (head.height, head.width, head.channels)
    ):
        raise misfit(recipe)
    return b"".join([recipe.prefix, *_written(pixels.reshape(-1), head, text), recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: as of `pnm`."""
    head = head_of(recipe.prefix)
    pixels = _samples(recipe, samples, head)
    return np.where(pixels, 0, 255).astype(np.uint8) if head and head.number == _BITS else pixels


def _samples(recipe: Recipe, samples: Samples, head: Head | None) -> Pixels:
    """Return samples as numbers, those of 16 bits put together."""
    pixels = samples.view(np.uint8)
    return whole(pixels) if head and head.deep else pixels


def _read(data: bytes, head: Head) -> tuple[Values, Places, Values, Flags] | None:
    """Return the samples of a text, where each begins and how many digits it has, and whether there
    is a line's end behind it; None if there are too few."""
    text = np.frombuffer(data + bytes(_DIGITS), np.uint8)
    digit = (text >= ord("0")) & (text <= ord("9"))
    digit[: head.start] = False
    first = digit.copy()
    if head.number != _BITS:
        first[1:] &= ~digit[:-1]
    starts = np.flatnonzero(first)[: head.samples].astype(np.int32)
    if len(starts) < head.samples:
        return None
    values, lengths = np.zeros(len(starts), np.int32), np.zeros(len(starts), np.uint16)
    more = np.ones(len(starts), bool)
    for place in range(1 if head.number == _BITS else _DIGITS):
        more &= digit[starts + place]
        values = np.where(more, 10 * values + text[starts + place] - ord("0"), values)
        lengths += more
    if values.max() >= 1 << (16 if head.deep else 1 if head.number == _BITS else 8):
        return None
    broken = np.logical_or.reduceat(text == ord("\n"), starts)
    return values.astype(np.uint16), starts, lengths, broken[:-1]


def _found(data: bytes, head: Head, starts: Places, lengths: Values, broken: Flags) -> _Text | None:
    """Find out how samples are written, as far as lines and the first gaps tell; None if lines end
    by no rule."""
    row, count = head.width * head.channels, len(starts)
    rows = head.height > 1 and bool(np.all(broken[row - 1 :: row]))
    ends_row, ends_pixel = np.zeros(count - 1, bool), np.zeros(count - 1, bool)
    ends_row[row - 1 :: row] = rows
    ends_pixel[head.channels - 1 :: head.channels] = True
    classes = ~broken & ~ends_pixel, ~broken & ends_pixel, broken & ~ends_row, ends_row
    between = np.diff(starts) - lengths[:-1].astype(np.int32)
    width = max(_filled(between[own], lengths[1:][own]) for own in classes)
    pads = np.maximum(width - lengths.astype(np.int32), 0)

    def gap(own: Flags) -> bytes:
        at = int(own.argmax()) if own.any() else -1
        return data[starts[at] + lengths[at] : starts[at + 1] - pads[at + 1]] if at >= 0 else b""

    in_pixel, behind_pixel, *others = map(gap, classes)
    if head.channels > 1:  # where one is nowhere in the text, lines are as long as by the other
        in_pixel, behind_pixel = in_pixel or behind_pixel, behind_pixel or in_pixel
    gaps = (in_pixel, behind_pixel, *others)
    if width > _LONGEST or max(map(len, gaps)) > _LONGEST or b"".join(gaps).strip():
        return None
    last = np.append(np.flatnonzero(broken), count - 1)  # of each line
    begin = np.append(0, last[:-1] + 1)
    length = starts[last] + lengths[last] - starts[begin] + pads[begin]
    inner = ~ends_row[last[:-1]]
    rules = [_Rule(_COUNT, int((last + 1 - begin).max()), rows, False)]
    for apart in (False, True)[: head.channels]:
        rules.append(_Rule(_WITHIN, int(length.max()), rows, apart))
        if inner.any():
            rules.append(_Rule(_BEYOND, int(length[:-1][inner].min()), rows, apart))
    own = lengths + pads.astype(np.uint16)
    for rule in rules:
        text = _Text(rule, width, gaps)
        if np.array_equal(_line_ends(own, head, text)[:-1], broken):
            return text
    return None


def _filled(gaps: Places, lengths: Values) -> int:
    """Return how long spaces make numbers of so many digits, by gaps alike but for these; 0 if none
    are filled up."""
    more = gaps - gaps.min(initial=np.iinfo(np.int32).max)
    return int((lengths + more)[more > 0].max(initial=0))


def _line_ends(lengths: Values, head: Head, text: _Text) -> Flags:
    """Tell behind which samples, of so many characters, lines end."""
    rule, row = text.rule, head.width * head.channels
    span = row if rule.rows else len(lengths)
    if rule.by == _COUNT:
        ends = np.arange(span) % rule.most == rule.most - 1
        ends[-1] |= rule.rows
        return np.tile(ends, len(lengths) // span)
    behind = np.full(len(lengths), len(text.gaps[_WITHIN_PIXEL]), np.int32)
    behind[head.channels - 1 :: head.channels] = len(text.gaps[_PIXEL])
    begins = np.cumsum(lengths + behind, dtype=np.int32)  # of the next sample
    unit = 1 if rule.apart else head.channels
    kept = slice(unit - 1, None, unit)
    found = np.zeros(len(lengths), bool)
    places = _ended(begins[kept] - behind[kept], begins[kept], span // unit, rule)
    found[kept][np.fromiter(places, np.int32)] = True
    return found


def _ended(ends: Places, begins: Places, span: int, rule: _Rule) -> Iterator[int]:
    """Yield the units behind which lines end, by where units end and the next ones begin, if these
    were one line; in each span, which ends one if rows do."""
    search, before = (bisect_right, 1) if rule.by == _WITHIN else (bisect_left, 0)
    places, at, begin = ends.data, 0, 0
    while at < len(ends):
        stop = (at // span + 1) * span
        found = search(places, begin + rule.most, at, min(stop, at + rule.most + 1)) - before
        last = min(max(found, at), stop - 1)
        yield last
        at, begin = last + 1, int(begins[last])


def _written(values: Pixels, head: Head, text: _Text) -> Iterator[bytes]:
    """Yield what samples are as a text, without what is behind the last one."""
    row = head.width * head.channels
    told = [b"%*d" % (text.width, value) for value in range(int(values.max()) + 1)]
    numbers = _table(told)
    gaps = np.zeros(len(values), np.uint8)
    gaps[head.channels - 1 :: head.channels] = _PIXEL
    gaps[_line_ends((numbers > 0).sum(axis=1).astype(np.uint16)[values], head, text)] = _LINE
    if text.rule.rows:
        gaps[row - 1 :: row] = _ROW
    every = _table([*text.gaps, b""])
    gaps[-1] = len(text.gaps)
    for start in range(0, len(values), _BLOCK):
        own = slice(start, start + _BLOCK)
        cells = np.concatenate([numbers[values[own]], every[gaps[own]]], axis=1)
        yield cells[cells > 0].tobytes()


def _table(texts: Sequence[bytes]) -> NDArray[np.uint8]:
    """Return texts as rows, zeros behind the shorter ones."""
    longest = max(1, *map(len, texts))
    return np.array(texts, f"S{longest}").view(np.uint8).reshape(len(texts), longest)
