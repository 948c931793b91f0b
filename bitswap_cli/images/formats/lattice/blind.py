"""Finds the map by which colours were made where it is none of the known ones: by combs.

Colours by a map are integers of luma and chroma, times a matrix, and rounded. So e^(2 pi i f c),
over all colours c, adds up where f is of the dual lattice, whatever the picture shows; the rounding
alone damps it. Luma adds equally to red, green and blue: of their differences only chroma is left,
whose two frequencies a transform in two dimensions tells, and then luma's is one of one dimension.
"""

from collections.abc import Iterable, Iterator
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import LUMA, Map, Plane
from bitswap_cli.images.formats.lattice.own import LIKELY, SHIFT, own_map, pack
from bitswap_cli.images.formats.lattice.sample import Colours
from bitswap_cli.images.formats.lattice.search import Searcher

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Comb = tuple[float, tuple[int, int]]  # how strong it is, and its frequency, in 1 / _LEVELS
_LEVELS = 256
_COLOURS, _TRIED = 1000, 4000  # are asked, at least; and at most by each trial
_LARGEST = 127  # of a difference that is looked at
_STRENGTH = 0.25  # of chroma's combs; where there is none, it is 1 / sqrt(colours), or a bit more
# Where chroma's frequencies are by any standard, of contrast .8 to 1.6: from and to, of red less
# green, and of blue less green; for blue's chroma and red's.
_BOXES = ((-0.3, -0.02, 0.3, 0.72), (0.3, 0.72, -0.25, -0.01))
_LUMA = (512, 1434)  # where its frequency is, in 1 / 1024
_FINE = 8  # parts of a level that luma is looked at in
_BLUE, _RED, _GREEN_OF_BLUE, _GREEN_OF_RED = range(1, 5)  # tables, after luma's
# Which of a map's numbers are the factors of luma, blue's chroma, red's and 1 in red, green and
# blue: (3, 8, 4).
_FACTORS = np.zeros((3, 8, 4))
_FACTORS[[0, 0, 0, 1, 1, 1, 1, 2, 2, 2], [0, 2, 5, 0, 3, 4, 6, 0, 1, 7],
         [0, 2, 3, 0, 1, 2, 3, 0, 1, 3]] = 1  # fmt: skip
_ROUNDS, _MOST_ROUNDS = 8, 24
_STEPS, _NEAR = 5, 1e-8  # of Newton's method, at most, and how little the last one moves
_ZEROS = (0, 10, 16)  # bits that products are rounded to: not at all, to 1/64, or wholly
_PEAKS, _BESIDE = 3, 4  # combs that are tried, and how near to one there is no other
_HOPEFUL = 0.5  # of colours are made without: then other rounding is tried
_SURE, _SURELY = 0.95, 0.998  # of colours are made: then no other comb is tried; and none at all
_MIDDLE = 128
_LEAST, _MOST, _ADDED = 0.02, 8, 1 << 11  # of steps, and of what is added
_GRID, _BIT = 1 << 24, 1 / 4096
_WHOLE = 0.003  # by how much luma's step is less than one, where all values of luma are seen


class Fitted(NamedTuple):
    """A map, and how many colours it makes that are within a range."""

    map: Map
    on: int


class _Numbers(NamedTuple):
    """What tells the lines of a map."""

    told: _Floats
    """See `_solved`."""
    black: int
    """Its luma."""


class _Trial(NamedTuple):
    """A map that was tried."""

    numbers: _Numbers
    zeros: int
    made: Fitted


def may_have_map(colours: Plane) -> bool:
    """Tell whether there are strong combs in some different colours (n, 3), none of which is gray
    or at an end of a range."""
    return len(colours) >= _COLOURS and all(_combs(_shown(colours.astype(np.int64))))


def find_map(search: Searcher, colours: Colours) -> Fitted | None:
    """Find the map by which most of some colours within a range were made, by `LIKELY` or by combs;
    None if no combs are strong."""
    inside = colours.inside
    few = np.ascontiguousarray(inside[:: -(-len(inside) // _TRIED)])
    likely = _most(_made_by(search, own_map(told), few) for told in LIKELY)
    if likely.on >= _SURELY * len(few):
        return _made_by(search, likely.map, colours.within)
    found: list[_Trial] = []
    for matrix in _matrices(inside.astype(np.int64)):
        told = _fitted(matrix, few.astype(np.int64))
        if told is None:
            continue
        placed = _placed(told, colours.every)
        for zeros in _ZEROS:
            found.append(_settled(search, placed, zeros, few))
            if found[-1].made.on < _HOPEFUL * len(few):
                break
        if _most(trial.made for trial in found).on >= _SURE * len(few):
            break
    if not found:
        return None
    best = max(found, key=lambda trial: trial.made.on)
    first = _settled(search, best.numbers, best.zeros, colours.within)
    second = _settled(search, _halves(first.numbers), best.zeros, colours.within)
    return _most([first.made, second.made, _made_by(search, likely.map, colours.within)])


def _made_by(search: Searcher, used: Map, colours: Plane) -> Fitted:
    """Return a map with how many colours it makes."""
    return Fitted(used, search.triples(used, colours).on)


def _most(maps: Iterable[Fitted]) -> Fitted:
    """Return the map that makes most."""
    return max(maps, key=lambda fitted: fitted.on)


def _halves(numbers: _Numbers) -> _Numbers:
    """Return numbers by which black is a whole number or a half, as programs have it that round
    down or to the nearest; and a bit more, as what is a bit less than a whole one is another."""
    told, black = numbers
    lies = _matrix_of(told) @ np.array([black, _MIDDLE, _MIDDLE])
    halves = np.rint(2 * (told[5:] + lies)) / 2 + _BIT
    return numbers._replace(told=np.append(told[:5], halves - lies))


def _settled(search: Searcher, numbers: _Numbers, zeros: int, colours: Plane) -> _Trial:
    """Return the map nearby that makes most colours."""
    found = []
    for _ in range(_ROUNDS):
        used = own_map(pack(_lines(numbers), zeros))
        seen = search.triples(used, colours)
        found.append(_Trial(numbers, zeros, Fitted(used, seen.on)))
        sums, off = search.moments(used, colours, seen.planes)
        told = numbers.told + _solved(sums)
        if not off or not _is_plausible(told):
            break
        numbers = numbers._replace(told=told)
    return max(found, key=lambda trial: trial.made.on)


@cache
def _boxes() -> tuple[NDArray[np.bool_], ...]:
    """Return where in a transform chroma's frequencies may be."""
    own = np.fft.fftfreq(_LEVELS)
    return tuple(
        np.logical_and.outer(_between(own, *box[:2]), _between(own, *box[2:])) for box in _BOXES
    )


def _between(own: NDArray[Any], low: float, high: float) -> NDArray[np.bool_]:
    """Tell which frequencies are in a range, if any whole number is added."""
    return (own - low) % 1 <= high - low


def _shown(colours: _Ints) -> _Ints:
    """Return how often there is each red less green, and blue less green, modulo `_LEVELS`."""
    pairs = colours[:, ::2] - colours[:, 1:2]
    index = pairs[(np.abs(pairs) <= _LARGEST).all(1)] % _LEVELS
    shown = np.bincount(index[:, 0] * _LEVELS + index[:, 1], minlength=_LEVELS**2)
    return shown.reshape(_LEVELS, _LEVELS)


def _combs(shown: _Ints) -> list[list[_Comb]]:
    """Return the strong combs of blue's chroma and of red's."""
    power = np.abs(np.fft.fft2(shown))
    least = _STRENGTH * int(shown.sum())
    return [list(_peaks(np.where(where, power, 0), least)) for where in _boxes()]


def _matrices(colours: _Ints) -> Iterator[_Floats]:
    """Yield red, green and blue of a step of luma, blue's chroma and red's, in columns, as combs
    tell them; the strongest one first."""
    shown = _shown(colours)
    finely = cache(partial(_finely, shown))
    for pair in sorted(product(*_combs(shown)), key=lambda pair: -pair[0][0] * pair[1][0]):
        peaks = [finely(place, box) for (_, place), box in zip(pair, _BOXES, strict=True)]
        matrix = _matrix(np.array(peaks), colours)
        if matrix is not None:
            yield matrix


def _peaks(power: _Floats, least: float) -> Iterator[_Comb]:
    """Yield the strongest combs that are strong enough."""
    for _ in range(_PEAKS):
        best = int(power.argmax())
        strength = float(power.flat[best])
        if not strength > least:
            return
        place = divmod(best, _LEVELS)
        yield strength, place
        near = np.arange(-_BESIDE, _BESIDE + 1)
        power[np.ix_(*((np.array(place)[:, None] + near) % _LEVELS))] = 0


def _finely(shown: _Ints, place: tuple[int, int], box: tuple[float, ...]) -> _Floats:
    """Return where near a frequency a comb is the strongest, by Newton's method: its logarithm is
    nearly a parabola there."""
    low = np.array(box[::2])
    found: _Floats = (np.array(place) / _LEVELS - low) % 1 + low
    levels = np.fft.fftfreq(_LEVELS, 1 / _LEVELS)
    powers = levels ** np.arange(3)[:, None]
    for _ in range(_STEPS):
        one, other = (powers * np.exp(-2j * np.pi * f * levels) for f in found)
        moments = np.einsum("ja,ka->jk", one, np.einsum("ab,kb->ka", shown, other))
        told = moments / moments[0, 0]
        slope = np.array([told[1, 0], told[0, 1]])
        curved = np.array([[told[2, 0], told[1, 1]], [told[1, 1], told[0, 2]]])
        bent = (curved - np.outer(slope, slope)).real
        if not (np.trace(bent) > 0 and np.linalg.det(bent) > 0):  # no peak
            break
        step = np.linalg.solve(bent, slope.imag) / (2 * np.pi)
        found = found + step.clip(-0.5 / _LEVELS, 0.5 / _LEVELS)
        if np.abs(step).max() < _NEAR:
            break
    return found


def _matrix(peaks: _Floats, colours: _Ints) -> _Floats | None:
    """Return red, green and blue of a step of luma, blue's chroma and red's, in columns; None if
    they are none of any standard."""
    if abs(np.linalg.det(peaks)) < 1 / _LEVELS:
        return None
    chroma = np.linalg.inv(peaks)  # red less green, and blue less green, of both
    of_blue, of_red = -chroma[0, 0], -chroma[1, 1]  # luma takes what blue's chroma adds to red
    blue, red = chroma[1, 0] + of_blue, chroma[0, 1] + of_red
    told = np.array([1, blue, red, of_blue, of_red, 0, 0, 0])
    if not _is_plausible(told):
        return None
    matrix = _matrix_of(told)
    weighed = _times(colours, np.linalg.inv(matrix)[:1])[:, 0]
    least = weighed.min()
    shown = np.bincount(((weighed - least) * _FINE).astype(np.int64))
    points = 1024 * _FINE
    power = np.abs(np.fft.rfft(shown, points)[_LUMA[0] : _LUMA[1]])
    matrix[:, 0] = 1024 / (_LUMA[0] + int(power.argmax()))
    return matrix


def _fitted(matrix: _Floats, colours: _Ints) -> _Floats | None:
    """Return what `_solved` makes of some colours by luma and chroma that are sought by turns with
    it; None if that leads nowhere."""
    inverse = np.linalg.inv(matrix)
    exact = _times(colours, inverse)
    phases = np.exp(2j * np.pi * exact).mean(0)
    parts = np.rint(exact - np.angle(phases) / (2 * np.pi))
    for _ in range(_MOST_ROUNDS):
        known = np.column_stack([parts, np.ones(len(parts))])
        sums = np.einsum("ni,nj->ij", known, np.column_stack([known, colours]))
        told, before = _solved(sums), parts
        if not _is_plausible(told):
            return None
        parts = np.rint(_times(colours - told[5:], np.linalg.inv(_matrix_of(told))))
        if np.array_equal(parts, before):
            break
    return told


def _times(colours: NDArray[Any], rows: NDArray[Any]) -> _Floats:
    """Return each colour (n, 3) times rows (m, 3), (n, m): matrices of this shape make libraries
    start threads that take longer than the product."""
    red, green, blue = colours.T[:, :, None]
    found: _Floats = red * rows[:, 0] + green * rows[:, 1] + blue * rows[:, 2]
    return found


def _solved(sums: NDArray[Any]) -> _Floats:
    """Return the steps of luma, blue's chroma, red's, and both of green, and what is added to red,
    green and blue, that make what is wanted, by least squares.

    `sums` are those of products of luma, blue's chroma, red's and 1, and of these and of red, green
    and blue as they are wanted, (4, 7).
    """
    squares = (_FACTORS @ sums[:, :4] @ _FACTORS.swapaxes(1, 2)).sum(0) + 1e-6 * np.eye(8)
    right = (_FACTORS @ sums[:, 4:].T[:, :, None]).sum(0)[:, 0]
    found: _Floats = np.linalg.solve(squares, right)  # of whole numbers, so that order is no matter
    return np.rint(found * _GRID) / _GRID


def _is_plausible(told: _Floats) -> bool:
    """Tell whether these may be numbers of a map."""
    signs = np.array([1, 1, 1, -1, -1])
    steps = signs * told[:5]
    return bool(((steps > _LEAST) & (steps < _MOST)).all() and (np.abs(told[5:]) < _ADDED).all())


def _matrix_of(told: _Floats) -> _Floats:
    """Return red, green and blue of steps, in columns."""
    luma, blue, red, of_blue, of_red = told[:5]
    return np.array([[luma, 0, red], [luma, of_blue, of_red], [luma, blue, 0]])


def _placed(told: _Floats, colours: Plane) -> _Numbers:
    """Return the same if luma and chroma as whole numbers are what they are by known maps, gray
    having chroma of 128; and the luma of black."""
    matrix, added, luma = _matrix_of(told), told[5:], float(told[0])
    inverse = np.linalg.inv(matrix)
    own = np.rint(_times(colours - added, inverse[LUMA : LUMA + 1]))
    black, gray = (np.rint(inverse @ (level - added)) for level in (0, _MIDDLE))
    # of more values than there are, those in the middle; of fewer, those that are seen
    if luma > 1 - _WHOLE:
        at = round((_LEVELS - (_LEVELS - 1) / luma) / 2)
    else:
        at = int(black[LUMA] + (_LEVELS - 1 - own.max() - own.min()) // 2)
    shift = np.array([at - black[LUMA], *(_MIDDLE - gray[1:])])
    return _Numbers(np.append(told[:5], added - matrix @ shift), at)


def _lines(numbers: _Numbers) -> _Ints:
    """Return the lines of tables, which round to the nearest; black's luma and gray's chroma add no
    parts, as programs have it."""
    told, black = numbers
    steps = np.rint(told[:5] * (1 << SHIFT)).astype(np.int64)
    red, green, blue = np.rint((told[5:] + 0.5) * (1 << SHIFT)).astype(np.int64) + black * steps[0]
    first = np.array([0, blue, red, green + _MIDDLE * steps[_GREEN_OF_RED], 0])
    first[LUMA] -= black * steps[LUMA]
    first[_GREEN_OF_RED] -= _MIDDLE * steps[_GREEN_OF_RED]
    return np.array([first, steps]).T
