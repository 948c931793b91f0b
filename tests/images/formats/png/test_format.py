"""Palette images with alphas, by the red, green and blue that tell these."""

import numpy as np
import pytest

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.inspection import inspect_wide
from bitswap_cli.images.shown import read_samples, shown
from tests.images.png_files import chunk, write_png
from tests.images.test_wide import assert_comes_back, plte


def test_alphas_are_left_to_the_palette_where_colours_tell_them() -> None:
    colours = [(9, 1, 2), (9, 1, 3), (9, 1, 2), (0, 0, 0)]
    before = plte(colours) + chunk(b"tRNS", bytes([7, 8]))
    for indices, opaque in (([0, 1, 3], True), ([0, 2, 3], False)):
        data = write_png(np.array(indices).reshape(1, -1, 1), 8, 3, before=before)
        found = {picture.recipe.kind: picture for picture in inspect_wide(data)}
        assert ("png-opaque" in found) == opaque
        assert np.array_equal(shown(found["png-colours"]), read_samples(data))
        if opaque:
            own = found["png-opaque"]
            assert own.pixels[0].tolist() == [list(colours[k]) for k in indices]
            assert np.array_equal(shown(own), read_samples(data))
            assert_comes_back(own, data)
            with pytest.raises(ArchiveError, match="PNG header"):
                shown(own._replace(pixels=own.pixels + np.uint8(1)))
