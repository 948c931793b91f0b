"""GIF files of all frames come back, whoever cut their blocks, and show what decoders see."""

import io

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.gif import format as gif
from bitswap_cli.images.formats.gif.blocks import end_of_blocks, in_blocks, lengths_of, read_frames
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.picture import MAX_PIXELS
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn, files, saved

FILES = {name: data for name, data in files().items() if name.startswith("gif")}


@pytest.mark.parametrize("name", [name for name in FILES if "frames" not in name])
def test_they_show_what_pillow_sees(name: str) -> None:
    by_indices, by_colours = pictures(FILES[name])
    with Image.open(io.BytesIO(FILES[name])) as image:
        expected = np.asarray(image.convert("RGBA"))
    seen = shown(by_indices)
    assert np.array_equal(seen, shown(by_colours))
    opaque = seen[..., 3:] > 0 if seen.shape[2] == 4 else np.ones((*seen.shape[:2], 1), bool)
    assert seen.shape[2] == 3 + ("transparent" in name)
    assert np.array_equal(seen[..., :3] * opaque, expected[..., :3] * opaque)
    assert np.array_equal(opaque, expected[..., 3:] > 0)


def test_frames_lie_one_below_the_other() -> None:
    data = FILES["gif-indices frames"]
    frames = read_frames(data, skeleton=False)
    assert frames is not None and len(frames) == 3
    (pixels, recipe), _ = pictures(data)
    assert pixels.shape == (sum(f.height for f in frames), max(f.width for f in frames), 1)
    assert read_frames(recipe.prefix, skeleton=True) is not None
    assert len(recipe.prefix) + len(recipe.description) < len(data)


def of_frame(image: bytes, run: bytes) -> bytes:
    """A file of one frame with other blocks of data."""
    (frame,) = read_frames(image, skeleton=False) or []
    return image[: frame.end] + run + image[frame.after :]


def test_blocks_of_any_length_come_back() -> None:
    image = saved(Image.fromarray(drawn(90, 70, 3)).quantize(250), "GIF")
    (frame,) = read_frames(image, skeleton=False) or []
    run = image[frame.end : frame.after]
    lengths = lengths_of(run)
    stream = b"".join(run[1 + 256 * k : 1 + 256 * k + length] for k, length in enumerate(lengths))
    assert in_blocks(stream, lengths) == run and end_of_blocks(run, 0) == len(run)
    rng, size = np.random.default_rng(0), len(stream)
    any_lengths = np.diff([0, *sorted(rng.choice(np.arange(1, size), size // 20, False)), size])
    for other in ([254] * (size // 254) + [size % 254], any_lengths.tolist(), [1] * size):
        (found, _) = pictures(of_frame(image, in_blocks(stream, other)))
        assert found.recipe.description
    # what lies behind the data, in its blocks or behind the end, comes back as well
    more = stream + b"more than decoders look at"
    told = in_blocks(more, [255] * (len(more) // 255) + [len(more) % 255])
    assert len(pictures(of_frame(image, told) + b"behind the end")) == 2
    assert not pictures(of_frame(image, in_blocks(stream[:50], [50])))  # too few pixels


def test_a_shared_and_an_own_palette() -> None:
    image = Image.fromarray(drawn(9, 9, 3)).quantize(4)
    other = Image.fromarray(drawn(9, 9, 3, seed=5)).quantize(4)
    data = saved(image, "GIF", save_all=True, append_images=[other])
    assert len(pictures(data)) == 2
    without = data[:10] + bytes([data[10] & 0x7F]) + data[11:13] + data[13 + 3 * 4 :]
    assert not pictures(without)  # the first frame has no palette then


def test_frames_are_bounded_before_memory_is_taken() -> None:
    head, frame = b"GIF89a" + bytes(4) + b"\x80\0\0" + bytes(6), b",\0\0\0\0%b\0\x02\0"
    large = b"\xff\xff\xff\xff"
    assert read_frames(head + frame % large, skeleton=False)
    assert gif.split(head + frame % large, "gif-indices") is None
    side = int(MAX_PIXELS**0.5)
    size = side.to_bytes(2, "little") * 2
    assert gif.split(head + frame % size * 2, "gif-indices") is None
    assert read_frames(head + frame % b"\1\0\1\0" * 70_000, skeleton=False) is None
    assert read_frames(head + frame % b"\0\0\1\0", skeleton=False) is None


def test_damaged_descriptions_are_refused() -> None:
    for pixels, recipe in pictures(FILES["gif-indices frames"]):
        for told in (
            b"",
            recipe.description[:-1],
            recipe.description + b"x",
            b"\0\0" + recipe.description,
        ):
            with pytest.raises(ArchiveError, match="damaged"):
                rebuild(recipe._replace(description=told), pixels)
        with pytest.raises(ArchiveError, match="damaged"):
            rebuild(recipe._replace(suffix=b"x"), pixels)
    wrong = pixels + np.uint8(1)
    with pytest.raises(ArchiveError, match="does not fit its pixels"):
        rebuild(recipe, wrong)
