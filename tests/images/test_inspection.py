"""Which files are pictures, and that they come back as promised."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import picture as picture_module
from bitswap_cli.images.inspection import inspect, rebuild
from bitswap_cli.images.picture import Recipe
from tests.images.png_files import damaged, opened, write_png

SHAPES = [(1, 1), (1, 7), (9, 1), (5, 3), (8, 8), (40, 33), (300, 17)]


def pixels_of(shape: tuple[int, int], channels: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = rng.integers(0, 9, (*shape, channels)).cumsum(axis=1)
    return (smooth % 256).astype(np.uint8)


def saved(pixels: np.ndarray, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(
        out, kind, **options
    )
    return out.getvalue()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM"])
def test_picture_comes_back(shape: tuple[int, int], channels: int, kind: str) -> None:
    pixels = pixels_of(shape, channels)
    data = saved(pixels, kind)
    found = inspect(data)
    assert found is not None
    assert np.array_equal(found.pixels, pixels)
    again = rebuild(found.recipe, found.pixels)
    if kind == "PNG":
        assert opened(again)[:3] == opened(data)[:3]
        assert np.array_equal(opened(again)[3], opened(data)[3])
        assert len(again) <= 1.3 * len(data) + 100
    else:
        assert again == data


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_interlaced_png_stays_interlaced(shape: tuple[int, int], channels: int) -> None:
    pixels = pixels_of(shape, channels)
    data = write_png(pixels, 8, 0 if channels == 1 else 2, interlaced=True)
    found = inspect(data)
    assert found is not None
    assert np.array_equal(found.pixels, pixels)
    again = rebuild(found.recipe, found.pixels)
    assert opened(again)[:3] == opened(data)[:3]
    assert np.array_equal(opened(again)[3], opened(data)[3])


def test_every_metadata_chunk_of_png_is_kept() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a title")
    text.add_itxt("Comment", "ä comment", "de")
    text.add_text("Long", "long " * 500, zip=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(
        pixels_of((20, 30), 3),
        "PNG",
        pnginfo=text,
        icc_profile=b"not a real profile" * 9,
        exif=exif,
        dpi=(300, 300),
    )
    data += b"trailing bytes"
    found = inspect(data)
    assert found is not None
    again = rebuild(found.recipe, found.pixels)
    assert opened(again)[1] == opened(data)[1]
    assert again.endswith(b"trailing bytes")
    assert found.recipe.prefix in data
    assert data.startswith(found.recipe.prefix)


def test_png_with_several_idat_chunks() -> None:
    data = saved(pixels_of((200, 900), 3, 5) ^ np.uint8(77), "PNG", compress_level=0)
    assert data.count(b"IDAT") > 1
    assert inspect(data) is not None


def test_damaged_png_is_no_picture() -> None:
    for how, data in damaged(saved(pixels_of((40, 40), 3), "PNG")):
        assert inspect(data) is None, how


def test_png_with_too_few_or_too_many_rows_is_no_picture() -> None:
    good = saved(pixels_of((8, 8), 1), "PNG")
    for height in (7, 9):
        head = bytearray(good[12:29])
        head[8:12] = struct.pack(">I", height)
        data = good[:12] + head + struct.pack(">I", zlib.crc32(head)) + good[33:]
        assert inspect(data) is None


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("P", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("LA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("1", "PNG", {}),
        ("L", "PNG", {"transparency": 3}),
        ("RGB", "PNG", {"transparency": (1, 2, 3)}),
        ("P", "BMP", {}),
        ("1", "BMP", {}),
        ("I;16", "PPM", {}),
        ("P", "GIF", {}),
        ("RGB", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("F", "TIFF", {}),
        ("RGB", "WEBP", {"lossless": True}),
    ],
)
def test_other_kinds_are_no_pictures(mode: str, kind: str, options: dict[str, Any]) -> None:
    image = Image.new(mode, (20, 10))
    if mode == "P":
        image.putpalette(bytes(range(255, -1, -1)) * 3)
    out = io.BytesIO()
    image.save(out, kind, **options)
    assert inspect(out.getvalue()) is None


def test_animated_png_is_one_of_its_own_kind() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), (k, 0, 0)) for k in range(3)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    found = inspect(out.getvalue())
    assert found is not None and found.recipe.kind == "apng"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"P",
        b"P5",
        b"P6 3 3 255",
        b"P5 0 3 255\n",
        b"P5 3 3 0\n123456789",
        b"P5 999999999 999999999 255\n",
        b"BM",
        b"BM" + bytes(60),
        b"\x89PNG\r\n\x1a\n",
        b"text",
    ],
)
def test_nonsense_is_no_picture(data: bytes) -> None:
    assert inspect(data) is None


def test_unusual_rasters_come_back() -> None:
    pixels = np.arange(9, dtype=np.uint8)
    for data in (
        b"P5\n# a comment\n3 # another\n3\n255\n" + pixels.tobytes(),
        b"P5 3 3 255\n" + pixels.tobytes() + b"P5 1 1 255\nx",
        b"P6\t1\r\n3 255 " + pixels.tobytes(),
    ):
        found = inspect(data)
        assert found is not None
        assert found.pixels.tobytes() == pixels.tobytes()
        assert rebuild(found.recipe, found.pixels) == data


def test_top_down_bmp_and_trailing_bytes_come_back() -> None:
    good = saved(pixels_of((4, 5), 3), "BMP")
    data = good[:22] + struct.pack("<i", -4) + good[26:] + b"more"
    found = inspect(data)
    assert found is not None
    assert np.array_equal(found.pixels, pixels_of((4, 5), 3)[::-1])
    assert rebuild(found.recipe, found.pixels) == data


def test_bmp_with_filled_padding_is_no_picture() -> None:
    data = bytearray(saved(pixels_of((2, 5), 3), "BMP"))
    data[54 + 15] = 1
    assert inspect(bytes(data)) is None


def test_huge_picture_is_kept_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitswap_cli.images.formats.png.chunks.MAX_LARGE", 99)
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_PIXELS", 99)
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_LARGE", 99)
    for kind in ("PNG", "BMP", "PPM"):
        assert inspect(saved(pixels_of((10, 10), 3), kind)) is None
        assert inspect(saved(pixels_of((9, 11), 3), kind)) is not None


def test_picture_with_huge_metadata_is_kept_as_bytes() -> None:
    data = b"P5 1 1 255\nx" + bytes(picture_module.MAX_RECIPE)
    assert inspect(data) is None


def test_rebuild_refuses_what_does_not_fit() -> None:
    for kind in ("PNG", "BMP", "PPM"):
        found = inspect(saved(pixels_of((4, 6), 3), kind))
        assert found is not None
        for wrong in (found.pixels[:3], found.pixels[:, :5], found.pixels[..., :1]):
            with pytest.raises(ArchiveError):
                rebuild(found.recipe, wrong)
        with pytest.raises(ArchiveError):
            rebuild(found.recipe._replace(prefix=found.recipe.prefix[:-1]), found.pixels[:3])
        with pytest.raises(ArchiveError):
            rebuild(Recipe("jpeg", b"", b""), found.pixels)
