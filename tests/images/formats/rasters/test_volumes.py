"""Volumes of medicine and science come back, by the samples that their headers tell of."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.images.formats.rasters.volumes import HEADERS
from bitswap_cli.images.formats.register import may_be_large
from bitswap_cli.images.inspection import inspect_exact, rebuild
from bitswap_cli.images.picture import MAX_PIXELS
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn

DEEP = drawn(23, 37, 1).astype(np.uint16) * 251
SIGNED = (DEEP.astype(np.int32) - (1 << 15)).astype(np.int16)
IMPLICIT, LITTLE, BIG, JPEG = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".2", ".4.50"))


def element(group: int, number: int, kind: bytes, value: bytes, syntax: str = LITTLE) -> bytes:
    """A data element; its length is not told if the value ends with a delimiter."""
    order = ">" if syntax == BIG else "<"
    length = 0xFFFFFFFF if value.endswith(ending(0xE0DD, syntax)) else len(value)
    head = struct.pack(f"{order}HH", group, number)
    if syntax == IMPLICIT or group == 0xFFFE:
        return head + struct.pack(f"{order}I", length) + value
    if kind in (b"OW", b"SQ", b"UN"):
        return head + kind + bytes(2) + struct.pack(f"{order}I", length) + value
    return head + kind + struct.pack(f"{order}H", length) + value


def lying(pixels: np.ndarray, order: str) -> bytes:
    """Numbers as they lie in a file."""
    dtype = pixels.dtype.newbyteorder("big" if order == ">" else "little")
    return pixels.astype(dtype).tobytes()


def ending(number: int, syntax: str) -> bytes:
    return struct.pack(">HHI" if syntax == BIG else "<HHI", 0xFFFE, number, 0)


def dicom(pixels: np.ndarray, syntax: str = LITTLE, start: bytes = bytes(128)) -> bytes:
    """A DICOM file of frames (F, H, W) or colours (F, H, W, 3), with an icon in a sequence."""
    order = ">" if syntax == BIG else "<"

    def number(place: int, value: int) -> bytes:
        return element(0x28, place, b"US", struct.pack(f"{order}H", value), syntax)

    icon = number(0x10, 9) + element(0x7FE0, 0x10, b"OW", b"\1\2" * 9, syntax)
    item = element(0xFFFE, 0xE000, b"", icon, syntax)
    open_item = struct.pack(f"{order}HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + icon
    items = item + open_item + ending(0xE00D, syntax) + ending(0xE0DD, syntax)
    frames, height, width, *colours = pixels.shape
    told = [
        element(8, 0x60, b"CS", b"CT", syntax),
        element(9, 1, b"SQ", item, syntax),
        element(9, 2, b"SQ", items, syntax),
        element(9, 3, b"UN", bytes(99), syntax),
        number(2, *colours or [1]),
        number(6, 0),
        element(0x28, 8, b"IS", str(frames).encode().ljust(2), syntax),
        number(0x10, height),
        number(0x11, width),
        number(0x100, 8 * pixels.itemsize),
        number(0x103, int(pixels.dtype.kind == "i")),
        element(0x7FE0, 0x10, b"OW", lying(pixels, order), syntax),
    ]
    meta = element(2, 1, b"UN", b"\0\1") + element(2, 0x10, b"UI", syntax.encode() + b"\0")
    return start + b"DICM" + meta + b"".join(told)


def nifti(pixels: np.ndarray, kind: int, *, second: bool = False, order: str = "<") -> bytes:
    """A NIfTI file of (.., H, W)."""
    sizes = [*pixels.shape[::-1], *[1] * (7 - pixels.ndim)]
    if second:
        head = bytearray(544)
        struct.pack_into(f"{order}i8sh", head, 0, 540, b"n+2\0\r\n\x1a\n", kind)
        struct.pack_into(f"{order}8q", head, 16, pixels.ndim, *sizes)
        struct.pack_into(f"{order}q", head, 168, 544)
    else:
        head = bytearray(352)
        struct.pack_into(f"{order}i", head, 0, 348)
        struct.pack_into(f"{order}8h14xh", head, 40, pixels.ndim, *sizes, kind)
        struct.pack_into(f"{order}f", head, 108, 352)
        head[344:348] = b"n+1\0"
    return bytes(head) + lying(pixels, order)


def nrrd(pixels: np.ndarray, kind: str, *more: str) -> bytes:
    sizes = " ".join(map(str, pixels.shape[::-1]))
    lines = ["NRRD0004", "# text", f"type: {kind}", f"sizes: {sizes}", "encoding: raw", *more]
    return "\n".join([*lines, "", ""]).encode() + pixels.tobytes()


def metaimage(pixels: np.ndarray, kind: str, *more: str) -> bytes:
    sizes = " ".join(map(str, pixels.shape[1::-1]))
    lines = ["ObjectType = Image", f"DimSize = {sizes}", f"ElementType = {kind}", *more]
    return "\n".join([*lines, "ElementDataFile = LOCAL", ""]).encode() + pixels.tobytes()


def seen(data: bytes) -> np.ndarray:
    """What a file shows that comes back; nothing if it is no picture."""
    found = pictures(data)
    assert all(one.recipe.kind == "rows" for one in found)
    return shown(found[0]) if found else np.empty(0)


@pytest.mark.parametrize("syntax", [IMPLICIT, LITTLE, BIG])
@pytest.mark.parametrize("start", [bytes(128), b"II*\0" + bytes(124), b"\x5c\1\0\0" + bytes(124)])
def test_dicom(syntax: str, start: bytes) -> None:
    for pixels in (DEEP, SIGNED, drawn(23, 37, 1)):
        expected = DEEP if pixels is SIGNED else pixels
        shows = seen(dicom(np.stack([pixels, pixels[::-1]]), syntax, start))
        assert np.array_equal(shows[..., 0], np.concatenate([expected, expected[::-1]]))
    colours = drawn(23, 37, 3)
    assert np.array_equal(seen(dicom(colours[None], syntax, start)), colours)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("second", [False, True])
def test_nifti(order: str, second: bool) -> None:
    bytes_of = drawn(23, 37, 1)
    signed = (bytes_of ^ 128).view(np.int8)
    for pixels, kind, expected in (
        (DEEP, 512, DEEP), (SIGNED, 4, DEEP), (bytes_of, 2, bytes_of), (signed, 256, bytes_of),
    ):  # fmt: skip
        data = nifti(np.stack([pixels, pixels]), kind, second=second, order=order)
        shows = seen(data)
        assert np.array_equal(shows[..., 0], np.concatenate([expected, expected]))
    assert not seen(nifti(SIGNED, 16, second=second, order=order)).size  # floats


def test_colours_of_nifti() -> None:
    colours = drawn(23, 37, 3)
    data = bytearray(nifti(colours[..., 0], 128))
    assert np.array_equal(seen(bytes(data[:352]) + colours.tobytes()), colours)


def test_texts() -> None:
    colours = drawn(23, 37, 3)
    for data, expected in (
        (nrrd(SIGNED, "short", "endian: little"), DEEP[..., None]),
        (nrrd(DEEP.astype(">u2"), "uint16", "endian: big"), DEEP[..., None]),
        (nrrd(colours, "unsigned char"), colours),
        (metaimage(SIGNED, "MET_SHORT", "BinaryDataByteOrderMSB = False"), DEEP[..., None]),
        (
            metaimage(DEEP.astype(">u2"), "MET_USHORT", "ElementByteOrderMSB = True"),
            DEEP[..., None],
        ),
        (metaimage(colours, "MET_UCHAR", "ElementNumberOfChannels = 3"), colours),
    ):
        assert np.array_equal(seen(data), expected)


@pytest.mark.parametrize(
    "data",
    [
        dicom(DEEP[None], JPEG),
        dicom(DEEP[None].astype(np.uint32)),
        dicom(DEEP[None])[:-1],
        dicom(DEEP[None]).replace(b"DICM", b"DICN"),
        bytes(200) + b"DICM",
        nifti(DEEP, 512)[:-1],
        nifti(DEEP, 512).replace(b"n+1", b"ni1"),
        nrrd(DEEP, "ushort", "encoding: gzip"),
        nrrd(DEEP, "float"),
        nrrd(DEEP, "ushort", "data file: x"),
        nrrd(DEEP, "ushort").replace(b"sizes: 37", b"sizes: x"),
        nrrd(DEEP, "ushort").replace(b"sizes: 37 23", b"sizes:"),
        metaimage(DEEP, "MET_USHORT", "CompressedData = True"),
        metaimage(DEEP, "MET_FLOAT"),
        metaimage(DEEP, "MET_USHORT").replace(b"LOCAL", b"x.raw"),
        metaimage(DEEP, "MET_USHORT").replace(b"DimSize = 37 23", b"DimSize ="),
        *HEADERS,
    ],
)
def test_other_files_are_kept(data: bytes) -> None:
    assert not seen(data).size


def test_large_dicom_files_are_told_by_their_size() -> None:
    head = dicom(DEEP[None])[:200]
    assert may_be_large(head, MAX_PIXELS + 1) and not may_be_large(head, MAX_PIXELS)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=4))
def test_spoilt_headers_end_in_a_picture_or_none(
    which: int, changes: list[tuple[int, int]]
) -> None:
    files = (
        dicom(DEEP[None]), dicom(DEEP[None], IMPLICIT), nifti(DEEP, 512),
        nifti(DEEP, 4, second=True), nrrd(DEEP, "short"), metaimage(DEEP, "MET_SHORT"),
    )  # fmt: skip
    data = bytearray(files[which])
    for place, byte in changes:
        data[place] = byte
    for picture in inspect_exact(bytes(data), None):
        assert rebuild(picture.recipe, picture.pixels) == bytes(data)
