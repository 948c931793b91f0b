"""Arrays of .npz files come back, deflated or not; what is no picture stays as it is."""

import io
import struct
import time
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.formats.arrays import npz
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.picture import Picture
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import array_file, arrays_file, drawn

SOME, MORE = drawn(40, 32, 3).reshape(4, 10, 32, 3), drawn(16, 32, 3, seed=1)
LABELS = np.arange(4, dtype=np.int64)


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_of_one_width_lie_one_below_the_other(packed: bool) -> None:
    data = arrays_file(train=SOME, labels=LABELS, narrow=MORE[:, :9], test=MORE, packed=packed)
    (picture,) = pictures(data)
    assert picture.recipe.kind == "npz"
    assert np.array_equal(shown(picture), np.concatenate([SOME.reshape(40, 32, 3), MORE]))
    assert len(picture.recipe.description) < 700


def test_both_bytes_of_deep_samples_and_alpha_that_nobody_used() -> None:
    deep = np.random.default_rng(0).integers(0, 1 << 16, (5, 7, 3)).astype("<u2")
    (picture,) = pictures(arrays_file(a=deep, b=deep.astype(">u2")))
    assert picture.pixels.shape == (10, 7, 6)
    assert np.array_equal(shown(picture), np.concatenate([deep, deep]))
    rgba = np.dstack([MORE, np.full(MORE.shape[:2], 9, np.uint8)])
    (picture,) = pictures(arrays_file(a=rgba, b=rgba[::-1]))
    assert picture.pixels.shape == (32, 32, 3)
    assert np.array_equal(shown(picture), np.concatenate([rgba, rgba[::-1]]))


@given(level=st.integers(1, 9), comment=st.binary(max_size=40), before=st.booleans())
@example(level=1, comment=b"PK\5\6", before=True)
@example(level=1, comment=b"PK\5\6" * 9, before=True)
def test_files_of_other_writers(level: int, comment: bytes, before: bool) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        file.comment = comment
        names = ["x.npy", "notes.txt", "empty.npy"]
        for name in names if before else names[::-1][1:] + names[::-1][:1]:
            file.writestr(name, array_file(SOME) if name == "x.npy" else b"")
    (*found,) = pictures(out.getvalue())
    assert len(found) == before  # else the file does not begin with an array


@pytest.mark.parametrize(
    "data",
    [
        arrays_file(x=LABELS),
        arrays_file(x=np.asfortranarray(MORE[..., 0])),
        arrays_file(x=SOME)[:-30],
        arrays_file(x=SOME)[:300],
        b"PK\3\4" + bytes(40) + b"x.npy",
    ],
)
def test_other_files_are_kept(data: bytes) -> None:
    assert pictures(data) == []


def test_damaged_members_are_kept() -> None:
    data = bytearray(arrays_file(x=SOME))
    for at in range(0, len(data), 7):
        data[at] ^= 0x55
        pictures(bytes(data))
        data[at] ^= 0x55


def test_many_members_that_claim_the_same_bytes_take_no_time() -> None:
    body = bytes(1 << 24)
    local = struct.pack("<4s22xHH5s", b"PK\3\4", 5, 0, b"a.npy")
    size = len(body)
    entry = struct.pack("<4s4xHH8xIIHHH8xI", b"PK\1\2", 0, 0, size, size, 0, 0, 0, 0)
    end = struct.pack("<4s6xHII2x", b"PK\5\6", 4096, 0, len(local) + size)
    start = time.process_time()
    assert npz.split(local + body + 4096 * entry + end, "npz") is None
    assert time.process_time() - start < 1  # 5 s where each is copied


def _changed(picture: Picture, description: bytes) -> Any:
    return picture.recipe._replace(description=description), picture.pixels


def test_damaged_recipes_are_refused() -> None:
    (picture,) = pictures(arrays_file(x=SOME, y=MORE))
    pixels, recipe = picture
    told = recipe.description
    far = told[:1] + varint(1 << 40) + told[1 + len(varint(told[1])) :]
    for other in (b"", b"\0", told[:-1], told + b"x", b"\2" + told[1:], told[:1], far):
        with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
            rebuild(*_changed(picture, other))
    for wrong in (pixels[:-1], pixels[:, :-1], pixels[..., :1], np.concatenate([pixels, pixels])):
        with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
            rebuild(recipe, np.ascontiguousarray(wrong))
    with pytest.raises(ArchiveError, match="does not fit"):
        rebuild(recipe._replace(suffix=b"x"), pixels)
    with pytest.raises(ArchiveError, match="does not fit"):
        shown(Picture(pixels, recipe._replace(description=b"\0")))
