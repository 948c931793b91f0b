"""What files are seen as, proved."""

import numpy as np

from bitswap_cli.images.formats.register import features, kind_of
from bitswap_cli.images.inspection import inspect_exact, rebuild
from bitswap_cli.images.picture import MAX_SAMPLES, Picture


def pictures(data: bytes) -> list[Picture]:
    """What a file is seen as: it comes back, under the features that its kinds ask for."""
    found = list(inspect_exact(data, None))
    for picture in found:
        assert rebuild(picture.recipe, picture.pixels) == data
        assert kind_of(picture.recipe.kind).fits(features([picture.recipe.kind]))
        assert picture.pixels.dtype == np.uint8 and picture.pixels.size <= MAX_SAMPLES
    return found
