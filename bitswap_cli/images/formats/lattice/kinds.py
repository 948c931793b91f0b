"""The kinds of pictures by luma and chroma: by which map, and how luma and chroma lie."""

from typing import NamedTuple

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.format import Kind, Shape
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map
from bitswap_cli.images.formats.lattice.own import BLANK, OWN

FEATURES = LATTICE, FRAMES, OWN_MAPS, SMOOTH = "lattice", "frames", "own-maps", "smooth"
"""Of archives that can hold kinds of numbers below `_SECOND`, others, maps of recipes, and chroma
that was interpolated by such maps."""

_OWN, _FIRST, _SECOND, _THIRD, _SMOOTH = 52, 64, 120, 228, 244  # numbers of kinds
_FIRST_MAPS = 14  # those that came with the first
_LESS = {Chroma.ACROSS: "-across", Chroma.SMOOTH: "-smooth"}  # in names


class Way(NamedTuple):
    """How the pictures of one kind are had."""

    map: Map
    how: Chroma
    odd: bool
    """Where there is less chroma: whether pictures have an odd width. Luma is one column wider
    then, which says nothing."""
    exact: bool

    @property
    def less(self) -> bool:
        """Whether there is less chroma than luma, below which it lies."""
        return self.how not in (Chroma.FULL, Chroma.NONE)

    @property
    def words(self) -> bool:
        """Whether corrections are decisions under a mixture, and not columns."""
        return self.how == Chroma.SMOOTH

    @property
    def tall(self) -> int:
        """How many rows of luma there are to one of chroma."""
        return 2 if self.how in (Chroma.REPEATED, Chroma.BETWEEN, Chroma.SMOOTH) else 1

    @property
    def name(self) -> str:
        """Of its kind."""
        less = _LESS.get(self.how, "-half") * self.less
        return self.map.name + less + "-odd" * self.odd + "-exact" * self.exact

    def kind(self) -> Kind:
        """Return what the program is told of it."""
        number = self._number()
        later = FRAMES if number < _SMOOTH else SMOOTH
        feature = OWN_MAPS if number < _FIRST else LATTICE if number < _SECOND else later
        kind = Kind(self.name, number, self.exact, plain=False, feature=feature, common=True)
        if self.how != Chroma.FULL:
            kind = kind._replace(shows=self._shows)
        return kind._replace(middle=self._middle) if self.less else kind

    def luma(self, height: int) -> int:
        """Return how many rows of luma there are, of all that a picture has: as many as of chroma;
        or, if there is half as much of that, twice as many or one fewer."""
        return height - height // 2 if self.tall == 1 else height - (height + 1) // 3

    def _number(self) -> int:
        if self.how == Chroma.SMOOTH:
            return _SMOOTH + 2 * self.odd + self.exact
        if self.map.name == OWN:
            lies = (Chroma.FULL, Chroma.REPEATED, Chroma.ACROSS).index(self.how)
            return _OWN + 2 * max(0, 2 * lies - 1 + self.odd) + self.exact
        number = [used.name for used in MAPS].index(self.map.name)
        if self.odd or self.how == Chroma.ACROSS:
            across = self.how == Chroma.ACROSS
            return _SECOND + 6 * number + 2 * across * (1 + self.odd) + self.exact
        first = _FIRST if number < _FIRST_MAPS else _THIRD - 4 * _FIRST_MAPS
        return first + 4 * number + 2 * (self.how != Chroma.FULL) + self.exact

    def _shows(self, shape: Shape) -> Shape:
        height, width, _ = shape
        return (self.luma(height), width - self.odd, 3) if self.less else (height, width, 3)

    def _middle(self, samples: Samples, edge: int) -> Samples:
        height = self.luma(len(samples))
        luma, chroma = samples[:height], np.hsplit(samples[height:], 2)
        top, left = (max(0, side - edge) // 4 * 2 for side in luma.shape[:2])
        part = luma[top : top + edge, left : left + edge]
        rows = slice(top // self.tall, (top + edge) // self.tall)
        columns = slice(left // 2, (left + edge) // 2)
        return np.concatenate([part, np.hstack([plane[rows, columns] for plane in chroma])])


WAYS = {
    way.name: way
    for used in (*MAPS, BLANK)
    for how in (*used.ways, *[Chroma.FULL] * (Chroma.NONE not in used.ways))
    for odd in ((False,) if how in (Chroma.FULL, Chroma.NONE) else (False, True))
    for exact in (False, True)
    for way in [Way(used, how, odd, exact)]
}
"""By the names of their kinds."""
