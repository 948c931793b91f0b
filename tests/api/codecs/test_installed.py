"""The choice of an installed model: whatever is asked of it, each is loaded and tried once."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.api.codecs import installed as module
from bitswap_cli.api.codecs.installed import Installed
from bitswap_cli.api.codecs.others import wanted
from bitswap_cli.api.codecs.tiles import load
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import MODELS
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing import probe
from bitswap_cli.archive.writing.coders.choice import estimate, own_of
from bitswap_cli.coding import ChunkCodec
from bitswap_cli.contract import TileCodec
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma
from bitswap_cli.images.genres import GRAY, PLANES, RGB
from bitswap_cli.images.history import engine
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_models import zoo
from tests.api.conftest import waves
from tests.images.formats.lattice.scenes import picture, planes

pytestmark = pytest.mark.skipif("photo" not in zoo.embedded(), reason="no model is installed")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Pictures of one, three and four channels."""
    for seed in range(4):
        x = waves(40, 30, seed)
        Image.fromarray(x).save(tmp_path / f"{seed}.png")
        Image.fromarray(x[..., 0]).save(tmp_path / f"gray{seed}.png")
        Image.fromarray(np.dstack([x, x[..., 0]])).save(tmp_path / f"rgba{seed}.png")
    return Catalogue([tmp_path], wide=True)


def test_each_model_is_loaded_and_tried_once(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: Counter[str] = Counter()
    tries: Counter[tuple[int, bytes]] = Counter()

    def counted(codec: TileCodec, picture: Picture, edge: int) -> float:
        assert isinstance(codec, ChunkCodec)
        tries[id(codec.model), picture.pixels.tobytes()] += 1
        return estimate(codec, picture, edge)

    monkeypatch.setattr(probe, "estimate", counted)
    lines: list[str] = []
    monkeypatch.setattr(
        module, "load", lambda file, notes: (loads.update([file.name]), load(file, notes))[1]
    )
    models = Installed(catalogue, None, 64, notes=lines.append)
    plain, again, fitting = models.best(None, 1.1), models.best(None, 1.1), models.rivals()
    assert plain.header == again.header and len(plain.codecs) == 1
    assert set(loads.values()) == {1} == set(tries.values())
    assert {start.model.name for start in fitting} <= loads.keys()
    # larger models, of four channels, are grown from those that may be fitted
    assert max(len(pixels) for _, pixels in tries) == 4 * 40 * 30
    assert not any("model fast" in line for line in lines)
    fresh = Installed(catalogue, None, 64)
    assert [one.header for one in fitting] == [one.header for one in fresh.rivals()]
    assert sum("codes the sample" in line for line in lines) >= 3


def test_no_model_is_tried_where_there_is_no_choice(tmp_path: Path) -> None:
    Image.fromarray(waves(40, 30, 1)).save(tmp_path / "rgb.png")
    lines: list[str] = []
    start = Installed(Catalogue([tmp_path]), None, 64, notes=lines.append).best(None, 1.1)
    assert [model.name for model in start.header.models] == ["large"]
    assert not any("codes the sample" in line for line in lines)


def test_genres_have_models_of_their_own_where_that_pays(tmp_path: Path) -> None:
    """However few files of one there are among all."""
    for number in range(40):
        Image.fromarray(waves(10, 10, number)).save(tmp_path / f"{number}.png")
    for number in range(3):
        Image.fromarray(waves(300, 300, number)[..., 0]).save(tmp_path / f"gray{number}.png")
    drawn = np.kron(np.arange(400).reshape(20, 20) % 251, np.ones((6, 6))).astype(np.uint8)
    Image.fromarray(drawn).save(tmp_path / "drawn.png")
    start = Installed(Catalogue([tmp_path]), None, 64).best(None, 1.1)
    threads = Installed(Catalogue([tmp_path], threads=3), None, 64, threads=3).best(None, 1.1)
    assert (threads.header, threads.genres) == (start.header, start.genres)
    assert [model.name for model in start.header.models] == ["gray", "large"]
    assert MODELS in start.header.features
    assert (start.genres[RGB], start.genres[GRAY], start.genres[PLANES]) == (1, 0, 0)
    codecs = start.put(Codecs())
    for channels, number in ((1, 0), (3, 1)):
        picture = Picture(np.zeros((50, 50, channels), np.uint8), Recipe("pnm", b"", b""))
        own = own_of(codecs, picture)
        assert own and own.model == number


def test_no_model_is_named_for_what_another_coder_takes(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(waves(300, 300, number)[..., 0]).save(tmp_path / f"gray{number}.png")
    drawn = np.kron(np.arange(1200).reshape(20, 20, 3) % 251, np.ones((6, 6, 1)))
    Image.fromarray(drawn.astype(np.uint8)).save(tmp_path / "drawn.png")
    catalogue = Catalogue([tmp_path])
    others, _ = wanted(catalogue, named=False)
    assert others.pictures
    start = Installed(catalogue, None, 64).best(others.pictures, 1.1)
    assert [model.name for model in start.header.models] == ["gray"]


@pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
def test_the_model_of_luma_and_chroma_is_tried_only_for_these(tmp_path: Path) -> None:
    tried = []
    for name, pixels in (
        ("rgb", np.dstack([waves(64, 64, seed)[..., 0] for seed in range(3)])),
        ("ycc", picture(MAPS[1], Chroma.FULL, planes(Chroma.FULL, 64, 64))),
    ):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        lines: list[str] = []
        Installed(Catalogue([tmp_path / f"{name}.png"]), None, 64, notes=lines.append).best(None, 1)
        tried.append(any("model ycc codes" in line for line in lines))
    assert tried == [False, True]
