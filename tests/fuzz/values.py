"""Trees of values, as MessagePack and JSON have them, and how they are spoilt.

A value is packed as it is told to be, true or not: `Raw` stands for bytes in the place of an item,
so that counts and lengths can lie.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgpack

Spoil = Callable[[bytes, random.Random], bytes]

NUMBERS = (
    *(0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 4096, 65535, 65536, (1 << 24) - 1, 1 << 24),
    *((1 << 24) + 1, 1 << 25, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 62) - 1),
    *(1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, -1, -2, -(1 << 31), -(1 << 62), -(1 << 63)),
)
OTHERS: tuple[Any, ...] = (True, False, None, 1.5, -0.0, 1e300, "", "x", b"", b"\0", [], {}, [[]])
# What is no honest item: counts that lie, depths, extensions, keys twice, ends that are missing.
FORGED = (
    b"\xdd\xff\xff\xff\xff", b"\xdd\x02\x00\x00\x00", b"\xdf\xff\xff\xff\xff", b"\xdf\x01\0\0\0",
    b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdc\xff\xff", b"\xde\xff\xff",
    b"\x91" * 9 + b"\x90", b"\x91" * 5000 + b"\x90", b"\x81\xa1a" * 600 + b"\x80", b"\xc1", b"",
    b"\xd4\x00\x00", b"\xd6\xff\x00\x00\x00\x00", b"\xc7\x0c\xff" + bytes(12), b"\xc9\xff\xff\xff",
    b"\x82\xa1a\x01\xa1a\x02", b"\x81\x01\x01", b"\x81\xc0\x01", b"\xa1\xff", b"\xca\x7f\xc0\0\0",
    b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff", b"\xcf\0\0\0\0\0\0\0\x01", b"\xcb\x7f\xf8" + bytes(6),
    b"\xdd\x00\x01\x00\x00" + b"\x90" * (1 << 16), b"\xdd\x00\x20\x00\x00" + b"\x90" * (1 << 21),
    b"\xdd\x00\x01\x00\x00" + b"\xc4\x00" * (1 << 16),
)  # fmt: skip


@dataclass
class Raw:
    """Bytes where an item should be."""

    data: bytes


def unpacked(data: bytes) -> Any:
    """Return what MessagePack stands for; raise ValueError if it is none."""
    try:
        return msgpack.unpackb(data, raw=False, use_list=True, strict_map_key=False)
    except (msgpack.UnpackException, UnicodeDecodeError, TypeError, RecursionError) as error:
        raise ValueError("no MessagePack") from error


def packed(value: Any) -> bytes:
    """Return MessagePack of a value, what is raw in it as it is."""
    match value:
        case Raw(data):
            return data
        case list():
            head = msgpack.Packer().pack_array_header(len(value))
            return b"".join([head, *map(packed, value)])
        case dict():
            head = msgpack.Packer().pack_map_header(len(value))
            pairs = (part for pair in value.items() for part in pair)
            return b"".join([head, *map(packed, pairs)])
        case int() if not -(1 << 63) <= value < 1 << 64:
            return packed(1 << 63)
        case str():
            text = value.encode("utf-8", "surrogateescape")
            return bytes(msgpack.packb(text, use_bin_type=False))
    return bytes(msgpack.packb(value, use_bin_type=True))


def spoilt(value: Any, chance: random.Random, inner: Spoil, *, forged: bool = True) -> Any:
    """Return a tree with one thing wrong in it.

    Parameters
    ----------
    value : list, dict, number, text, bytes or None
    chance : random.Random
    inner : callable
        Spoils bytes in it.
    forged : bool
        Whether there may be `Raw` in it.
    """
    paths = list(_paths(value))
    path = chance.choice(paths)
    if len(paths) > 4 and not path:  # rarely all of it
        path = chance.choice(paths)
    return _replaced(value, path, lambda old: _spoilt_item(old, chance, inner, forged))


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = list(value.items()) if isinstance(value, dict) else []
    items = list(enumerate(value)) if isinstance(value, list) else items
    for number, (key, item) in enumerate(items):
        if number < 64:
            yield from _paths(item, (*path, key))


def _replaced(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(value)
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], change)
    return copy


def _spoilt_item(value: Any, chance: random.Random, inner: Spoil, forged: bool) -> Any:
    if forged and chance.random() < 0.08:
        return Raw(chance.choice(FORGED))
    if chance.random() < 0.15:
        return chance.choice((*NUMBERS, *OTHERS))
    match value:
        case [int(least), bytes(planes)] if chance.random() < 0.7:
            return _spoilt_column(least, planes, chance)
        case bool() | None:
            return chance.choice(OTHERS)
        case int() | float():
            return _spoilt_number(value, chance)
        case bytes():
            return inner(value, chance)
        case str():
            return inner(value.encode(), chance).decode("utf-8", "replace")
        case list():
            return _spoilt_list(value, chance)
        case dict():
            return _spoilt_map(value, chance)
    return None


def _spoilt_number(value: float, chance: random.Random) -> float:
    if isinstance(value, float) or chance.random() < 0.4:
        return chance.choice(NUMBERS)
    changed = chance.choice((value + 1, value - 1, 2 * value, value // 2, -value))
    return chance.choice((changed, value ^ 1 << chance.randrange(32)))


def _spoilt_column(least: int, planes: bytes, chance: random.Random) -> list[Any]:
    """Spoil the least value of a column, or rows of it."""
    match chance.randrange(5):
        case 0:
            return [_spoilt_number(least, chance), planes]
        case 1:
            return [least, planes[: chance.randrange(len(planes) + 1)]]
        case 2:  # all rows wider
            return [least, planes + planes * chance.randrange(1, 9)]
    rows = bytearray(planes)
    for _ in range(chance.choice((1, 1, 2, 5)) if rows else 0):
        rows[chance.randrange(len(rows))] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
    return [least, bytes(rows)]


def _spoilt_list(value: list[Any], chance: random.Random) -> list[Any]:
    items = list(value)
    at = chance.randrange(len(items) + 1)
    match chance.randrange(5):
        case 0 if items:
            del items[at - 1]
        case 1 if items:
            items.insert(at, items[at - 1])
        case 2 if len(items) > 1:
            other = chance.randrange(len(items))
            items[at - 1], items[other] = items[other], items[at - 1]
        case 3:
            items = items * chance.choice((2, 3, 100))
        case _:
            items.insert(at, chance.choice((*NUMBERS, *OTHERS)))
    return items


KEYS = (
    "segments", "checksum", "swallowed", "factor", "shared", "ends", "kind", "height", "width",
    "channels", "first", "tiles", "size", "orientation", "crc", "offset", "length", "start",
    "steps", "mode", "owner", "group", "xattr", "xattrs", "hole", "holes", "original_shared",
    "original_ends", "\0", "x",
)  # fmt: skip


def _spoilt_map(value: dict[Any, Any], chance: random.Random) -> dict[Any, Any]:
    found, keys = dict(value), list(value)
    match chance.randrange(3):
        case 0 if keys:
            del found[chance.choice(keys)]
        case 1 if keys:
            found[chance.choice((*KEYS, *keys))] = found.pop(chance.choice(keys))
        case _:
            found[chance.choice((*KEYS, *keys))] = chance.choice((*NUMBERS, *OTHERS))
    return found
