"""Quantization tables by quality."""

import numpy as np
import pytest

from bitswap_cli.images.history.tables import quality_of, standard
from tests.images.history.jpegs import save, scene, taken_apart


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 95, 100])
def test_they_are_pillows(quality: int) -> None:
    origin, _ = taken_apart(save(scene(16, 16), quality))
    for steps, chroma in zip(origin.steps, (False, True, True), strict=True):
        assert np.array_equal(standard(chroma)[quality], steps)
        found = quality_of(steps, chroma)
        assert found and np.array_equal(standard(chroma)[found], steps)


def test_a_table_of_its_own_has_no_quality() -> None:
    assert quality_of(np.arange(1, 65, dtype=np.int32)) is None
