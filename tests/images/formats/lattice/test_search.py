"""What is not known is chosen as a slow search chooses it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.formats.lattice.maps import Chroma, Map, colours, spread
from bitswap_cli.images.formats.lattice.search import Searcher
from bitswap_cli.images.history.engine import compiled
from tests.images.formats.lattice.scenes import SMOOTH, WAYS, Plane, picture, planes

_REACH = 8
_LEVELS = np.arange(256, dtype=np.uint8)
COLOURED = [*((used, how) for used, how in WAYS if how != Chroma.NONE), SMOOTH]
NAMES = [f"{used.name}-{how.name}" for used, how in COLOURED]


class Slow:
    """The search, told as briefly as it can be."""

    def __init__(self, used: Map, how: Chroma, pixels: Plane, chroma: Plane, known: Plane) -> None:
        self.used, self.how, self.pixels = used, how, pixels
        self.chroma, self.settled = chroma.copy(), known == 1
        self.shape = pixels.shape[:2]

    def at(self, row: int, column: int, plane: Plane) -> int:
        """The chroma of a pixel."""
        return int(spread(plane, self.how, *self.shape)[row, column])

    def lumas(self, row: int, column: int) -> list[int]:
        """Those that give a pixel."""
        own = [np.full_like(_LEVELS, self.at(row, column, plane)) for plane in self.chroma]
        made = colours(self.used, _LEVELS[None], *(plane[None] for plane in own))[0]
        return list(np.flatnonzero((made == self.pixels[row, column]).all(1)))

    def seen_in(self, i: int, j: int) -> list[tuple[int, int]]:
        """The pixels that a sample changes, and only settled ones."""
        mask = np.zeros(self.settled.shape, np.uint8)
        mask[i, j] = 255
        touched = spread(mask, self.how, *self.shape) > 0
        sure = spread(np.where(self.settled, 0, 255).astype(np.uint8), self.how, *self.shape) == 0
        return [(int(row), int(column)) for row, column in np.argwhere(touched & sure)]

    def wrong(self, i: int, j: int) -> int:
        """How many of them no luma gives."""
        return sum(not self.lumas(*place) for place in self.seen_in(i, j))

    def beside(self, k: int, i: int, j: int, known: Plane) -> int:
        """The mean of the samples beside one."""
        plane, (rows, columns) = self.chroma[k], self.settled.shape
        near = [int(plane[i, j - 1])] if j else []
        near += [int(plane[i - 1, j])] if i else []
        near += [int(plane[i, j + 1])] if j + 1 < columns and known[i, j + 1] == 1 else []
        near += [int(plane[i + 1, j])] if i + 1 < rows and known[i + 1, j] == 1 else []
        return (2 * sum(near) + len(near)) // (2 * len(near)) if near else int(plane[i, j])

    def now(self, i: int, j: int) -> tuple[int, int]:
        """A sample as it is."""
        a, b = (int(x) for x in self.chroma[:, i, j])
        return a, b

    def move(self, i: int, j: int, a: int, b: int, best: int) -> int:
        """Try all chroma near (a, b), the nearest first."""
        steps = range(-_REACH, _REACH + 1)
        places = [(max(abs(da), abs(db)), da, db) for da in steps for db in steps]
        found = self.chroma[:, i, j].copy()
        for _, da, db in sorted(places):
            if not (0 <= a + da <= 255 and 0 <= b + db <= 255) or not best:
                continue
            self.chroma[:, i, j] = a + da, b + db
            if (less := self.wrong(i, j)) < best:
                best, found = less, self.chroma[:, i, j].copy()
        self.chroma[:, i, j] = found
        return best

    def run(self, known: Plane) -> None:
        """Choose what is not known."""
        places = [(int(i), int(j)) for i, j in np.argwhere(known != 1)]
        for i, j in places:
            was = self.now(i, j)
            self.chroma[:, i, j] = [self.beside(k, i, j, known) for k in (0, 1)]
            self.settled[i, j] = True
            left = self.wrong(i, j)
            left = self.move(i, j, *self.now(i, j), left) if left else 0
            if left:
                self.move(i, j, *was, left)
        for i, j in places:
            if left := self.wrong(i, j):
                self.move(i, j, *self.now(i, j), left)


@pytest.mark.parametrize(("used", "how"), COLOURED, ids=NAMES)
def test_the_slow_search(used: Map, how: Chroma) -> None:
    kernel = compiled()
    if kernel is None:
        pytest.skip("no kernel")
    rng, (height, width) = np.random.default_rng(used.sums.shift), (9, 12)
    told = planes(how, height, width, 110)
    pixels = picture(used, how, told)
    pixels[2:5, 3:6] = rng.integers(0, 256, (3, 3, 3), np.uint8)
    chroma = np.stack(told[1:])
    known = np.where(rng.random(chroma.shape[1:]) < 0.8, 1, 2).astype(np.uint8)
    chroma[:, known != 1] += rng.integers(0, 30, (2, np.count_nonzero(known != 1)), np.uint8)
    slow = Slow(used, how, pixels, chroma, known)
    slow.run(known)
    luma, wrong = Searcher(kernel).lay(used, how, pixels, chroma, known.copy())
    assert np.array_equal(chroma, slow.chroma)
    lumas = [slow.lumas(row, column) for row in range(height) for column in range(width)]
    assert wrong == sum(not own for own in lumas)
    assert all(own in some for own, some in zip(luma.reshape(-1), lumas, strict=True) if some)


def test_maps_are_asked_together_as_one_by_one() -> None:
    kernel = compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    search, random = Searcher(kernel), np.random.default_rng(3)
    pixels = random.integers(0, 256, (500, 3)).astype(np.uint8)
    maps = list({used.name: used for used, _ in COLOURED if not used.told}.values())
    alone = [search.triples(used, pixels).on for used in maps]
    assert search.known(maps, pixels, len(pixels)) == alone
    assert max(alone) > 0


@pytest.mark.parametrize("most", [3, 40, 256])
@pytest.mark.parametrize("step", [1, 3])
def test_colours_that_tell(most: int, step: int) -> None:
    kernel = compiled()
    if kernel is None:
        pytest.skip("no compiled kernel")
    search, random = Searcher(kernel), np.random.default_rng(most)
    for count in (0, 1, 2, 1000):
        pixels = random.integers(256 - most, 256, (count, 3)).astype(np.uint8)
        pixels[: count // 10] //= 200  # the other end
        gray = (pixels == pixels[:, :1]).all(1)
        assert search.grays(pixels) == gray.sum()
        some = (~gray & (pixels > 0).all(1) & (pixels < 255).all(1))[::step]
        told = search.telling(pixels, step)
        assert np.array_equal(told, pixels[::step][some])
        assert np.array_equal(search.distinct(told.copy()), np.unique(told, axis=0))


@given(st.integers(0, 99), st.sampled_from(COLOURED), st.integers(0, 3))
def test_moments_are_sums_of_products(seed: int, way: tuple[Map, Chroma], far: int) -> None:
    """Of pixels that a map makes but for 1 in a channel."""
    kernel, used, rng = compiled(), way[0], np.random.default_rng(seed)
    if kernel is None:
        pytest.skip("no kernel")
    told = rng.integers(90, 160, (3, 50), np.uint8)
    made = colours(used, *told[:, None])[0]
    pixels = np.clip(made + rng.integers(-far, far + 1, made.shape), 0, 255).astype(np.uint8)
    luma, *chroma = told
    tables = used.sums.tables.astype(np.int64)
    green = tables[3][chroma[0]] + tables[4][chroma[1]]
    sums = np.stack([tables[2][chroma[1]], green, tables[1][chroma[0]]], 1)
    left = pixels - (sums + tables[0][luma][:, None] >> used.sums.shift)
    near = (np.abs(left) <= 1).all(1)
    known = np.concatenate([told.T, np.ones((50, 1), np.int64)], 1)[near]
    moments, off = Searcher(kernel).moments(used, pixels, told)
    assert np.array_equal(moments, known.T @ np.concatenate([known, left[near]], 1))
    assert off == bool(left[near].any())
