"""Headers of what medicine and science store as rows: DICOM, NIfTI, NRRD and MetaImage files.

Slices of a volume, and frames, lie one below the other.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bitswap_cli.images.formats.rows import Layout


class _Number(NamedTuple):
    """How a number lies in a file."""

    size: int
    """Bytes."""
    signed: bool = False


_BYTE, _INT8, _INT16, _UINT16 = _Number(1), _Number(1, True), _Number(2, True), _Number(2)
_NIFTI, _NIFTI_RGB = {2: _BYTE, 256: _INT8, 4: _INT16, 512: _UINT16, 128: _BYTE}, 128
_NRRD = {
    b"uchar": _BYTE, b"unsigned char": _BYTE, b"uint8": _BYTE, b"uint8_t": _BYTE,
    b"signed char": _INT8, b"int8": _INT8, b"int8_t": _INT8,
    b"short": _INT16, b"signed short": _INT16, b"int16": _INT16, b"int16_t": _INT16,
    b"ushort": _UINT16, b"unsigned short": _UINT16, b"uint16": _UINT16, b"uint16_t": _UINT16,
}  # fmt: skip
_METAIMAGE = {
    b"MET_UCHAR": _BYTE, b"MET_CHAR": _INT8, b"MET_SHORT": _INT16, b"MET_USHORT": _UINT16,
}  # fmt: skip
_TEXT = 1 << 12  # bytes of a header that is a text, at most

_DICOM, _DICOM_AT = b"DICM", 128
_ELEMENTS = 1 << 14  # data elements that are looked at, at most
_SHORT = 1 << 6  # bytes of the values that are looked at, at most
_UNTOLD = 0xFFFFFFFF  # the length of an element that goes on up to a delimiter
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()  # what has a length of 32 bits
_SYNTAX, _PIXELS = 0x00020010, 0x7FE00010
_SAMPLES, _PLANES, _FRAMES, _ROWS, _COLUMNS = 0x280002, 0x280006, 0x280008, 0x280010, 0x280011
_BITS, _SIGNED = 0x280100, 0x280103
_IMPLICIT, _LITTLE, _BIG = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2"


def is_dicom(data: bytes) -> bool:
    """Tell whether a file begins as one of DICOM: behind 128 bytes of any kind."""
    return data[_DICOM_AT : _DICOM_AT + len(_DICOM)] == _DICOM


def read_dicom(data: bytes) -> Layout | None:
    """DICOM (PS3.5, PS3.10): gray of 8 or 16 bits, or colours of 8 bits, not packed."""
    if not is_dicom(data):
        return None
    meta, start = _elements(data, _DICOM_AT + len(_DICOM), "<", group=2)
    syntax = meta.get(_SYNTAX, b"").rstrip(b"\0 ")
    if syntax not in (_IMPLICIT, _LITTLE, _BIG):
        return None
    order = ">" if syntax == _BIG else "<"
    told, start = _elements(data, start, order, explicit=syntax != _IMPLICIT)

    def number(tag: int) -> int:
        return int(struct.unpack(f"{order}H", told.get(tag, b"\0\0"))[0])

    samples, bits = number(_SAMPLES), number(_BITS)
    if (samples, bits) not in ((1, 8), (1, 16), (3, 8)) or number(_PLANES):
        return None
    frames = int(told.get(_FRAMES, b"1").strip(b"\0 "))
    kind = _Number(bits // 8, number(_SIGNED) == 1)
    sizes = number(_COLUMNS), number(_ROWS), frames
    return _layout(start, sizes, kind, channels=samples, little=order == "<")


def _elements(
    data: bytes, at: int, order: str, *, explicit: bool = True, group: int | None = None
) -> tuple[dict[int, bytes], int]:
    """Return the values of short data elements, by their tags, and where these end: with their
    group, or where pixels begin."""
    found: dict[int, bytes] = {}
    depth = 0
    for _ in range(_ELEMENTS):
        high, low, kind, short = struct.unpack_from(f"{order}HH2sH", data, at)
        tag = high << 16 | low
        if group is not None and high != group:
            break
        if explicit and high != _ITEM >> 16:
            head = 12 if kind in _LONG else 8
            length = struct.unpack_from(f"{order}I", data, at + 8)[0] if head == 12 else short
        else:
            head, (length,) = 8, struct.unpack_from(f"{order}I", data, at + 4)
        at += head
        if tag == _PIXELS and not depth:
            break
        if tag in (_ITEM_END, _SEQUENCE_END):
            depth -= 1
        elif length == _UNTOLD:
            depth += 1
        else:
            if not depth and length <= _SHORT:
                found[tag] = data[at : at + length]
            at += length
    return found, at


def read_nifti(data: bytes) -> Layout | None:
    """NIfTI-1 and NIfTI-2 (nifti.nimh.nih.gov), with the header in the same file."""
    order = "<" if data[0] else ">"
    if data[344:348] == b"n+1\0":
        axes, *sizes, kind, start = struct.unpack_from(f"{order}8h14xh36xf", data, 40)
    elif data[4:8] == b"n+2\0":
        kind, axes, *sizes, start = struct.unpack_from(f"{order}h2x8q88xq", data, 12)
    else:
        return None
    if not 2 <= axes <= 7 or not 0 < start <= len(data):
        return None
    channels = 3 if kind == _NIFTI_RGB else 1
    return _layout(int(start), sizes[:axes], _NIFTI[kind], channels=channels, little=order == "<")


def read_nrrd(data: bytes) -> Layout | None:
    """NRRD (teem.sourceforge.net/nrrd/format.html), raw, with the header in the same file."""
    end = data.find(b"\n\n", 0, _TEXT)
    told = _fields(data[:end], b":") if end > 0 else {}
    if told.get(b"encoding") != b"raw" or b"data file" in told:
        return None
    kind, sizes = _NRRD[told[b"type"]], [int(size) for size in told[b"sizes"].split()]
    channels = 1
    if len(sizes) > 2 and kind.size == 1 and sizes[0] in (3, 4):
        channels, *sizes = sizes
    little = told.get(b"endian") == b"little"
    return _layout(end + 2, sizes, kind, channels=channels, little=little)


def read_metaimage(data: bytes) -> Layout | None:
    """MetaImage (itk.org, MetaIO), not compressed, with the header in the same file."""
    last = data.find(b"ElementDataFile", 0, _TEXT)
    end = data.find(b"\n", last, _TEXT)
    told = _fields(data[:end], b"=") if 0 < last < end else {}
    if told.get(b"ElementDataFile") != b"LOCAL" or told.get(b"CompressedData") == b"True":
        return None
    sizes = [int(size) for size in told[b"DimSize"].split()]
    channels = int(told.get(b"ElementNumberOfChannels", b"1"))
    orders = told.get(b"BinaryDataByteOrderMSB"), told.get(b"ElementByteOrderMSB")
    kind = _METAIMAGE[told[b"ElementType"]]
    return _layout(end + 1, sizes, kind, channels=channels, little=b"True" not in orders)


def _fields(text: bytes, sign: bytes) -> dict[bytes, bytes]:
    """Return what a text tells by names, line by line."""
    lines = (line.partition(sign) for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _layout(
    start: int, sizes: Sequence[int], kind: _Number, *, channels: int, little: bool
) -> Layout:
    """Return the layout of so many numbers a pixel; the first axis is that of a row. Raise
    `ValueError` if there is no axis."""
    (width, *others), each, deep = sizes, channels * kind.size, kind.size == 2
    return Layout(
        start, width * each, math.prod(others), width, each, deep=deep,
        little=deep and little, signed=kind.signed,
    )  # fmt: skip


HEADERS: Mapping[bytes, Callable[[bytes], Layout | None]] = {
    b"\x5c\1\0\0": read_nifti,
    b"\0\0\1\x5c": read_nifti,
    b"\x1c\2\0\0n+2\0": read_nifti,
    b"\0\0\2\x1cn+2\0": read_nifti,
    b"NRRD000": read_nrrd,
    b"ObjectType = Ima": read_metaimage,
    bytes(16): read_dicom,
    b"II*\0": read_dicom,
    b"MM\0*": read_dicom,
}
"""By how files begin; those of DICOM may begin as TIFF files do, and otherwise."""
