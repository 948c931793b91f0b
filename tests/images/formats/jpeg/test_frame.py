"""What a JPEG says of itself."""

import pytest

from bitswap_cli.images.formats.jpeg.frame import MOST_SCANS, NotJpeg, parse
from tests.images.formats.jpeg import odd
from tests.images.formats.jpeg.files import (
    DHT,
    DQT,
    DRI,
    EOI,
    SOF0,
    SOF2,
    SOI,
    SOS,
    STEPS,
    TABLES,
    flat,
    frame,
    put_together,
    restarts,
    scan,
    segment,
)

GRAY = [(1, 1)]


def file(*segments: bytes) -> bytes:
    return SOI + b"".join(segments) + EOI


def test_components_have_blocks_of_whole_mcus() -> None:
    parsed = parse(file(frame(45, 61, [(2, 2), (1, 1), (1, 2)]), TABLES, scan((0, 1, 2)), b"data"))
    luma, blue, red = parsed.frame.components
    assert parsed.frame.mcus == (3, 4)
    assert (luma.rows, luma.columns, luma.real_rows, luma.real_columns) == (6, 8, 6, 8)
    assert (blue.rows, blue.columns, blue.real_rows, blue.real_columns) == (3, 4, 3, 4)
    assert (red.rows, red.columns, red.real_rows, red.real_columns) == (6, 4, 6, 4)
    (one,) = parsed.scans
    assert (one.units(parsed.frame), one.blocks(parsed.frame)) == (12, 84)


def test_a_scan_of_one_component_has_blocks_of_the_picture_only() -> None:
    parsed = parse(file(frame(17, 17, [(2, 2), (1, 1)]), TABLES, scan((0,)), scan((1,))))
    assert [one.units(parsed.frame) for one in parsed.scans] == [9, 4]


def test_tables_are_those_in_force() -> None:
    first, second = flat(0, range(5)), flat(0, range(7))
    parsed = parse(
        file(frame(8, 8, GRAY), segment(DHT, first), scan((0,)), segment(DHT, second), restarts(9),
             scan((0,)))
    )  # fmt: skip
    assert [one.tables[8] for one in parsed.scans] == [5, 7]
    assert [one.restart for one in parsed.scans] == [0, 9]


def test_steps_are_never_zero_nor_missing() -> None:
    parsed = parse(file(frame(8, 8, [(1, 1)] * 2), segment(DQT, bytes(65)), TABLES, scan((0,))))
    assert parsed.quantization == {0: (1,) * 64, 1: (1,) * 64}
    wide = segment(DQT, b"\x10" + b"".join(bytes((k, 1)) for k in range(64)))
    parsed = parse(file(frame(8, 8, GRAY), wide, TABLES, scan((0,))))
    assert parsed.quantization[0][:3] == (1, 257, 513)


def test_skeletons_are_parsed_as_their_files() -> None:
    data = put_together(*odd.progressive()).data
    parsed = parse(data)
    skeleton, at = b"", 0
    for one in parsed.scans:
        skeleton, at = skeleton + data[at : one.start], one.end
    again = parse(skeleton + data[at:])
    assert again.frame == parsed.frame
    assert [one[:-2] for one in again.scans] == [one[:-2] for one in parsed.scans]
    assert again.end == len(skeleton + data[at:])


def test_what_is_malformed_behind_a_scan_ends_the_picture() -> None:
    start = SOI + frame(8, 8, GRAY) + TABLES + scan((0,)) + b"data"
    for behind in (b"\xff\xda\x00\x03\x01", b"\xff\x02", b"\xff\xd8\xff", scan((1,)), TABLES[:-1]):
        parsed = parse(start + behind)
        assert (parsed.end, len(parsed.scans)) == (len(start), 1)


def test_scans_are_limited() -> None:
    heads = [scan((0,), 1, 63)] * (MOST_SCANS + 5)
    assert len(parse(file(frame(8, 8, GRAY, SOF2), TABLES, *heads)).scans) == MOST_SCANS
    heads = [scan((0,), 1, 63)] * 1000
    assert len(parse(file(frame(4000, 4000, GRAY, SOF2), TABLES, *heads)).scans) == 134


@pytest.mark.parametrize(
    "segments",
    [
        [],
        [b"data"],
        [scan((0,))],
        [frame(0, 8, GRAY), scan((0,))],
        [frame(8, 0, GRAY), scan((0,))],
        [frame(8, 8, []), scan((0,))],
        [frame(8, 8, [(0, 1)]), scan((0,))],
        [frame(8, 8, [(1, 5)]), scan((0,))],
        [frame(8, 8, GRAY, precision=9), scan((0,))],
        [frame(8, 8, GRAY), frame(8, 8, GRAY), scan((0,))],
        [segment(SOF0, b"\x08\0\x08\0\x08\2\1\x11\0"), scan((0,))],
        [frame(8, 8, GRAY), scan((1,))],
        [frame(8, 8, GRAY), scan((0, 0))],
        [frame(8, 8, GRAY), scan(())],
        [frame(8, 8, [(2, 2), (2, 2), (2, 2)]), scan((0, 1, 2))],
        [frame(8, 8, GRAY), scan((0,), table=4)],
        [frame(8, 8, GRAY), segment(SOS, b"\1\1")],
        [frame(8, 8, GRAY), segment(SOS, b"")],
        [frame(8, 8, GRAY, SOF2), scan((0,), 0, 1)],
        [frame(8, 8, GRAY, SOF2), scan((0,), 5, 4)],
        [frame(8, 8, GRAY, SOF2), scan((0,), 1, 64)],
        [frame(8, 8, GRAY, SOF2), scan((0,), 1, 63, 3, 1)],
        [frame(8, 8, GRAY, SOF2), scan((0,), 1, 63, 0, 14)],
        [frame(8, 8, [(1, 1)] * 2, SOF2), scan((0, 1), 1, 63)],
        [frame(8, 8, GRAY), segment(DRI, b"\0"), scan((0,))],
        [frame(8, 8, GRAY), segment(DQT, b"\0" * 64), scan((0,))],
        [frame(8, 8, GRAY), segment(DQT, b"\4" + bytes(64)), scan((0,))],
        [frame(8, 8, GRAY), segment(DQT, b"\x20" + bytes(64)), scan((0,))],
        [frame(8, 8, GRAY), segment(DHT, flat(0x20, range(5))), scan((0,))],
        [frame(8, 8, GRAY), segment(DHT, flat(4, range(5))), scan((0,))],
        [frame(8, 8, GRAY), segment(DHT, flat(0, range(5))[:-1]), scan((0,))],
        [frame(8, 8, GRAY), segment(DHT, bytes((0, 3, *bytes(15))) + b"abc"), scan((0,))],
        [
            frame(8, 8, GRAY),
            segment(DHT, bytes((0, *bytes(14), 200, 200)) + bytes(400)),
            scan((0,)),
        ],
        [frame(8, 8, GRAY), b"\xff\xd8", scan((0,))],
        [frame(8, 8, GRAY), STEPS[:40]],
    ],
)
def test_what_is_malformed_is_no_jpeg(segments: list[bytes]) -> None:
    with pytest.raises(NotJpeg):
        parse(file(*segments))
