"""Mutants of JPEGs: each comes back or is kept, and both engines agree on it.

    python -m tests.images.formats.jpeg.fuzz [mutants] [seed]

`BITSWAP_JPEG_KERNEL` names another kernel than the one that is built in place, such as one with
sanitizers, which tests/native/sanitize.py tells how to build.
"""

import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from bitswap_cli.images.formats.jpeg import codec, reading, recipe, scan, writing
from bitswap_cli.images.formats.jpeg.frame import Frame, NotJpeg, Scan, parse
from bitswap_cli.images.formats.jpeg.notes import Coefficients, Notes, Unwritable
from tests.images.formats.jpeg import odd

MOST_SAMPLES = 1 << 16  # coefficients of a mutant that the engine in Python reads as well


def corpus() -> list[bytes]:
    """Return the files that mutants are made of."""
    return [*odd.CODED.values(), *odd.PARTLY.values(), *odd.KEPT.values()]


def mutant(files: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a file with some mutations: of bits, bytes, markers, segments and lengths."""
    data = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 8)) if len(data) > 8 else 0):
        at = chance.randrange(len(data))
        match chance.randrange(9):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 2:
                data[at : at + chance.choice((1, 2, 8, 100))] = b""
            case 3:
                data[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 2, 9))))
            case 4:
                data[at:at] = bytes((0xFF, chance.choice((*range(0xC0, 0xE2), 0xFE, 0xFF, 0))))
            case 5:
                del data[at:]
            case 6:  # a segment once more, elsewhere
                start, size = data.find(b"\xff", at), chance.randrange(2, 40)
                where = data.find(b"\xff", chance.randrange(len(data)))
                if start >= 0 and where >= 0:
                    data[where:where] = data[start : start + size]
            case 7:  # bytes of another file in their place
                other = chance.choice(files) or b"\0"
                start, size = chance.randrange(len(other)), chance.randrange(1, 400)
                data[at : at + size] = other[start : start + size]
            case 8:  # parameters of frame, tables and scans
                where = data.find(bytes((0xFF, chance.choice((0xC0, 0xC2, 0xC4, 0xDA, 0xDD)))))
                if 0 <= where < len(data) - 24:
                    data[where + chance.randrange(2, 24)] = chance.randrange(256)
        if len(data) < 2:
            break
    return bytes(data)


def equal(ours: Notes, theirs: Notes) -> bool:
    """Whether notes are the same."""
    return (
        (ours.units, ours.restarts, ours.end, ours.partial, ours.padding)
        == (theirs.units, theirs.restarts, theirs.end, theirs.partial, theirs.padding)
        and np.array_equal(np.asarray(ours.runs), np.asarray(theirs.runs))
        and np.array_equal(ours.odd, theirs.odd)
    )


def written(
    write: Callable[[Frame, Scan, Coefficients, Notes], bytes | memoryview],
    frame: Frame,
    one: Scan,
    coefficients: Coefficients,
    notes: Notes,
) -> bytes | None:
    """What an engine writes, or None if it cannot."""
    try:
        return bytes(write(frame, one, coefficients, notes))
    except Unwritable:
        return None


def agree(kernel: scan.Kernel, data: bytes, chance: random.Random) -> None:
    """Check that both engines read the same from a file, and write the same, whatever is noted."""
    try:
        parsed = parse(data)
    except NotJpeg:
        return
    frame = parsed.frame
    if parsed.samples > MOST_SAMPLES or len(parsed.scans) > 80:
        return
    both = [
        [np.zeros((c.rows, c.columns, 64), np.int16) for c in frame.components] for _ in range(2)
    ]
    for one in parsed.scans:
        ours = kernel.read(frame, one, data, both[0])
        theirs = reading.read(frame, one, data, both[1])
        assert equal(ours, theirs)
        assert all(map(np.array_equal, *both))
        notes = twisted(ours, one.units(frame), chance)
        for told in (ours, replace(ours, runs=None), notes):
            body = written(writing.write, frame, one, both[0], told)
            assert written(kernel.write, frame, one, both[0], told) == body
            length = kernel.compare(frame, one, data, both[0], told)
            assert length == writing.compare(frame, one, data, both[0], told)
    for blocks in both[0]:  # any coefficients: what is written is no file, but the same
        blocks[chance.randrange(len(blocks))] = chance.choice((1, -1, 77, -32768, 32767))
    for one in parsed.scans:
        told = recipe.plain(frame, one)
        body = written(writing.write, frame, one, both[0], told)
        assert written(kernel.write, frame, one, both[0], told) == body


def twisted(notes: Notes, units: int, chance: random.Random) -> Notes:
    """Return notes that a hostile recipe may hold."""
    count = chance.randrange(4)
    return replace(
        notes,
        units=chance.randint(0, units),
        padding=bytes(chance.randrange(256) for _ in range(notes.restarts)),
        runs=np.array([chance.choice((1, 2, 3, 0x7FFF)) for _ in range(count)], np.uint16),
        odd=np.array([chance.randrange(64) for _ in range(count)], np.uint32),
    )


def comes_back(data: bytes) -> bool:
    """Check that a file comes back, or is kept; tell which."""
    jpeg = codec.split(data)
    if jpeg is None:
        return False
    assert codec.join(jpeg.recipe, [picture.coefficients for picture in jpeg.pictures]) == data
    return True


def main(mutants: int = 1000, seed: int = 0) -> None:
    chance, files = random.Random(seed), corpus()
    other = os.environ.get("BITSWAP_JPEG_KERNEL")
    kernel = scan.Kernel(Path(other)) if other else scan.compiled()
    if kernel is None:
        raise SystemExit("the kernel is not built: python setup.py build_ext --inplace")
    scan.compiled = scan._engine = cache(lambda: kernel)
    coded = 0
    for count in range(mutants):
        data = mutant(files, chance)
        try:
            coded += comes_back(data)
            agree(kernel, data, chance)
        except BaseException:
            Path(f"mutant-{seed}-{count}.jpg").write_bytes(data)
            raise
    print(f"{mutants} mutants, {coded} of them coded")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
