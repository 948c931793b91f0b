"""Netpbm: PBM (P4), and PGM (P5), PPM (P6) and PAM (P7) of any maxval, above 255 with two bytes a
sample."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, join_rows, split_rows
from bitswap_cli.images.picture import Picture, Recipe

_PLAIN = Kind("pnm", 2, exact=True, plain=True, rows=lambda head: _layout("pnm", head))
_DEEP = Kind("pnm-16", 5, exact=True, plain=False, rows=lambda head: _layout("pnm-16", head))
_FEW = Kind(
    "pnm-few", 9, exact=True, plain=False, common=True, feature="pnm",
    rows=lambda head: _layout("pnm-few", head),
)  # fmt: skip
_PAM = Kind(
    "pam", 10, exact=True, plain=False, common=True, feature="pam",
    rows=lambda head: _layout("pam", head),
)  # fmt: skip

_BITS = Kind(
    "pbm", 37, exact=True, plain=False, common=True, feature="pbm",
    rows=lambda head: _layout("pbm", head),
)  # fmt: skip

MAGIC: Sequence[bytes] = (b"P4", b"P5", b"P6", b"P7\n")
KINDS: Sequence[Kind] = (_PLAIN, _DEEP, _FEW, _PAM, _BITS)

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_SIZE = _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})"
_HEADER = re.compile(rb"P(?:([14])" + _SIZE + rb"|([2356])" + _SIZE + _GAP + rb"(\d{1,9}))\s")
_LINE = re.compile(
    rb"(?:#[^\n]*|\s*(?:(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,9})|TUPLTYPE[^\n]*)?)\s*"
)
_MOST = 1 << 12  # bytes of the header of a PAM


class Head(NamedTuple):
    """What stands before the samples of PBM, PGM or PPM."""

    number: int
    """Of the format, 1 to 6."""
    start: int
    width: int
    height: int
    highest: int
    """What a sample may be."""

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return 3 if self.number % 3 == 0 else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def samples(self) -> int:
        """How many there are."""
        return self.height * self.width * self.channels

    @property
    def deep(self) -> bool:
        """Whether they have 16 bits."""
        return self.highest > 255


def head_of(data: bytes) -> Head | None:
    """Read the header of PBM, PGM or PPM, plain or not; None if it is none."""
    match = _HEADER.match(data)
    if match is None:
        return None
    number, width, height = (int(match[k] or match[k + 3]) for k in (1, 2, 3))
    highest = int(match[7] or 1)
    return Head(number, match.end(), width, height, highest) if 0 < highest < 1 << 16 else None


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "pnm" has maxval 255, "pnm-few" a smaller one, "pnm-16" a larger one, of
    which high bytes come first, as in "pam"; "pbm" is of bits."""
    return split_rows(data, kind, _layout(kind, data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, _layout(recipe.kind, recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: 0..maxval as they are; bits as black, where they are set, and white."""
    pixels = samples.view(np.uint8)
    if recipe.kind == _BITS.name:
        return np.where(pixels, 0, 255).astype(np.uint8)
    layout = _layout(recipe.kind, recipe.prefix)
    return whole(pixels) if layout and layout.deep else with_flat(pixels, recipe.description)


def _layout(kind: str, data: bytes) -> Layout | None:
    if kind == _PAM.name:
        return _of_pam(data)
    head = head_of(data)
    if head is None or head.number < 4:
        return None
    wanted = _DEEP if head.deep else _PLAIN if head.highest == 255 else _FEW
    if (_BITS if head.number == 4 else wanted).name != kind:
        return None
    if kind == _BITS.name:
        return Layout(head.start, -(-head.width // 8), head.height, head.width, 1, depth=1)
    return _bytes_or_words(head.start, head.width, head.height, head.channels, head.highest)


def _bytes_or_words(start: int, width: int, height: int, channels: int, highest: int) -> Layout:
    deep = highest > 255
    channels *= 1 + deep
    return Layout(start, width * channels, height, width, channels, deep=deep)


def _of_pam(data: bytes) -> Layout | None:
    start = data.find(b"\nENDHDR\n", 0, _MOST)
    if data[:3] != b"P7\n" or start < 0:
        return None
    told: dict[bytes, int] = {}
    for line in data[3:start].split(b"\n"):
        match = _LINE.fullmatch(line)
        if match is None or match[1] in told:
            return None
        if match[1]:
            told[match[1]] = int(match[2])
    names = (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
    found = [told[name] for name in names if name in told]
    if len(found) < len(names) or not 0 < found[2] <= 4 or not 0 < found[3] < 1 << 16:
        return None
    width, height, channels, highest = found
    return _bytes_or_words(start + len(b"\nENDHDR\n"), width, height, channels, highest)
