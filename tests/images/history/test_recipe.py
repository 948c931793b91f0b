"""What gives pictures that were JPEGs back, and what is none of it."""

import io
from typing import Any

import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.corrections import columns
from bitswap_cli.images.history import recipe
from bitswap_cli.images.history.decoder import Decoder
from bitswap_cli.images.inspection import describe, inspect_exact
from bitswap_cli.images.orientation import ORIENTATIONS, turn_back
from bitswap_cli.images.picture import Picture
from tests.images.history.jpegs import decoded, load, save, scene, taken_apart


def seen(pixels: NDArray[np.uint8]) -> tuple[bytes, Picture]:
    """A PNG file, and its picture."""
    out = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    data = out.getvalue()
    return data, next(iter(inspect_exact(data, describe(data))))


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
def test_files_come_back(sampling: str) -> None:
    gray = sampling == "gray"
    data = save(scene(45, 61, gray=gray), 85, "4:4:4" if gray else sampling)
    origin, jpeg = taken_apart(data)
    pixels = load(data).copy()
    pixels[3:5, 7:20] += 9
    pixels[44, 60] = 0
    file, picture = seen(pixels)
    packed = recipe.pack(picture, origin, jpeg.coefficients)
    assert recipe.join(packed, [jpeg.coefficients]) == file
    assert recipe.was(packed) == f"quality 85, {sampling}"
    shapes = [[(c.rows, c.columns) for c in frame] for frame in recipe.outlines(packed)]
    assert shapes == [[x.shape[:2] for x in jpeg.coefficients]]


@pytest.mark.parametrize("orientation", [0, 5])
def test_columns_of_earlier_archives_come_back(orientation: int) -> None:
    """Which lie as the picture does."""
    data = save(scene(45, 61), 85, "4:2:0")
    origin, jpeg = taken_apart(data)
    made = np.array(turn_back(load(data), orientation), order="C")
    pixels = made.copy()
    pixels[3:5, 7:20] += 9
    file, picture = seen(pixels)
    packed = recipe.pack(picture, origin._replace(orientation=orientation), jpeg.coefficients)
    told = msgpack.unpackb(packed, raw=False)
    told[10] = columns.corrections(pixels, made)
    packed = msgpack.packb(told, use_bin_type=True)
    assert recipe.join(packed, [jpeg.coefficients]) == file


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
@pytest.mark.parametrize("alpha", [None, 0, 255])
def test_turned_ones_and_an_alpha_come_back(orientation: int, alpha: int | None) -> None:
    data = save(scene(45, 61), 85, "4:2:0")
    origin, jpeg = taken_apart(data)
    pixels = np.array(turn_back(load(data), orientation), order="C")
    pixels[3:5, 7:20] += 9
    if alpha is not None:
        pixels = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), alpha, np.uint8)], 2)
    file, picture = seen(pixels)
    own = origin._replace(orientation=orientation)
    packed = recipe.pack(picture, own, jpeg.coefficients)
    assert recipe.join(packed, [jpeg.coefficients]) == file
    assert recipe.was(packed) == "quality 85, 4:2:0" + (", turned" if orientation else "")


@pytest.mark.parametrize(
    ("decoder", "said"),
    [
        (Decoder.FAST, "decoded fast"),
        (Decoder.WIDE, "decoded by libjpeg 7 or later"),
        (Decoder.FFMPEG, "decoded by FFmpeg"),
        (Decoder.FFMPEG_PLAIN, "decoded by FFmpeg"),
    ],
)
@pytest.mark.parametrize("orientation", [0, 5])
def test_other_decoders_come_back(decoder: Decoder, said: str, orientation: int) -> None:
    data = save(scene(45, 61), 85, "4:2:0")
    origin, jpeg = taken_apart(data)
    own = origin._replace(decoder=decoder, fancy=decoder == Decoder.FAST, orientation=orientation)
    pixels = np.array(turn_back(decoded(data, decoder), orientation), order="C")
    file, picture = seen(pixels)
    packed = recipe.pack(picture, own, jpeg.coefficients)
    assert recipe.unpack(packed).origin.decoder == decoder
    assert not recipe.unpack(packed).corrections
    assert recipe.join(packed, [jpeg.coefficients]) == file
    assert recipe.was(packed) == f"quality 85, 4:2:0, {said}" + (", turned" if orientation else "")


FIELDS = (
    "number", "prefix", "suffix", "description", "height", "width", "margins", "how", "components",
    "tables", "corrections", "checksum", "alpha",
)  # fmt: skip
HOSTILE: list[tuple[str, Any]] = [
    ("number", 250), ("number", b""), ("prefix", 0), ("description", "text"), ("height", 0),
    ("height", 1 << 40), ("width", -1), ("width", 1 << 25), ("margins", [0, 0, 0]),
    ("margins", [0, 256, 0, 0]), ("margins", [0, 0, 0, -1]), ("how", 6), ("how", -1), ("how", 320),
    ("how", 1 << 40), ("how", 129), ("how", 128), ("how", 133), ("how", 197), ("how", 259),
    ("components", 2), ("components", 1), ("tables", []), ("tables", [0]), ("tables", [101, 50]),
    ("tables", [50, b"\0" * 64]), ("tables", [50, b"\1" * 63]), ("tables", [50, 50, 50, 50]),
    ("tables", [50, None]), ("corrections", None), ("corrections", [b"", b""]),
    ("corrections", [b"1234"]), ("corrections", [b"", b"12345"]), ("corrections", [b"", "1234"]),
    ("corrections", [b"", b"1234"]), ("corrections", b"123456"), ("checksum", b""),
    ("alpha", -1), ("alpha", 256), ("alpha", True), ("alpha", b""),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), HOSTILE)
def test_malformed_ones_are_refused(field: str, value: object) -> None:
    data = save(scene(45, 61), 85, "4:2:0")
    origin, jpeg = taken_apart(data)
    _, picture = seen(load(data))
    packed = recipe.pack(picture, origin, jpeg.coefficients)
    told = msgpack.unpackb(packed, raw=False)
    at = FIELDS.index(field)
    told[at : at + 1] = [value]
    with pytest.raises(ArchiveError, match="malformed"):
        recipe.join(msgpack.packb(told, use_bin_type=True), [jpeg.coefficients])
    for cut in (b"", packed[:-1], packed + b"\0", b"\xc1"):
        with pytest.raises(ArchiveError, match="malformed"):
            recipe.unpack(cut)


def test_others_than_these_pixels_are_refused() -> None:
    data = save(scene(45, 61), 85, "4:2:0")
    origin, jpeg = taken_apart(data)
    _, picture = seen(load(data))
    packed = recipe.pack(picture, origin, jpeg.coefficients)
    jpeg.coefficients[0][0, 0, 0] += 3
    with pytest.raises(ArchiveError, match="another one"):
        recipe.join(packed, [jpeg.coefficients])
    with pytest.raises(ArchiveError, match="malformed"):
        recipe.join(packed, [jpeg.coefficients[:1]])
    extreme = [np.full_like(x, -32768) for x in jpeg.coefficients]
    with pytest.raises(ArchiveError, match="another one"):
        recipe.join(packed, [extreme])
