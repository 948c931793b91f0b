"""Kinds of JPEGs that few writers make, and that all come back; lepton's and jpeg.org's list.

`CODED`: kinds whose entropy-coded data becomes coefficients, all of it; `PARTLY`: up to where they
break; `KEPT`: kinds that `split` leaves alone.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.jpeg.frame import Frame, Scan, parse
from bitswap_cli.images.formats.jpeg.notes import Coefficients, blocks
from bitswap_cli.images.formats.jpeg.recipe import Told
from tests.images.formats.jpeg.files import (
    APP1,
    APP2,
    COM,
    DHT,
    DNL,
    DQT,
    EOI,
    SOF0,
    SOF1,
    SOF2,
    SOF3,
    SOF9,
    SOI,
    STEPS,
    TABLES,
    Factors,
    Places,
    flat,
    frame,
    photograph,
    pillow,
    put_together,
    restarts,
    scan,
    segment,
    whole,
)

GRAY: Factors = [(1, 1)]
COLOUR: Factors = [(2, 2), (1, 1), (1, 1)]
Header = tuple[Places, *tuple[int, ...]]
"""Arguments of `scan`."""
Skeleton = tuple[bytes, ...]
"""Segments of a file."""
Named = Iterator[tuple[str, bytes]]
"""Names and files."""
SCANS: list[Header] = [
    ((0, 1, 2), 0, 0, 0, 1), ((0,), 1, 5, 0, 2), ((2,), 1, 63, 0, 1), ((1,), 1, 63, 0, 1),
    ((0,), 6, 63, 0, 2), ((0,), 1, 63, 2, 1), ((0, 1, 2), 0, 0, 1, 0), ((2,), 1, 63, 1, 0),
    ((1,), 1, 63, 1, 0), ((0,), 1, 63, 1, 0),
]  # fmt: skip
"""Those of libjpeg's progressive files."""


def progressive(
    *scans: bytes | Header,
    height: int = 45,
    width: int = 61,
    factors: Factors = COLOUR,
    marker: int = SOF2,
    precision: int = 8,
) -> Skeleton:
    """Return the skeleton of a progressive file."""
    heads = [one if isinstance(one, bytes) else scan(*one) for one in scans or SCANS]
    return frame(height, width, factors, marker, precision), TABLES, *heads


def sequential(
    factors: Factors = COLOUR,
    *scans: bytes | Places,
    height: int = 45,
    width: int = 61,
    marker: int = SOF0,
    precision: int = 8,
) -> Skeleton:
    """Return the skeleton of a sequential file; scans: places of components, or segments."""
    scans = scans or (tuple(range(len(factors))),)
    heads = [one if isinstance(one, bytes) else scan(one) for one in scans]
    return frame(height, width, factors, marker, precision), TABLES, *heads


def with_markers(skeleton: Skeleton, count: int) -> bytes:
    """Put a file of one scan together that has another number of restart markers."""
    notes = whole(put_together(*skeleton).data)
    return put_together(*skeleton, told=[replace(notes, restarts=count)]).data


def zero_runs(skeleton: Skeleton, *, beyond: bool, places: tuple[int, ...] = (0,)) -> bytes:
    """Every second block ends with codes for 16 zeros; `beyond` its end, or before that."""
    plain = put_together(*skeleton)
    parsed, told = parse(plain.data), []
    for k, one in enumerate(parsed.scans):
        odd = []
        for number, block in enumerate(blocks_of(parsed.frame, one, plain.coefficients)):
            band = np.abs(block[max(one.first, 1) : one.last + 1]) >> one.low
            ends = np.flatnonzero(band == 1 if one.high else band)
            free = int(np.count_nonzero(band[(ends[-1] + 1 if ends.size else 0) :] == 0))
            count = -(-free // 16) if beyond else (free - 1) // 16
            if number % 2 and count > 0:
                odd.append(8 * number + min(count, 4))
        notes = whole(plain.data, k)
        told.append(replace(notes, odd=np.array(odd, np.uint32)) if k in places and odd else None)
    assert any(told)
    return put_together(*skeleton, told=told).data


def blocks_of(of: Frame, one: Scan, coefficients: Coefficients) -> Iterator[NDArray[np.int16]]:
    """Yield the blocks of a scan."""
    for unit in range(one.units(of)):
        for _, block in blocks(of, one, coefficients, unit):
            yield block


def data_of(data: bytes, place: int = 0) -> tuple[int, int]:
    """Where the data of a scan begins and ends."""
    one = parse(data).scans[place]
    return one.start, one.end


def within(data: bytes, place: int, more: bytes) -> bytes:
    """Return a file with bytes behind the data of a scan."""
    _, end = data_of(data, place)
    return data[:end] + more + data[end:]


def short_runs(length: int, density: float) -> bytes:
    """Progressive scans whose end-of-block runs are short; without coefficients, if beyond 1."""
    skeleton = progressive(((0, 1, 2), 0, 0), *(((k,), 1, 63) for k in range(3)))
    runs = np.full(10_000, length, np.uint16)
    plain = put_together(*skeleton, density=density)
    told = [None, *(replace(whole(plain.data, k), runs=runs) for k in (1, 2, 3))]
    return put_together(*skeleton, told=told, density=density).data


def refinement_missing() -> bytes:
    """A bit of the coefficients that no scan tells."""
    scans = ((0,), 0, 0), ((0,), 1, 63, 0, 2), ((0,), 1, 63, 1, 0)
    skeleton = progressive(*scans, factors=[(1, 1)])
    (blocks,) = put_together(*skeleton).coefficients
    return put_together(*skeleton, coefficients=[np.sign(blocks) * (np.abs(blocks) & ~2)]).data


def beyond_the_end(run: int) -> bytes:
    """A run of ends of blocks that is longer than its scan, of 48 blocks."""
    skeleton = progressive(((0,), 0, 0), ((0,), 1, 63), factors=[(1, 1)])
    plain = put_together(*skeleton, density=0)
    notes = replace(whole(plain.data, 1), runs=np.array([run], np.uint16))
    return put_together(*skeleton, density=0, told=[None, notes]).data


def padded(skeleton: Skeleton, byte: int) -> bytes:
    """Every restart interval, and the scan, ends with bits of `byte`."""
    plain = put_together(*skeleton).data
    notes = whole(plain)
    _, end = data_of(plain)
    notes = replace(notes, padding=bytes(byte for _ in range(notes.restarts)))
    last = plain[end - 1]
    return put_together(*skeleton, told=[Told(notes, 1, bytes((last & byte,)))]).data


def fourth_of(skeleton: Skeleton) -> bytes:
    """A file that ends within its first scan, behind three quarters of that."""
    data = put_together(*skeleton).data
    start, end = data_of(data)
    return data[: start + 3 * (end - start) // 4]


def exif(thumbnail: bytes) -> bytes:
    """A picture with a thumbnail in a segment."""
    body = b"Exif\0\0" + bytes(20) + thumbnail + b"behind"
    return SOI + segment(APP1, body) + pillow(photograph(40, 50), quality=80)[2:]


def zeros() -> Named:
    """Codes for 16 zeros at the ends of blocks, which no coefficient follows."""
    yield "zero runs before the end of a block", zero_runs(sequential(), beyond=False)
    yield "zero runs beyond the end of a block", zero_runs(sequential(), beyond=True)
    two = progressive(((0,), 0, 0), ((0,), 1, 63, 0, 1), ((0,), 1, 63, 1, 0), factors=GRAY)
    for beyond in (False, True):
        yield f"progressive zero runs {beyond}", zero_runs(two, beyond=beyond, places=(1,))
        yield f"refined zero runs {beyond}", zero_runs(two, beyond=beyond, places=(2,))


def markers() -> Named:
    """Restart markers and padding, and what stands behind scans."""
    for interval in (1, 2, 4, 5, 65535):
        skeleton = sequential(COLOUR, restarts(interval) + scan((0, 1, 2)))
        yield f"restart interval {interval}", put_together(*skeleton).data
        skeleton = progressive(restarts(interval), *SCANS)
        yield f"progressive restart interval {interval}", put_together(*skeleton).data
    skeleton = sequential(COLOUR, restarts(4) + scan((0, 1, 2)))
    yield "restart markers announced and missing", with_markers(skeleton, 0)
    yield "some restart markers missing", with_markers(skeleton, 1)
    for byte in (0x00, 0x55):
        yield f"padded with {byte:02x}", padded(skeleton, byte)
    last = put_together(*sequential()).data
    yield "trailing restart marker", within(last, 0, b"\xff\xd0")
    yield "trailing restart markers", within(last, 0, b"\xff\xd0\xff\xd1\xff\xd2")
    yield "garbage within", within(last, 0, bytes(range(200)) * 2)
    yield "garbage behind", last + bytes(range(256)) * 64
    yield "restart marker behind", last + b"\xff\xd3"
    yield "header data behind", last + last[:300]
    yield "no end of image", last[:-2]
    yield "half an end of image", last[:-1]


def geometries() -> Named:
    """Components, their factors, precision and size."""
    yield "one component in a scan each", put_together(*sequential(COLOUR, (0,), (1,), (2,))).data
    yield "two components in a scan", put_together(*sequential(COLOUR, (0,), (1, 2))).data
    yield "components in another order", put_together(*sequential(COLOUR, (2, 0, 1))).data
    yield "four components", put_together(*sequential([(1, 1)] * 4)).data
    yield (
        "four components, two of them halved",
        put_together(*sequential([(2, 2), (1, 1), (1, 1), (2, 2)])).data,
    )
    for h in range(1, 5):
        for v in range(1, 5):
            yield f"gray {h}x{v}", put_together(*sequential([(h, v)])).data
            if h * v + 2 <= 10:
                skeleton = sequential([(h, v), (1, 1), (1, 1)])
                yield f"colour {h}x{v}", put_together(*skeleton).data
    yield "colour 1x1, 2x2", put_together(*sequential([(1, 1), (2, 2), (1, 2)])).data
    yield "colour 3x1, 2x1", put_together(*sequential([(3, 1), (2, 1), (1, 3)])).data
    for precision in (8, 12):
        most = 60 if precision == 8 else 16000
        skeleton = sequential(marker=SOF1, precision=precision)
        yield f"extended, {precision} bits", put_together(*skeleton, most=most).data
    yield "progressive, 12 bits", put_together(*progressive(precision=12)).data
    yield "one pixel", put_together(*sequential(height=1, width=1)).data
    yield "a long row", put_together(*sequential(GRAY, height=1, width=65535), density=0.01).data


def tables() -> Named:
    """Tables and segments at odd places."""
    parts = [TABLES, STEPS[:4] + STEPS[4:], restarts(0), segment(COM, b"comment")]
    yield (
        "tables between scans",
        put_together(*sequential(COLOUR, (0,), *parts, (1,), restarts(3), (2,))).data,
    )
    again: list[bytes | Header] = []
    for k, one in enumerate(SCANS):
        again += [restarts(k % 4) + TABLES, one]
    yield "tables between progressive scans", put_together(*progressive(*again)).data
    outer, *others = sequential()
    yield "steps behind the frame", put_together(outer, STEPS, *others).data
    one_table = segment(DHT, flat(0, range(16)) + flat(16, range(256)))
    skeleton = frame(30, 30, COLOUR), one_table, scan((0, 1, 2))
    yield "tables shared", put_together(*skeleton).data
    doubled = flat(16, [0, *range(255)])
    skeleton = frame(30, 30, COLOUR[:1]), segment(DHT, flat(0, range(16)) + doubled), scan((0,))
    yield "a symbol with two codes", put_together(*skeleton).data
    skeleton = frame(30, 30, COLOUR[:1]), TABLES, scan((0,), last=0, low=3)
    yield "baseline scan with odd parameters", put_together(*skeleton).data
    yield (
        "steps of zero",
        put_together(*sequential(), segment(DQT, bytes(65)), segment(COM, b"behind the scan")).data,
    )
    yield "no steps", put_together(*sequential(), coefficients=None).data.replace(STEPS, b"")
    last, fill = put_together(*sequential()).data, b"\xff\xff\xff"
    yield "fill bytes", last[:2] + fill + last[2:-2] + fill + last[-2:]


def progressions() -> Named:
    """Scans of progressive files."""
    yield "libjpeg's progressive scans", put_together(*progressive()).data
    every = [((0,), 0, 0), *(((0,), k, k) for k in range(1, 64))]
    yield "a scan for each coefficient", put_together(*progressive(*every, factors=GRAY)).data
    bits = [((0,), 1, 63, low + 1 if low < 5 else 0, low) for low in range(5, -1, -1)]
    yield "a scan for each bit", put_together(*progressive(((0,), 0, 0), *bits, factors=GRAY)).data
    yield "DC alone", put_together(*progressive(((0, 1, 2), 0, 0))).data
    yield "a refinement missing", refinement_missing()
    skeleton = progressive(((0,), 0, 0), ((0,), 1, 63, 0, 3), factors=GRAY)
    yield "all refinements missing", put_together(*skeleton).data
    yield "half the scans", put_together(*progressive(*SCANS[:4])).data
    yield "end-of-block runs of 1", short_runs(1, density=0.005)
    yield "end-of-block runs of 3", short_runs(3, density=0)
    yield "an end-of-block run beyond the end", beyond_the_end(999)
    yield "an end-of-block run beyond the end in the last byte", beyond_the_end(60)
    yield "height told again", put_together(*sequential(), segment(DNL, b"\0\x2d")).data


def pictures() -> Named:
    """Pictures within and behind pictures, and segments of applications."""
    small = pillow(photograph(16, 24, seed=3), quality=60)
    yield "thumbnail", exif(small)
    yield "thumbnail in a thumbnail", exif(exif(small))
    yield "broken thumbnail", exif(small[:200])
    yield "several pictures", exif(small) + bytes(10) + put_together(*sequential()).data + small
    icc = pillow(photograph(20, 20), icc_profile=bytes(range(256)) * 500, comment=b"hello")
    yield "profile in three segments", icc
    yield (
        "segment of an application between scans",
        put_together(
            *sequential(COLOUR, (0,), segment(APP2, b"between"), (1,), segment(APP2, small), (2,))
        ).data,
    )


def partly() -> Named:
    """Yield names and files of kinds that are coded up to where they break."""
    for name, skeleton in (("sequential", sequential()), ("progressive", progressive())):
        yield f"cut short, {name}", fourth_of(skeleton)
    skeleton = sequential(COLOUR, restarts(2) + scan((0, 1, 2)))
    yield "cut short, restart markers", fourth_of(skeleton)
    data = put_together(*skeleton).data
    start, end = data_of(data)
    at = data.rindex(b"\xff", start, end)
    yield "a wrong restart marker", data[: at + 1] + b"\xd7" + data[at + 2 :]
    yield "a fill byte before a restart marker", data[:at] + b"\xff" + data[at:]
    data = put_together(*progressive()).data
    start, _ = data_of(data, 8)
    yield "cut short between scans", data[: start - 7]
    yield "a frame behind the scans", data[:-2] + frame(8, 8, COLOUR) + EOI
    yield "an unknown marker", data[:-2] + b"\xff\x9f" + EOI


def kept() -> Named:
    """Yield names and files of kinds that are kept."""
    data, usual = put_together(*sequential()).data, frame(45, 61, COLOUR)
    yield "arithmetic coding", data.replace(usual, frame(45, 61, COLOUR, marker=SOF9))
    yield "lossless", data.replace(usual, frame(45, 61, COLOUR, marker=SOF3))
    yield "height behind the scan", data.replace(usual, frame(0, 61, COLOUR))
    yield "five components", data.replace(usual, frame(45, 61, [(1, 1)] * 5))
    start, _ = data_of(data)
    yield "no scan", data[: start - 14] + EOI
    yield "a scan without data", data[:start] + EOI
    yield "a segment cut short", data[:40]
    twice = put_together(*sequential([(1, 1)], (0,), (0,)))
    other = put_together(*sequential([(1, 1)], (0,), (0,)), seed=1)
    (_, end), (start, _) = data_of(twice.data), data_of(other.data, 1)
    yield "a component that is coded twice", twice.data[:end] + other.data[data_of(other.data)[1] :]
    yield "no JPEG", b"\xff\xd8\xff" + bytes(1000)
    yield "nothing", b""
    too_large = frame(65500, 65500, [(1, 1)])
    yield "too large", SOI + STEPS + too_large + TABLES + scan((0,)) + bytes(1000) + EOI


CODED = dict(chain(zeros(), markers(), geometries(), tables(), progressions(), pictures()))
PARTLY, KEPT = dict(partly()), dict(kept())
