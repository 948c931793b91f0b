"""JPEG files of all kinds come back byte for byte, and hostile ones harm nobody."""

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bitswap_cli.images.formats.jpeg import codec, recipe, scan
from tests.images.formats.jpeg import odd
from tests.images.formats.jpeg.files import photograph, pillow, pixels, put_together, split

GOLDEN = Path(__file__).with_name("golden")
slow = scan.compiled() is None or os.environ.get("BITSWAP_ENGINE") == "reference"
compiled = pytest.mark.skipif(slow or "asan" in os.environ.get("LD_PRELOAD", ""), reason="too slow")


def come_back(data: bytes) -> codec.Jpeg:
    """Check that a file comes back; return what it was split into."""
    jpeg = split(data)
    assert codec.join(jpeg.recipe, [picture.coefficients for picture in jpeg.pictures]) == data
    told = [(picture.frame, picture.quantization) for picture in jpeg.pictures]
    assert codec.outlines(jpeg.recipe) == told
    return jpeg


def verbatim(jpeg: codec.Jpeg) -> int:
    """Bytes of entropy-coded data that are told as they are, in whole."""
    found = recipe.parts(recipe.unpack(jpeg.recipe))
    return sum(max(0, len(told.rest) - 1) for part in found for told in part.told if told)


@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3, 4]), st.integers(1, 100),
    st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]), st.booleans(), st.booleans(),
    st.sampled_from([{}, {"restart_marker_blocks": 1}, {"restart_marker_blocks": 7},
                     {"restart_marker_rows": 1}]),
    st.binary(max_size=40), st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_what_pillow_writes_comes_back(
    height: int,
    width: int,
    channels: int,
    quality: int,
    subsampling: str,
    optimize: bool,
    progressive: bool,
    restarts: dict[str, int],
    tail: bytes,
    seed: int,
) -> None:
    data = pillow(
        photograph(height, width, channels, seed), quality=quality, subsampling=subsampling,
        optimize=optimize, progressive=progressive, **restarts,
    )  # fmt: skip
    jpeg = come_back(data + tail)
    assert jpeg.pictures[0].frame[1:4] == (8, height, width)
    assert verbatim(jpeg) == 0


@pytest.mark.parametrize("name", odd.CODED)
def test_odd_kinds_are_coded(name: str) -> None:
    jpeg = come_back(odd.CODED[name])
    assert verbatim(jpeg) < 1000 if "within" in name else verbatim(jpeg) <= 6


@pytest.mark.parametrize("name", odd.PARTLY)
def test_broken_files_are_coded_up_to_where_they_break(name: str) -> None:
    jpeg = come_back(odd.PARTLY[name])
    assert sum(np.count_nonzero(c) for c in jpeg.pictures[0].coefficients)


@pytest.mark.parametrize("name", odd.KEPT)
def test_other_kinds_are_kept(name: str) -> None:
    assert codec.split(odd.KEPT[name]) is None


def test_pictures_within_pictures_are_pictures() -> None:
    counts = {name: len(come_back(odd.CODED[name]).pictures) for name in odd.CODED}
    assert {name: count for name, count in counts.items() if count > 1} == {
        "thumbnail": 2,
        "thumbnail in a thumbnail": 3,
        "several pictures": 4,
        "segment of an application between scans": 2,
    }
    small = come_back(odd.exif(pillow(photograph(16, 24)))).pictures[1]
    assert (small.frame.height, small.frame.width) == (16, 24)


@pytest.mark.parametrize("count", [2, 3])
def test_files_of_several_pictures(count: int) -> None:
    """MPO, as cameras with two lenses and phones write it."""
    first, *others = [Image.fromarray(photograph(33, 44, seed=k)) for k in range(count)]
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=others)
    jpeg = come_back(out.getvalue())
    assert [picture.frame[2:4] for picture in jpeg.pictures] == [(33, 44)] * count
    assert verbatim(jpeg) == 0


@pytest.mark.parametrize("name", ["extended, 12 bits", "progressive, 12 bits"])
def test_samples_of_12_bits_are_coded(name: str) -> None:
    (picture,) = come_back(odd.CODED[name]).pictures
    assert picture.frame.precision == 12
    assert any(np.abs(c).max() > 1 for c in picture.coefficients)


def test_deep_pictures_are_kept_as_bytes() -> None:
    data = pillow(photograph(8, 8))
    for _ in range(8):
        data = odd.exif(data)
    assert len(come_back(data).pictures) == 1 + recipe.MOST_DEPTH


def test_many_pictures_are_kept_as_bytes() -> None:
    data = pillow(photograph(8, 8)) * 100
    jpeg = come_back(data)
    assert len(jpeg.pictures) == recipe.MOST_PICTURES
    assert isinstance(recipe.unpack(jpeg.recipe)[-1], bytes)


@given(st.sampled_from([*odd.CODED, *odd.PARTLY]), st.data())
@settings(max_examples=150, deadline=None)
def test_cut_anywhere_a_file_comes_back_or_is_kept(name: str, data: st.DataObject) -> None:
    whole = {**odd.CODED, **odd.PARTLY}[name]
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    if codec.split(cut) is not None:
        come_back(cut)


@given(st.sampled_from([*odd.CODED, *odd.PARTLY, *odd.KEPT]), st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_anywhere_a_file_comes_back_or_is_kept(name: str, data: st.DataObject) -> None:
    damaged = bytearray({**odd.CODED, **odd.PARTLY, **odd.KEPT}[name])
    for _ in range(data.draw(st.integers(1, 4)) if damaged else 0):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    if codec.split(bytes(damaged)) is not None:
        come_back(bytes(damaged))


def test_coefficients_are_those_of_the_picture() -> None:
    whole = np.full((16, 16, 1), 140, np.uint8)
    jpeg = come_back(pillow(whole, quality=100))
    (blocks,) = jpeg.pictures[0].coefficients
    steps = jpeg.pictures[0].quantization[0]
    assert blocks.shape == (2, 2, 64)
    assert not blocks[..., 1:].any()
    assert (blocks[..., 0] * steps[0] == 8 * (140 - 128)).all()


def test_progressive_files_have_the_same_coefficients() -> None:
    image = photograph(50, 70, seed=4)
    plain, other = (come_back(pillow(image, progressive=p)).pictures[0] for p in (False, True))
    for ours, theirs in zip(plain.coefficients, other.coefficients, strict=True):
        real = np.s_[: ours.shape[0] // 2 * 2 - 1, : ours.shape[1] // 2 * 2 - 1]
        assert np.array_equal(ours[real], theirs[real])


def test_made_up_coefficients_come_back() -> None:
    file = put_together(*odd.sequential(), seed=5)
    (picture,) = come_back(file.data).pictures
    assert all(map(np.array_equal, picture.coefficients, file.coefficients))
    file = put_together(*odd.progressive(), seed=5)
    (picture,) = come_back(file.data).pictures
    assert all(map(np.array_equal, picture.coefficients, file.coefficients))


def test_odd_files_are_files() -> None:
    """Pillow reads what is put together, where it reads such files at all."""
    for name in (
        "two components in a scan",
        "libjpeg's progressive scans",
        "colour 4x2",
        "fill bytes",
    ):
        assert pixels(odd.CODED[name]).shape == (45, 61, 3)


def test_a_picture_shown_is_not_changed_by_its_way_through() -> None:
    data = pillow(photograph(33, 44, seed=8), quality=90)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (44, 33)
    assert come_back(data).pictures[0].frame.mcus == (3, 3)


@compiled
def test_thousands_of_scans_take_no_time() -> None:
    skeleton = odd.progressive(
        ((0,), 0, 0),
        *(((0,), 1, 63) for _ in range(3000)),
        height=2000,
        width=2000,
        factors=[(1, 1)],
    )
    data = put_together(*skeleton[:3], density=0.01).data
    more = put_together(*skeleton[:4], density=0).data
    heads = more[more.rindex(b"\xff\xda") : -2] * 3000
    started = time.process_time()
    codec.split(data[:-2] + heads)
    assert time.process_time() - started < 20


@compiled
def test_thousands_of_scans_in_many_pictures_take_no_time() -> None:
    scans = [((0,), 0, 0), *(((0,), 1, 63) for _ in range(3))]
    skeleton = odd.progressive(*scans, height=600, width=600, factors=[(1, 1)])
    one = put_together(*skeleton[:3], density=0.01).data[:-2]
    more = put_together(*skeleton[:4], density=0).data
    started = time.process_time()
    come_back((one + more[more.rindex(b"\xff\xda") : -2] * 800 + b"\xff\xd9") * 8)
    assert time.process_time() - started < 20


@compiled
def test_places_that_look_like_pictures_take_no_time() -> None:
    chain = b"\xff\xd8\xff\xdd\x00\x04\x00\x00" * 8000
    data = odd.exif(chain)[:-2] + chain * 50
    started = time.process_time()
    come_back(data)
    assert time.process_time() - started < 20


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.jpg")), ids=lambda path: path.stem)
def test_recipes_are_what_they_were(path: Path) -> None:
    """A recipe that an archive holds is read for ever, and what is written does not change."""
    packed = path.with_suffix(".recipe").read_bytes()
    jpeg = come_back(path.read_bytes())
    assert jpeg.recipe == packed
    with np.load(path.with_suffix(".npz")) as coefficients:
        found = [c for picture in jpeg.pictures for c in picture.coefficients]
        assert all(np.array_equal(c, coefficients[f"arr_{k}"]) for k, c in enumerate(found))
