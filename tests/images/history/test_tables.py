"""Quantization tables by quality."""

import io

import numpy as np
import pytest
from PIL import Image, JpegPresets

from bitswap_cli.images.history import engine
from bitswap_cli.images.history.finder import find
from bitswap_cli.images.history.tables import chromas_of, photoshops, quality_of, standard
from tests.images.history.jpegs import load, save, scene, taken_apart


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 95, 100])
def test_they_are_pillows(quality: int) -> None:
    origin, _ = taken_apart(save(scene(16, 16), quality))
    for steps, chroma in zip(origin.steps, (False, True, True), strict=True):
        assert np.array_equal(standard(chroma)[quality], steps)
        found = quality_of(steps, chroma)
        assert found and np.array_equal(standard(chroma)[found], steps)


@pytest.mark.parametrize(("number", "name"), list(enumerate(JpegPresets.presets)))
def test_photoshops_are_known(number: int, name: str) -> None:
    out = io.BytesIO()
    Image.fromarray(scene(16, 16)).save(out, "JPEG", qtables=name)
    origin, _ = taken_apart(out.getvalue())
    luma, chroma, _ = origin.steps
    assert np.array_equal(photoshops(chroma=False)[number], luma)
    assert np.array_equal(photoshops(chroma=True)[number], chroma)
    assert any(np.array_equal(own, chroma) for own in chromas_of(luma))


@pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
@pytest.mark.parametrize("name", ["web_high", "low", "maximum"])
def test_what_photoshop_saved_is_found(name: str) -> None:
    out = io.BytesIO()
    Image.fromarray(scene(192, 256)).save(out, "JPEG", qtables=name, subsampling="4:4:4")
    origin, _ = taken_apart(out.getvalue())
    found = find(load(out.getvalue()))
    assert found is not None and found.wrong == 0
    for told, steps in zip(found.origin.steps, origin.steps, strict=True):
        assert np.array_equal(told, steps)


def test_a_table_of_its_own_has_no_quality() -> None:
    assert quality_of(np.arange(1, 65, dtype=np.int32)) is None
