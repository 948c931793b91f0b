"""Recipes: what is packed is unpacked, and hostile ones are refused in one line."""

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.jpeg import codec, recipe
from bitswap_cli.images.formats.jpeg.frame import SOI
from bitswap_cli.images.formats.jpeg.notes import Coefficients
from tests.images.formats.jpeg import odd
from tests.images.formats.jpeg.files import SOF2, TABLES, frame, put_together, restarts, scan, split

FILE = odd.padded(odd.sequential(odd.COLOUR, restarts(4) + scan((0, 1, 2))), 0x55)
JPEG = split(FILE)
COEFFICIENTS = [picture.coefficients for picture in JPEG.pictures]
PLAIN = msgpack.unpackb(JPEG.recipe)


def changed(path: tuple[int, ...], value: object) -> bytes:
    """Return the recipe of `FILE` with another value at a path."""
    packed = msgpack.unpackb(JPEG.recipe)
    node = packed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    recipe: bytes = msgpack.packb(packed)
    return recipe


TOLD = (0, 1, 0)


@pytest.mark.parametrize("name", odd.CODED)
def test_what_is_packed_is_unpacked(name: str) -> None:
    packed = split(odd.CODED[name]).recipe
    assert recipe.pack(recipe.unpack(packed)) == packed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((0,), 7),
        ((0, 0), "text"),
        ((0, 0), b"no JPEG"),
        ((0, 0), SOI + frame(65500, 65500, [(1, 1)]) + TABLES + scan((0,))),
        ((0, 0), PLAIN[0][0] + b"behind the end"),
        ((0, 1), []),
        ((0, 1), [None, None]),
        ((0, 2), [[-1, []]]),
        ((0, 2), [[1 << 40, []]]),
        ((0, 2), [[0]]),
        ((0, 2), [7]),
        ((0, 2), [[2, [[[2, []]]]]]),
        (TOLD, [1, 2, 3]),
        ((*TOLD, 0), -1),
        ((*TOLD, 0), 1 << 40),
        ((*TOLD, 0), 1.5),
        ((*TOLD, 1), 99),
        ((*TOLD, 2), b"\0"),
        ((*TOLD, 2), [1] * 6),
        ((*TOLD, 3), b"\0\0"),
        ((*TOLD, 3), b"\0\x80"),
        ((*TOLD, 3), b"\1"),
        ((*TOLD, 4), None),
        ((*TOLD, 4), b"\1\1\1"),
        ((*TOLD, 4), b"\xff" * 8),
        ((*TOLD, 4), b"\x08\0\0\0"),
        ((*TOLD, 4), b"\x0d\0\0\0"),
        ((*TOLD, 4), b"\xf9\xff\xff\xff" * 2),
        ((*TOLD, 5), 3),
        ((*TOLD, 5), -1),
        ((*TOLD, 6), None),
    ],
)
def test_hostile_recipes_are_refused(path: tuple[int, ...], value: object) -> None:
    with pytest.raises(ArchiveError, match="recipe is malformed"):
        codec.join(changed(path, value), COEFFICIENTS)


@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x91" * 2000, JPEG.recipe + b"\0", b"\x00"])
def test_what_is_no_recipe_is_refused(packed: bytes) -> None:
    for read in (recipe.unpack, codec.outlines):
        with pytest.raises(ArchiveError, match="recipe is malformed"):
            read(packed)


def test_too_many_pictures_are_refused() -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        recipe.unpack(msgpack.packb(PLAIN * (recipe.MOST_PICTURES + 1)))


def test_pictures_within_too_many_others_are_refused() -> None:
    packed = PLAIN
    for _ in range(recipe.MOST_DEPTH + 1):
        outer = msgpack.unpackb(JPEG.recipe)
        outer[0][2] = [[2, packed]]
        packed = outer
    with pytest.raises(ArchiveError, match="malformed"):
        recipe.unpack(msgpack.packb(packed))


def test_too_many_coefficients_are_refused() -> None:
    skeleton = SOI + frame(12000, 12000, [(1, 1)]) + TABLES + scan((0,))
    one = [skeleton, [None], []]
    recipe.unpack(msgpack.packb([one]))
    with pytest.raises(ArchiveError, match="malformed"):
        recipe.unpack(msgpack.packb([one, one]))


def test_too_many_scans_are_refused() -> None:
    skeleton = SOI + frame(4000, 4000, [(1, 1)], SOF2) + TABLES + scan((0,), 1, 63) * 100
    one = [skeleton, [None] * 100, []]
    recipe.unpack(msgpack.packb([one]))
    with pytest.raises(ArchiveError, match="malformed"):
        recipe.unpack(msgpack.packb([one, one]))


@pytest.mark.parametrize(
    "coefficients",
    [[], COEFFICIENTS * 2, [COEFFICIENTS[0][:1]], [[c[1:] for c in COEFFICIENTS[0]]]],
)
def test_coefficients_of_another_picture_are_refused(coefficients: list[Coefficients]) -> None:
    with pytest.raises(ArchiveError, match="does not fit its coefficients"):
        codec.join(JPEG.recipe, coefficients)


def test_coefficients_without_a_code_are_refused() -> None:
    file = put_together(*odd.sequential(), seed=3)
    jpeg = split(file.data)
    wild = [np.full_like(blocks, -32768) for blocks in file.coefficients]
    with pytest.raises(ArchiveError, match="does not fit its coefficients"):
        codec.join(jpeg.recipe, [wild])


def test_a_cut_of_more_than_there_is_is_refused() -> None:
    packed = msgpack.packb([[PLAIN[0][0], [[0, 0, None, None, b"", 1, b""]], []]])
    with pytest.raises(ArchiveError, match="does not fit its coefficients"):
        codec.join(packed, COEFFICIENTS)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_recipes_give_a_file_or_are_refused(data: st.DataObject) -> None:
    damaged = bytearray(JPEG.recipe)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        codec.join(bytes(damaged), COEFFICIENTS)
    except ArchiveError as error:
        assert "JPEG" in str(error)
