"""Objects of the container: MessagePack of a few types, counted before any of it is believed.

A hostile object of few bytes can stand for millions of items: an empty list is one byte, and takes
fifty in memory. So the packed bytes are walked first, which allocates nothing.
"""

from typing import Any

import msgpack

from bitswap_cli.errors import ArchiveError

# What an object may consist of. The largest that a writer makes are the extras of a full chunk: two
# arrays of as many bytes as there are pictures.
MAX_ITEMS = (1 << 17) + 64
MAX_DEPTH = 8

# How many bytes follow the first one of an item of fixed length: nil, integers.
_FIXED = {0xC0: 0, **{0xCC + k: 1 << k for k in range(4)}, **{0xD0 + k: 1 << k for k in range(4)}}
# How many bytes tell the length of what follows: bytes, text; how many those of items.
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}


def pack_object(value: object) -> bytes:
    """Serialise lists, maps from text, numbers, text and bytes with MessagePack."""
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def unpack_object(data: bytes, what: str) -> Any:
    """Read MessagePack; raise `ArchiveError` naming `what` if it is malformed.

    There are integers, text, bytes, nil, arrays, and maps from text, in which no key stands twice;
    no booleans, no floats, no extensions. An object has `MAX_ITEMS` items at most, nested in
    `MAX_DEPTH` arrays or maps at most.
    """
    try:
        _walk(data)
        return msgpack.unpackb(data, raw=False, use_list=True, object_pairs_hook=_unique)
    except (ValueError, TypeError, IndexError, msgpack.UnpackException) as error:
        raise ArchiveError(f"the archive's {what} is malformed") from error


def _walk(data: bytes) -> None:
    """Raise ValueError or IndexError unless the bytes are an object within bounds."""
    position, items = 0, 0
    open_ = [1]  # how many items are missing of each array or map that is not closed
    while open_:
        if not open_[-1]:
            open_.pop()
            continue
        open_[-1] -= 1
        length, inside = _item(data, position)
        position += length
        items += inside
        # What is announced counts: nothing is reserved for it before it is there.
        if items > MAX_ITEMS or position > len(data) or len(open_) > MAX_DEPTH:
            raise ValueError("out of bounds")
        if inside:
            open_.append(inside)


def _item(data: bytes, position: int) -> tuple[int, int]:
    """Return how many bytes an item takes, without what is inside of it, and how many are inside.

    Of a map, keys and values count.
    """
    first = data[position]

    def number(width: int) -> int:
        return int.from_bytes(data[position + 1 : position + 1 + width], "big")

    if first < 0x80 or first >= 0xE0:
        return 1, 0
    if first < 0xA0:
        count = first & 0x0F
        return 1, count if first >= 0x90 else 2 * count
    if first < 0xC0:
        return 1 + (first & 0x1F), 0
    if first in _FIXED:
        return 1 + _FIXED[first], 0
    if first in _LENGTHS:
        width = _LENGTHS[first]
        return 1 + width + number(width), 0
    if first in _ARRAYS:
        width = _ARRAYS[first]
        return 1 + width, number(width)
    if first in _MAPS:
        width = _MAPS[first]
        return 1 + width, 2 * number(width)
    raise ValueError("no item of an object")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) or not all(isinstance(key, str) for key in found):
        raise ValueError("a key that stands twice, or is no text")
    return found
