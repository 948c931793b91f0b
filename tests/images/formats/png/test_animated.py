"""Animated PNG files come back with all frames, and what is none of their frames is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.png import animated
from bitswap_cli.images.formats.png.chunks import each_chunk
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import files
from tests.images.png_files import chunk

FILES = {name: data for name, data in files().items() if name.startswith("apng")}


@pytest.mark.parametrize("name", FILES)
def test_frames_lie_one_below_the_other(name: str) -> None:
    data = FILES[name]
    found = pictures(data)
    kinds = [picture.recipe.kind for picture in found]
    indexed = "indices" in name
    assert kinds == (["apng-indices", "apng-colours"] if indexed else ["apng"])
    assert all(np.array_equal(shown(found[0]), shown(picture)) for picture in found)
    with Image.open(io.BytesIO(data)) as image:
        first = np.asarray(image.convert("RGB" if indexed else image.mode))
    first = first.reshape(*first.shape[:2], -1)
    height, width = first.shape[:2]
    assert np.array_equal(shown(found[0])[:height, :width], first)
    tags = [tag for tag, _, _ in each_chunk(data)]
    assert found[0].pixels.shape[0] > height and tags.count(b"fdAT") > 0
    assert not {b"IDAT", b"fdAT"} & {tag for tag, _, _ in each_chunk(found[0].recipe.prefix)}


def changed(data: bytes, tag: bytes, how: int) -> bytes:
    """A file in which something is wrong with the first chunk of a tag."""
    start, end = next((start, end) for one, start, end in each_chunk(data) if one == tag)
    body = data[start + 8 : end - 4]
    number = int.from_bytes(body[:4], "big")
    others = (
        b"",
        chunk(tag, body) + chunk(tag, body),
        chunk(tag, (number + 1).to_bytes(4, "big") + body[4:]),
        chunk(tag, body[:-1]),
        chunk(tag, body[:4] + bytes(8) + body[12:]),
        chunk(tag, body[:4] + b"\x7f\0\0\0\x7f\0\0\0" + body[12:]),
    )
    return data[:start] + others[how] + data[end:]


@pytest.mark.parametrize("how", range(6))
@pytest.mark.parametrize("tag", [b"acTL", b"fcTL", b"IDAT", b"fdAT"])
def test_what_is_odd_comes_back_or_is_no_picture(tag: bytes, how: int) -> None:
    for data in FILES.values():
        pictures(changed(data, tag, how))
    assert not pictures(changed(FILES["apng False"], b"fdAT", 2))
    assert not pictures(changed(FILES["apng True"], b"fcTL", 5))


def test_plain_files_are_none() -> None:
    still = FILES["apng False"].replace(b"acTL", b"abTL")
    assert animated.split(still, "apng") is None
    assert animated.split(FILES["apng False"][:60], "apng") is None


def test_damaged_recipes_are_refused() -> None:
    for data in FILES.values():
        pixels, recipe = pictures(data)[0]
        for told in (
            b"",
            recipe.description[:-1],
            recipe.description + b"x",
            b"\x7f" + recipe.description[1:],
        ):
            with pytest.raises(ArchiveError):
                rebuild(recipe._replace(description=told), pixels)
        for wrong in (recipe._replace(suffix=b"x"), recipe._replace(prefix=recipe.prefix[:40])):
            with pytest.raises(ArchiveError):
                rebuild(wrong, pixels)
        with pytest.raises(ArchiveError):
            rebuild(recipe, pixels[:-1])
