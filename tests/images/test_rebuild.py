"""Recipes and pixels that do not belong together are refused."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.inspection import inspect, inspect_wide, rebuild
from bitswap_cli.images.picture import Recipe
from tests.images.png_files import chunk, read_png, write_png
from tests.images.test_wide import FORMATS, FOUR, palette_of, plte, samples_of


@pytest.mark.parametrize(("depth", "colour"), FORMATS)
def test_rebuild_refuses_pixels_of_another_shape(depth: int, colour: int) -> None:
    before = plte(palette_of(1 << depth)) if colour == 3 else b""
    data = write_png(samples_of((4, 6), depth, colour), depth, colour, before=before)
    for pixels, recipe in inspect_wide(data):
        more = np.concatenate([pixels, pixels[..., :1]], axis=2)
        for wrong in (pixels[:3], pixels[:, :5], pixels[..., 1:], more):
            with pytest.raises(ArchiveError, match="does not fit its pixels"):
                rebuild(recipe, wrong)


def refused(recipe: Recipe, pixels: ArrayLike) -> None:
    with pytest.raises(ArchiveError, match="does not fit its pixels"):
        rebuild(recipe, np.asarray(pixels, np.uint8).reshape(1, -1, np.shape(pixels)[-1]))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_rebuild_refuses_values_that_the_depth_does_not_hold(depth: int) -> None:
    zero = np.zeros((1, 1, 1), int)
    (gray,) = inspect_wide(write_png(zero, depth, 0))
    refused(gray.recipe, [[1]])
    refused(gray.recipe, [[254]])
    indices, _ = inspect_wide(write_png(zero, depth, 3, before=plte(palette_of(200))))
    refused(indices.recipe, [[1 << depth]])


def test_rebuild_refuses_colours_outside_of_the_palette() -> None:
    zero = np.zeros((1, 1, 1), int)
    palette = np.array([(5, 6, 7), (0, 0, 1), (9, 9, 9), (8, 0, 0), (7, 7, 7)])
    _, (_, recipe) = inspect_wide(write_png(zero, 2, 3, before=plte(palette)))
    for index in range(4):
        again = rebuild(recipe, palette[index].astype(np.uint8).reshape(1, 1, 3))
        assert read_png(again)[0].item() == index
    refused(recipe, [palette[4]])  # has an index that two bits do not hold
    for colour in ((0, 0, 0), (5, 6, 8), (255, 255, 255), (0, 0, 2)):
        refused(recipe, [colour])
    before = plte(palette) + chunk(b"tRNS", b"\x03")
    _, (_, recipe), (_, opaque) = inspect_wide(write_png(zero, 2, 3, before=before))
    refused(recipe, [(5, 6, 7, 255)])
    refused(opaque, [(5, 6, 8)])
    assert read_png(rebuild(recipe, np.array([[[5, 6, 7, 3]]], np.uint8)))[0].item() == 0


def test_rebuild_refuses_a_prefix_with_no_sound_palette() -> None:
    zero = np.zeros((1, 1, 1), int)
    for pixels, recipe in inspect_wide(write_png(zero, 8, 3, before=FOUR)):
        head = recipe.prefix[:33]
        for after in (b"", FOUR[:-1], FOUR[:-1] + b"x", chunk(b"PLTE", bytes(4)), FOUR + FOUR):
            refused(recipe._replace(prefix=head + after), pixels[0])
        refused(recipe._replace(prefix=head + FOUR + chunk(b"tRNS", bytes(5))), pixels[0])


def test_rebuild_refuses_the_header_of_another_kind() -> None:
    (wide,) = inspect_wide(write_png(np.array([[[1, 2, 3, 4]]]), 8, 6))
    plain = inspect(write_png(np.array([[[1, 2, 3]]]), 8, 2))
    assert plain is not None
    refused(wide.recipe._replace(kind="png"), wide.pixels[0])
    refused(wide.recipe._replace(kind="png-colours"), wide.pixels[0])
    refused(plain.recipe._replace(kind="png-samples"), plain.pixels[0])
    refused(plain.recipe._replace(kind="png-colours"), plain.pixels[0])
    for shape in ((1, 1), (1, 2)):
        refused(Recipe("pnm", b"P5 1 1 65535\n", b""), np.zeros(shape))
        refused(Recipe("pnm-16", b"P5 1 1 255\n", b""), np.zeros(shape))
    with pytest.raises(ArchiveError, match="unknown kind"):
        rebuild(Recipe("png-other", b"", b""), wide.pixels)
