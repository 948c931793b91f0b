"""The register of formats: the kinds that archives number, and what pictures show."""

import io

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.contract import BYTES
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.register import FORMATS, START, beginning, find, kind_of, kinds
from bitswap_cli.images.inspection import inspect, inspect_wide
from bitswap_cli.images.picture import Picture
from tests.images.png_files import chunk, write_png

MAPS = ["photo-cd", "libjpeg", "opencv", "opencv-601", "ffmpeg-601", "ffmpeg-709"]
MAPS += ["ffmpeg-601-full", "ffmpeg-709-full", "scaled-601", "scaled-709", "scaled-601-full"]
MAPS += ["scaled-709-full", "pillow", "gray"]
MAPS += ["table-601", "table-709", "table-601-full", "table-709-full"]
LESS = [("-half-odd", 120), ("-across", 122), ("-across-odd", 124)]
LATTICES = [
    (first + 4 * number + 2 * half + exact, name + "-half" * half + "-exact" * exact, exact, False)
    for number, name in enumerate(MAPS)
    if name != "gray"
    for first in [64 if number < 13 else 172]
    for half in (False, True)
    for exact in (False, True)
]
LATTICES += [
    (first + 6 * number + exact, name + less + "-exact" * exact, exact, False)
    for number, name in enumerate(MAPS)
    if name != "gray"
    for less, first in LESS
    if name != "photo-cd" or less == "-half-odd"
    for exact in (False, True)
]
LATTICES += [(118, "gray", False, False), (119, "gray-exact", True, False)]
LATTICES += [
    (first + 2 * k + exact, "own-map" + less + "-exact" * exact, exact, False)
    for first, some in (
        (52, ("", "-half", "-half-odd", "-across", "-across-odd")),
        (244, ("-smooth", "-smooth-odd")),
    )
    for k, less in enumerate(some)
    for exact in (False, True)
]
LATTICES.sort()


def test_kinds_keep_their_numbers_and_promises() -> None:
    assert [(kind.number, kind.name, kind.exact, kind.plain) for kind in kinds()] == [
        (0, "png", False, True),
        (1, "bmp", True, True),
        (2, "pnm", True, True),
        (3, "png-samples", False, False),
        (4, "png-colours", False, False),
        (5, "pnm-16", True, False),
        (6, "png-exact", True, True),
        (7, "png-samples-exact", True, False),
        (8, "png-colours-exact", True, False),
        (9, "pnm-few", True, False),
        (10, "pam", True, False),
        (11, "bmp-32", True, False),
        (12, "bmp-indices", True, False),
        (13, "bmp-colours", True, False),
        (14, "npy", True, False),
        (15, "qoi", True, False),
        (16, "tga", True, False),
        (17, "tga-indices", True, False),
        (18, "tga-colours", True, False),
        (19, "gif-indices", True, False),
        (20, "gif-colours", True, False),
        (21, "tiff", True, False),
        (22, "tiff-indices", True, False),
        (23, "tiff-colours", True, False),
        (24, "ico", True, False),
        (25, "apng", True, False),
        (26, "apng-indices", True, False),
        (27, "apng-colours", True, False),
        (28, "npz", True, False),
        (29, "idx", True, False),
        (30, "planar", True, False),
        (31, "high-bits", False, False),
        (32, "high-bits-exact", True, False),
        (33, "high-bits-parts", False, False),
        (34, "high-bits-parts-exact", True, False),
        (35, "bmp-16", True, False),
        (36, "tga-16", True, False),
        (37, "pbm", True, False),
        (38, "npy-other", True, False),
        (39, "bigtiff", True, False),
        (40, "bigtiff-indices", True, False),
        (41, "bigtiff-colours", True, False),
        (42, "ico-masks", True, False),
        (43, "png-opaque", False, False),
        (44, "png-opaque-exact", True, False),
        (45, "pnm-plain", True, False),
        (46, "rows", True, False),
        (47, "tiff-fax", True, False),
        (48, "fax", True, False),
        (49, "flate", True, False),
        (50, "ranks", False, False),
        (51, "ranks-exact", True, False),
        *LATTICES,
        (248, "labelled", True, False),
    ]
    assert all(kind.alphabet == BYTES for kind in kinds())


def test_a_kind_leads_to_its_format_and_back() -> None:
    for form in FORMATS.values():
        assert all(0 < len(magic) <= START for magic in form.MAGIC)
        for kind in form.KINDS:
            assert find(kind.name) == (form, kind)
            assert kind_of(kind.name) is kind
    with pytest.raises(ArchiveError, match="unknown kind"):
        kind_of("png-other")


@pytest.mark.parametrize(
    ("start", "names"),
    [
        (b"\x89PNG\r\n\x1a\n and more", ["png", "apng"]),
        (b"BM", ["bmp"]),
        (b"P5", ["pnm"]),
        (b"P6 1", ["pnm"]),
        (b"P4", ["pnm"]),
        (b"P3", ["plain"]),
        (b"P8", []),
        (b"\x89PNG", []),
        (b"", []),
    ],
)
def test_files_are_told_by_their_beginning(start: bytes, names: list[str]) -> None:
    assert [name for name, form in FORMATS.items() if form in beginning(start)] == names


def shown(picture: Picture) -> np.ndarray:
    form, _ = find(picture.recipe.kind)
    return form.shown(picture.recipe, picture.pixels)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM"])
@pytest.mark.parametrize("channels", [1, 3])
def test_plain_pictures_show_their_pixels(kind: str, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels if channels == 3 else pixels[:, :, 0]).save(file, kind)
    picture = inspect(file.getvalue())
    assert picture is not None
    assert np.array_equal(shown(picture), pixels)


def test_deep_samples_are_shown_whole() -> None:
    samples = np.random.default_rng(1).integers(0, 1 << 16, (4, 3, 3))
    deep = b"P6 3 4 65535\n" + samples.astype(">u2").tobytes()
    for data in (write_png(samples, 16, 2), deep):
        (picture,) = inspect_wide(data)
        assert shown(picture).dtype == np.uint16
        assert np.array_equal(shown(picture), samples)


def test_indices_are_shown_as_the_colours_they_stand_for() -> None:
    palette = np.array([(5, 6, 7), (0, 0, 1), (9, 9, 9)], np.uint8)
    indices = np.array([[[0], [1]], [[2], [3]]])
    (picture,) = inspect_wide(write_png(indices, 2, 3, before=chunk(b"PLTE", palette.tobytes())))
    black = (0, 0, 0)
    assert shown(picture).tolist() == [[[5, 6, 7], [0, 0, 1]], [[9, 9, 9], [*black]]]
    before = chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", b"\x08")
    for picture in inspect_wide(write_png(indices[:1], 2, 3, before=before)):
        assert shown(picture).tolist() == [[[5, 6, 7, 8], [0, 0, 1, 255]]]


def test_gray_of_few_bits_spans_the_whole_range() -> None:
    (picture,) = inspect_wide(write_png(np.array([[[0], [3]]]), 2, 0))
    assert shown(picture).tolist() == [[[0], [255]]]
