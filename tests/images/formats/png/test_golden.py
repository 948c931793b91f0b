"""Descriptions of PNG files, frozen: every later version restores the same chunks."""

import zlib

import numpy as np
import pytest

from bitswap_cli.images.formats.png.chunks import Head
from bitswap_cli.images.formats.png.stream import restore

# Filters told one by one, passes, lengths told; unused bits, filters in runs, chunks of 100 bytes;
# filters of the least sum but for some, a single chunk. All have bytes behind the checksum.
GOLDEN = [
    (
        Head(23, 17, 8, 2, interlaced=True),
        "081c282c05040002547010547caba9f4d12691eb1c1b57122ebc4e804c62268710047461696c",
        [30, 0, 60, 1061],
        2202596519,
    ),
    (
        Head(31, 9, 2, 0, interlaced=False),
        "056416181c051e06031970e1fa8010b130cdcac1eacfb55f64268710047461696c",
        [100, 37],
        3535100335,
    ),
    (
        Head(40, 25, 16, 6, interlaced=False),
        "06000b081e03018a79179601c3ea268710047461696c",
        [3585],
        4027064888,
    ),
]


@pytest.mark.parametrize(("head", "description", "lengths", "checksum"), GOLDEN)
def test_golden_descriptions_are_restored(
    head: Head, description: str, lengths: list[int], checksum: int
) -> None:
    shape = (head.height, head.width, -(-head.bits // 8))
    values = np.arange(np.prod(shape)) ** 2 // 97 % (1 << min(head.depth, 8))
    chunks = restore(bytes.fromhex(description), values.astype(np.uint8).reshape(shape), head)
    assert [len(body) for body in chunks] == lengths
    assert zlib.crc32(b"".join(chunks)) == checksum
