"""Of the pictures that a file can be seen as, the one is coded that takes the fewest bytes."""

import numpy as np
import pytest

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.writing.coders.choice import Cost, choose, estimate, weigh
from bitswap_cli.images.picture import Picture, Recipe
from tests.archive.support import ZlibCodec, smooth


def view(pixels: np.ndarray) -> Picture:
    return Picture(pixels, Recipe("png", b"", b"", b""))


def chosen(*pictures: Picture) -> tuple[int, int]:
    """Which one it is, and how many tiles were estimated for that."""
    codec = ZlibCodec()
    found = choose(Codecs({0: codec}), pictures)
    assert found is not None
    (number,) = (k for k, picture in enumerate(pictures) if picture is found.picture)
    return number, sum(codec.coded_tiles)


@pytest.mark.parametrize("size", [(70, 60), (300, 200)])
def test_where_a_part_tells_clearly_no_more_is_looked_at(size: tuple[int, int]) -> None:
    rgb = smooth(*size)
    views = view(rgb), view(rgb[..., :1])
    for pictures, best in ((views, 1), (views[::-1], 0)):
        number, tiles = chosen(*pictures)
        assert number == best and tiles == 2 * (-(-min(64, size[0]) // 16)) * (60 // 16 + 1)


def test_where_it_does_not_a_larger_one_decides() -> None:
    quiet, noise = smooth(256, 256), np.random.default_rng(5).integers(0, 256, (256, 256, 3))
    alike = quiet.copy()
    alike[:90] = noise[:90].astype(np.uint8)
    assert chosen(view(alike), view(quiet))[0] == 1
    assert chosen(view(quiet), view(alike))[0] == 0


@pytest.mark.parametrize("seed", range(3))
def test_small_pictures_are_looked_at_once(seed: int) -> None:
    first, second = view(smooth(64, 30, seed=seed)), view(smooth(64, 30, seed=seed + 1))
    number, tiles = chosen(first, second)
    costs = [estimate(ZlibCodec(), one) for one in (first, second)]
    assert number == np.argmin(costs) and tiles == 2 * 4 * 2


def test_one_picture_is_not_estimated() -> None:
    assert chosen(view(smooth(40, 40))) == (0, 0)


def test_pictures_that_are_alike_are_weighed_at_once() -> None:
    codec, other = ZlibCodec(), ZlibCodec()
    pictures = [view(smooth(*size, seed=k)) for k, size in enumerate([(16, 16), (12, 9), (40, 40)])]
    costs = [Cost(own, one) for own, one in zip((codec, codec, other), pictures, strict=True)]
    weigh(costs)
    assert codec.coded_tiles == [2] and len(other.coded_tiles) == 1
    assert [cost() for cost in costs] == [estimate(ZlibCodec(), one) for one in pictures]
    assert codec.coded_tiles == [2] and len(other.coded_tiles) == 1
