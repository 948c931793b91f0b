"""Netpbm: PBM (P4), and PGM (P5), PPM (P6) and PAM (P7) of any maxval, above 255 with two bytes a
sample."""

import re
from collections.abc import Sequence

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
_HEADER = re.compile(
    rb"P([56])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})\s"
)
_BITS_HEADER = re.compile(rb"P4" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})\s")
_LINE = re.compile(
    rb"(?:#[^\n]*|\s*(?:(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,9})|TUPLTYPE[^\n]*)?)\s*"
)
_MOST = 1 << 12  # bytes of the header of a PAM


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
    if kind == _BITS.name:
        match = _BITS_HEADER.match(data)
        if match is None:
            return None
        width, height = int(match[1]), int(match[2])
        return Layout(match.end(), -(-width // 8), height, width, 1, depth=1)
    head = _pam_head(data) if kind == _PAM.name else _head(data)
    if head is None:
        return None
    start, width, height, channels, highest = head
    if kind != _PAM.name:
        wanted = _DEEP if highest > 255 else _PLAIN if highest == 255 else _FEW
        if wanted.name != kind:
            return None
    deep = highest > 255
    if not 0 < highest < 1 << 16 or not 0 < channels <= 4:
        return None
    channels *= 1 + deep
    return Layout(start, width * channels, height, width, channels, deep=deep)


def _head(data: bytes) -> tuple[int, ...] | None:
    """Return where the pixels of PGM or PPM start, width, height, channels and maxval."""
    match = _HEADER.match(data)
    if match is None:
        return None
    return match.end(), int(match[2]), int(match[3]), 1 if match[1] == b"5" else 3, int(match[4])


def _pam_head(data: bytes) -> tuple[int, ...] | None:
    """Return the same of PAM."""
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
    return (start + len(b"\nENDHDR\n"), *found) if len(found) == len(names) else None
