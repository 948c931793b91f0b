"""The models that are installed: small, exact, hierarchical, and as good as their cards say."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from bitswap_cli.coding import tile_codec
from bitswap_cli.contract import EncodedTiles
from bitswap_cli.images.tiles import cut
from bitswap_models import zoo
from bitswap_models.stored import model_file
from bitswap_models.training.data import cells

DATA = Path(__file__).parents[4] / "shared" / "data"  # not part of the project
MOST_BYTES = 2_000_000
RATES = {  # test folder, and bits/dim on it
    "digits": ("mnist28_test", 0.99),
    "fast": ("natural32_valid", 4.16),
    "gray": ("natural32_valid", 5.0),
    "mnist28": ("mnist28_test", 1.40),
    "natural32": ("natural32_valid", 4.90),
    "photo": ("natural32_valid", 4.15),
    "large": ("natural32_valid", 3.94),
    "thumbs": ("natural32_valid", 3.96),
    "thumbs-z2": ("natural32_valid", 3.96),
    **{f"resnet-{bits}": ("natural32_valid", 5.60) for bits in ("8", "1-8", "1-1")},
}
HERE = [name for name, (folder, _) in RATES.items() if (DATA / folder).is_dir()]
KEPT_OUT = 2.40  # bits/dim of photo on the photographs that its recipe keeps out of training

pytestmark = pytest.mark.skipif(not zoo.embedded(), reason="no model is embedded")


@pytest.fixture(scope="module", params=zoo.embedded())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_models_are_small_hierarchical_and_reproduce_their_known_answer(name: str) -> None:
    file = zoo.find(name)
    assert file.path.stat().st_size <= MOST_BYTES
    if not model_file.family_in(file).codes:  # neither hierarchical nor exact
        assert model_file.load_network(file).tile == 32
        return
    model = model_file.load(file)
    least = 1 if model.family == "pixel_vae" else 2
    # without latents: one for speed, two that they were worth nothing to (their cards)
    assert model.depth >= (0 if name in ("fast", "jpeg", "drawn") else least)
    _, binary = model.counted()
    tiles = model_file.family_in(file).subject == "tiles"
    signs = tiles and getattr(model.config, "weight_bits", 1) == 1
    signs &= model.depth > 0  # they are the encoder's
    assert (binary > 0) == signs


def test_recipe_and_card_are_there(name: str) -> None:
    folder = zoo.find(name).path.parent
    with safe_open(folder / zoo.MODEL_FILE, "np") as file:
        assert file.metadata()["recipe"] == (folder / "recipe.toml").read_text()
    card = (folder / "card.md").read_text()
    assert all(word in card for word in ("Data", "Rate", "Bad at", "bits/dim"))


if HERE:  # everywhere: test_rates.py

    @pytest.mark.parametrize("name", HERE)
    def test_rates(name: str) -> None:
        """Net rate within 1 % of the ELBO, total rate within 0.5 % of the net rate, both low."""
        metrics = zoo.read_metadata(zoo.find(name).path)["metrics"]
        model = model_file.load(zoo.find(name).path)
        folder, most = DATA / RATES[name][0], RATES[name][1]
        tiles = cells(folder, model.tile, model.channels)
        codec = tile_codec(model)
        payload = b"\0" * 10**5
        coded: list[EncodedTiles] = []
        for start in range(0, len(tiles), codec.chunk_tiles):
            part = tiles[start : start + codec.chunk_tiles]
            sizes = np.tile(np.array(part.shape[1:], np.int32), (len(part), 1))
            coded.append(codec.encode(part, sizes, payload))
        net = sum(float(e.bits.sum()) for e in coded) / tiles.size
        total = sum(8 * (len(e.words) - e.payload_used) for e in coded) / tiles.size
        assert abs(net / metrics["bpd"] - 1) < 0.01
        assert abs(total / net - 1) < 0.005
        assert total <= most


@pytest.mark.parametrize("family, bits", [("resnet", 8), ("flowpp", 32)])
def test_what_binary_blocks_cost(family: str, bits: int) -> None:
    """Bits/dim more than the same network whose blocks are not binary, trained alike."""
    names = [f"{family}-{bits}", f"{family}-1-{bits}", f"{family}-1-1"]
    whole, weights, both = (
        zoo.read_metadata(zoo.find(name).path)["metrics"]["bpd"] for name in names
    )
    assert weights - whole <= 0.15
    assert both - whole <= 0.30
    recipes = {
        (zoo.EMBEDDED / name / "recipe.toml")
        .read_text()
        .split("\n", 1)[1]
        .replace(f"_bits = {bits}", "_bits = 1")
        for name in names
    }
    assert len(recipes) == 1


if (DATA / "photos_train").is_dir():

    def test_photographs_that_training_never_saw() -> None:
        """Whole photographs, in the largest tiles."""
        model = model_file.load(zoo.find("photo").path)
        recipe = tomllib.loads((zoo.find("photo").path.parent / "recipe.toml").read_text())
        names = next(s["without"] for s in recipe["source"] if "without" in s)
        folder = DATA / "photos_train"
        codec = tile_codec(model)
        edge = model.tile * max(model.factors)
        bits = samples = 0
        for name in names:
            with Image.open(folder / f"{name}.webp") as image:
                pixels = np.asarray(image.convert("RGB"))
            tiles, sizes = cut(pixels, edge, edge, 3)
            bits += 8 * len(codec.encode(tiles, sizes, b"").words)
            samples += pixels.size
        assert len(names) == 20
        assert bits / samples <= KEPT_OUT
