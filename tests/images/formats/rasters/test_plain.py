"""Plain Netpbm files come back where lines end by a rule; other texts are kept."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures

Units = list[list[bytes]]


def units_of(samples: np.ndarray, width: int, within: str, *, apart: bool) -> Units:
    """Rows of what a line does not part: samples (H, W, C), or pixels of them."""
    numbers = [[[f"{v:{width}d}" for v in pixel] for pixel in row] for row in samples.tolist()]
    if apart:
        return [[value.encode() for pixel in row for value in pixel] for row in numbers]
    return [[within.join(pixel).encode() for pixel in row] for row in numbers]


def lines_of(units: Units, by: str, most: int, between: bytes) -> Units:
    """Units as lines, by a rule; the rows that are given end lines."""
    found: Units = []
    for row in units:
        line: list[bytes] = []
        for unit in row:
            full = {
                "count": len(line) >= most,
                "within": len(between.join([*line, unit])) > most,
                "beyond": len(between.join(line)) >= most,
            }
            if line and full[by]:
                found.append(line)
                line = []
            line.append(unit)
        found.append(line)
    return found


@settings(max_examples=300, deadline=None)
@example(  # no two samples of different pixels are in one line
    shape=(2, 5, 3), highest=65535, seed=1, width=0, by="within", most=9, rows=False, apart=True,
    gaps=(b" ", b" "), end=b"\n", behind=b"",
)  # fmt: skip
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40), st.sampled_from([1, 3])),
    highest=st.sampled_from([1, 9, 255, 300, 65535]),
    seed=st.integers(0, 1 << 20),
    width=st.sampled_from([0, 0, 3, 6]),
    by=st.sampled_from(["count", "within", "beyond"]),
    most=st.integers(1, 90),
    rows=st.booleans(),
    apart=st.booleans(),
    gaps=st.sampled_from([(b" ", b" "), (b" ", b"  "), (b"\t", b"\t")]),
    end=st.sampled_from([b"\n", b" \n", b"\r\n", b"\n\n"]),
    behind=st.sampled_from([b"", b"\n", b"\n# the end 1 2 3\n"]),
)
def test_texts_by_a_rule_come_back(
    shape: tuple[int, int, int], highest: int, seed: int, width: int, by: str, most: int,
    rows: bool, apart: bool, gaps: tuple[bytes, bytes], end: bytes, behind: bytes,
) -> None:  # fmt: skip
    samples = np.random.default_rng(seed).integers(0, highest + 1, shape)
    apart = apart or by == "count"
    within, between = (gaps[0], gaps[0]) if apart else gaps
    units = units_of(samples, width, within.decode(), apart=apart)
    every = units if rows else [[unit for row in units for unit in row]]
    text = end.join(between.join(line) for line in lines_of(every, by, most, between))
    head = f"P{2 if shape[2] == 1 else 3}\n# a comment\n{shape[1]} {shape[0]}\n{highest}\n"
    data = head.encode() + text + behind
    (picture,) = pictures(data)
    assert picture.recipe.kind == "pnm-plain"
    assert np.array_equal(shown(picture), samples)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 99), st.integers(1, 80), st.sampled_from([b"", b" "]))
def test_bits_come_back(height: int, width: int, most: int, between: bytes) -> None:
    samples = np.random.default_rng(height * width).integers(0, 2, (height, width, 1))
    for rows in (units_of(samples, 0, "", apart=True), [[b"1"] * width * height]):
        text = b"\n".join(between.join(line) for line in lines_of(rows, "count", most, between))
        (picture,) = pictures(f"P1 {width} {height}\n".encode() + text + b"\n")
        assert picture.recipe.kind == "pnm-plain" and picture.pixels.max() <= 1
    assert np.array_equal(shown(picture), np.zeros_like(samples))  # which are black


@pytest.mark.parametrize(
    "text",
    [
        b"P2 4 2 255\n1 2 3 4\n5 6 7",
        b"P2 4 2 255\n1 2  3 4\n5 6 7 8\n",
        b"P2 4 2 255\n1 02 3 4\n5 6 7 8\n",
        b"P2 4 2 255\n1 2 3 -4\n5 6 7 8\n",
        b"P2 4 2 255\n1 2 3 400\n5 6 7 8\n",
        b"P2 4 2 65535\n1 2 3 65536\n5 6 7 8\n",
        b"P2 4 2 65535\n1 2 3 655350\n5 6 7 8\n",
        b"P2 4 2 65536\n1 2 3 4\n5 6 7 8\n",
        b"P2 4 2 0\n1 2 3 4\n5 6 7 8\n",
        b"P2 4 2 255\n1 2 # here\n3 4\n5 6 7 8\n",
        b"P2 4 2 255\n1 2 3\n4\n5 6\n7 8\n",
        b"P2 4 0 255\n1 2 3 4\n",
        b"P2 999999999 999999999 255\n1 2 3 4\n",
        b"P2 4 1 255\n1" + b" " * 17 + b"2" + b" " * 17 + b"3\n4",
        b"P1 4 1\n1 2 0 1 1\n"[:14],
        b"P1 and more",
        b"P2",
    ],
)
def test_other_texts_are_kept(text: bytes) -> None:
    assert pictures(text) == []


def test_damaged_recipes_are_refused() -> None:
    text = b"P2 4 2 255\n10 20 30 40\n50 60 70 80\n"
    (picture,) = pictures(text)
    pixels, recipe = picture
    told = recipe.description
    assert told[:3] == b"\x03\x00\x04"
    for other in (
        b"", told[:-1], told + b"x", b"\x0c" + told[1:], told[:1] + b"\x11" + told[2:],
        told[:2] + b"\0" + told[3:], told[:-1] + b"\0", told[:3] + b"\x11" + bytes(17),
    ):  # fmt: skip
        with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
            rebuild(recipe._replace(description=other), pixels)
    for prefix in (b"P2 4 3 255\n", b"P3 4 2 255\n", b"P2 4 2 999\n", b"P4 4 2\n", b"P2", b""):
        with pytest.raises(ArchiveError, match="16 bits|does not fit"):
            rebuild(recipe._replace(prefix=prefix), pixels)
    for most in (b"\x01", b"\xff\xff\xff\xff\x0f"):
        for flags in range(12):
            other = bytes([flags, 0]) + most + told[3:]
            found = rebuild(recipe._replace(description=other), pixels)
            assert b"".join(found.split()) == b"".join(text.split())


def test_lines_are_those_of_programs() -> None:
    """26 numbers or 70 bits a line and rows (Netpbm), one number (GIMP), rows (ImageMagick)."""
    samples = np.arange(180).reshape(2, 90)
    for line, end in ((26, " \n"), (1, "\n"), (90, " \n")):
        rows = [
            " ".join(map(str, row[k : k + line])) for row in samples for k in range(0, 90, line)
        ]
        text = "".join(row + end for row in rows)
        (picture,) = pictures(b"P2\n90 2\n255\n" + text.encode())
        assert len(picture.recipe.description) <= 12


def test_texts_of_too_many_numbers_are_refused() -> None:
    (picture,) = pictures(b"P2 4 2 255\n10 20 30 40\n50 60 70 80\n")
    recipe = picture.recipe._replace(prefix=b"P2 4096 4097 255\n")
    with pytest.raises(ArchiveError, match="does not fit"):
        rebuild(recipe, np.broadcast_to(np.uint8(0), (4097, 4096, 1)))
