"""Plain rows come back whatever their header means, by what the description says of them."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.formats.rasters import bare
from bitswap_cli.images.formats.register import may_be_large
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn, fits, of_rows, opaque, saved, sgi, sun

RGBA = drawn(23, 37, 4)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1 << 20))
def test_all_sizes_come_back_as_they_are_seen(height: int, width: int, seed: int) -> None:
    rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    rgb, gray = rgba[..., :3], rgba[..., :1]
    deep = gray.astype(np.uint16) * 257
    signed = (deep[..., 0].astype(np.int32) - (1 << 15)).astype(np.int16)
    told = [(sun(rgb), rgb), (sun(gray), gray), (sgi(gray), gray)]
    told += [(sgi(deep), deep), (fits(gray[::-1, :, 0]), gray), (fits(signed[::-1]), deep)]
    for data, seen in told:
        (picture,) = pictures(data)
        assert picture.recipe.kind == "rows"
        assert np.array_equal(shown(picture), seen)


def test_colours_of_sgi_lie_in_planes() -> None:
    for channels in (3, 4):
        (picture,) = pictures(sgi(RGBA[..., :channels]))
        assert picture.recipe.kind == "planar"
        assert np.array_equal(shown(picture), RGBA[::-1, :, :channels])


def test_slices_of_fits_lie_below_each_other() -> None:
    end = b"END".ljust(160)
    third = b"NAXIS3  =                    2".ljust(80) + b"END".ljust(80)
    data = fits(np.concatenate([RGBA[..., 0], RGBA[..., 1]])).replace(end, third)
    data = data.replace(b"                   46", b"                   23").replace(
        b"NAXIS   =                    2", b"NAXIS   =                    3"
    )
    (picture,) = pictures(data)
    assert picture.pixels.shape == (46, 37, 1)


def test_alpha_that_is_the_same_everywhere_is_left_out() -> None:
    from PIL import Image

    (picture,) = pictures(saved(Image.fromarray(opaque(RGBA)), "DDS"))
    assert picture.pixels.shape == (23, 37, 3)
    assert np.array_equal(shown(picture), opaque(RGBA))


@pytest.mark.parametrize("name", [name for name in of_rows(RGBA) if name != "rows sun RGB"])
def test_files_that_are_cut_are_kept(name: str) -> None:
    data = of_rows(RGBA)[name]
    behind = -23 * 37 * (1 + name.endswith("deep")) % 2880 if "fits" in name else 0
    assert bare.split(data[: len(data) - behind - 1], "rows") is None


@pytest.mark.parametrize(
    "data",
    [
        sun(RGBA[..., :3])[:20] + struct.pack(">III", 2, 0, 0) + bytes(3000),
        sun(RGBA[..., :1])[:24] + struct.pack(">II", 1, 768) + bytes(3000),
        *(fits(RGBA[..., 0]).replace(b"%20d /" % old, b"%20s /" % new)
          for old, new in ((2, b"3"), (8, b"-32"), (37, b"x"), (23, b"0"))),
        fits(RGBA[..., 0]).replace(b"END     ", b"MORE    "),
        b"SIMPLE  =", b"farbfeld", b"farbfeld" + b"\xff" * 99, b"DDS \x7c\0\0\0" + bytes(200),
        sgi(RGBA[..., :1])[:2] + b"\1" + sgi(RGBA[..., :1])[3:],
    ],
)  # fmt: skip
def test_other_headers_tell_nothing(data: bytes) -> None:
    assert bare.split(data, "rows") is None


def test_large_ones_are_told_by_their_beginning() -> None:
    head = struct.pack(">8sII", b"farbfeld", 1 << 13, 1 << 13)
    assert may_be_large(head, len(head))
    assert not may_be_large(head[:12] + bytes([0, 0, 0, 9]), len(head))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 255),
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 8, 23, 37, 111, 255, 1 << 20, 1 << 40]), min_size=4,
             max_size=4),
    st.binary(max_size=2),
)  # fmt: skip
def test_damaged_recipes_are_refused_or_make_a_file(
    flags: int, numbers: list[int], flat: bytes
) -> None:
    pixels = RGBA[..., :3]
    told = b"".join([bytes([flags]), *map(varint, numbers), flat])
    for description in (told, told[:-1], b"", bytes([flags]) + b"\x17\x25\x03\x6f" + flat):
        recipe = Recipe("rows", b"head", b"", description)
        for call in (lambda own: rebuild(own.recipe, own.pixels), shown):
            try:
                call(Picture(pixels, recipe))
            except ArchiveError as error:
                assert "\n" not in str(error)


def test_rows_that_lie_too_far_apart_are_refused() -> None:
    (picture,) = pictures(sun(RGBA[..., :3]))
    told = picture.recipe.description
    far = told[:1] + b"".join(map(varint, (23, 37, 3, 1 << 30)))
    with pytest.raises(ArchiveError, match="does not fit"):
        rebuild(picture.recipe._replace(description=far), picture.pixels)


def test_rows_that_take_many_times_their_samples_are_refused() -> None:
    numbers = (1 << 20, 1, 1, 256)
    recipe = Recipe("rows", b"", b"", b"\0" + b"".join(map(varint, numbers)))
    assert len(rebuild(recipe, np.zeros((1 << 20, 1, 1), np.uint8))) == 1 << 28
    recipe = recipe._replace(description=b"\0" + b"".join(map(varint, (1 + (1 << 20), 1, 1, 256))))
    with pytest.raises(ArchiveError, match="does not fit"):
        rebuild(recipe, np.zeros((1 + (1 << 20), 1, 1), np.uint8))
