"""Archives by a model with z_2 name the feature, and are refused without it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitswap_cli as bitswap
from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.api.codecs.tiles import named
from bitswap_cli.archive.codecs import Need
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.errors import ArchiveError
from bitswap_models.stored import model_file
from tests.conftest import smooth_tile, telling


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, pictures and an archive of them."""
    folder = tmp_path_factory.mktemp("common")
    model_file.write(telling(), folder / "m.safetensors", recipe="", metrics={})
    (folder / "in").mkdir()
    for seed in range(2):
        pixels = smooth_tile(64, 3, seed).transpose(1, 2, 0).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "in" / f"{seed}.png")
    bitswap.compress(folder / "in", folder / "a.bsw", model=str(folder / "m.safetensors"))
    return folder


def test_the_feature_is_named(made: Path) -> None:
    path = str(made / "m.safetensors")
    header = named(path, None, 64).header
    assert "common" in header.features
    codecs = decoder(path, 64)
    assert codecs(header, {Need(TILE)}).tiles
    with pytest.raises(ArchiveError, match="'common'"):
        codecs(header._replace(features=frozenset()), {Need(TILE)})


def test_pictures_come_back(made: Path) -> None:
    model = str(made / "m.safetensors")
    bitswap.decompress(made / "a.bsw", made / "out", model=model)
    for seed in range(2):
        before, after = (
            np.asarray(Image.open(found)) for found in sorted(made.glob(f"*/**/{seed}.png"))
        )
        assert np.array_equal(before, after)
    found = bitswap.evaluate(model, made / "in", limit=40)
    assert list(found.terms) == ["likelihood", "kl1", "common"]
