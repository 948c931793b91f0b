"""Wide pictures, which `compress --fit` codes: alpha, palettes, 16 bits."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.api.codecs.tiles import named
from bitswap_cli.archive.format.header import GROWTH, Fitted, Header
from bitswap_cli.archive.format.sections import ID, SECTION, section
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.material import material
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.coding import ChunkCodec, tile_codec
from bitswap_cli.contract import Tiles
from bitswap_models import zoo
from bitswap_models.families.pixel_vae.growth import grow
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import fit as fitting
from bitswap_models.stored import fitted_model, model_file
from tests.cli.conftest import Bitswap, SameContent
from tests.images.png_files import read_png, write_png

STEPS = "40"
pytestmark = pytest.mark.skipif(
    not {"gray", "photo"} <= set(zoo.embedded()), reason="the default models are not installed"
)


def plane(seed: int, height: int = 60, width: int = 90) -> np.ndarray:
    """Waves with noise, 0..255. (H, W) float"""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = 128 + 80 * np.sin(y / 9 + seed) + 30 * np.cos(x / 7 + y / 30)
    pixels: np.ndarray = waves + random.normal(0, 4, (height, width))
    return pixels.clip(0, 255)


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of each kind, and what is coded as ever."""
    folder = tmp_path_factory.mktemp("sources") / "wide"
    folder.mkdir()
    for seed in range(4):
        x = plane(seed)
        rgba = np.stack((x, 0.9 * x, 0.7 * x, np.where(x > 110, 255, 0)), -1).astype(np.uint8)
        rgba[rgba[..., 3] == 0] = 0
        Image.fromarray(rgba).save(folder / f"alpha{seed}.png")
        Image.fromarray(rgba[..., :3]).quantize(32).save(folder / f"palette{seed}.png")
        Image.fromarray(rgba[..., [0, 3]]).save(folder / f"gray-alpha{seed}.png")
        sixteen = x.astype(np.uint16) * 257  # as programs widen 8 bits
        Image.fromarray(sixteen).save(folder / f"sixteen{seed}.png")
        Image.fromarray(x > 128).save(folder / f"bits{seed}.png")
        deep = (np.stack((x, x, x[::-1]), -1) * 256).astype(np.uint16)
        (folder / f"deep{seed}.png").write_bytes(write_png(deep, 16, 2))
        raw = b"P6 90 60 65535\n" + deep.astype(">u2").tobytes()
        (folder / f"deep{seed}.ppm").write_bytes(raw)
    Image.fromarray(plane(9).astype(np.uint8)).save(folder / "plain.png")
    Image.fromarray(rgba[..., :3]).save(folder / "plain.ppm")
    (folder / "broken.txt").write_bytes((folder / "alpha0.png").read_bytes()[:-40])
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, drawings: Path) -> Path:
    from bitswap_cli.cli.main import run

    path = tmp_path_factory.mktemp("wide") / "a.bsw"
    command = ["compress", "-q", drawings, "-o", path, "--model", "photo", "--fit-steps", STEPS]
    assert run([str(word) for word in command]) == 0
    return path


def test_wide_pictures_come_back(
    bitswap: Bitswap, drawings: Path, archive: Path, tmp_path: Path, same_content: SameContent
) -> None:
    assert bitswap("decompress", archive, "-o", tmp_path).code == 0
    same_content(drawings, tmp_path / "wide")
    for path in drawings.glob("deep*.png"):  # of which Pillow sees 8 bits
        before, after = (read_png(p.read_bytes()) for p in (path, tmp_path / "wide" / path.name))
        assert np.array_equal(before[0], after[0])
        assert before[1] == after[1]


def test_every_kind_is_coded(bitswap: Bitswap, archive: Path) -> None:
    rows = json.loads(bitswap("list", archive, "--json").out)["entries"]
    shapes = {
        row["name"].split("/")[1].split(".")[0].rstrip("0123456789"): row["shape"][-1]
        for row in rows
        if row["shape"]
    }
    assert shapes["alpha"] == 4
    assert shapes["gray-alpha"] == 2
    assert shapes["palette"] == 1
    assert shapes["sixteen"] in (1, 2)  # by the highest bits, or as they are
    assert shapes["deep"] in (3, 6)
    found = {row["kind"] for row in rows}
    # whether the small gray one pays is decided by floats of fitting, and not told here
    assert {"pnm", "png-samples-exact", "high-bits-exact", "file"} <= found
    assert all(row["restored"] == "bytes" for row in rows if row["kind"] == "pnm-16")


def test_palettes_are_seen_as_is_best(bitswap: Bitswap, drawings: Path, tmp_path: Path) -> None:
    """Colours in no order are better seen as colours, few of them in order by their indices."""
    for name, order in (("shuffled", True), ("ordered", False)):
        folder = tmp_path / name
        folder.mkdir()
        for seed in range(4):
            index = plane(seed, 128, 128).astype(np.uint8)
            gray = np.arange(256, dtype=np.uint8)
            if order:
                places = np.random.default_rng(seed).permutation(256).astype(np.uint8)
                index = places[index]
                gray = gray[np.argsort(places)]
            image = Image.fromarray(index)
            image.putpalette(np.repeat(gray, 3).tobytes())
            image.save(folder / f"{seed}.png")
        path = tmp_path / f"{name}.bsw"
        command = ["compress", folder, "-o", path, "--model", "photo", "--fit-steps", 60]
        assert bitswap(*command).code == 0
        rows = json.loads(bitswap("list", path, "--json").out)["entries"]
        kinds = {row["kind"] for row in rows}
        assert kinds == ({"png-colours-exact"} if order else {"png-samples-exact"})


@pytest.mark.parametrize("options", [["--threads", "1", "--batch", "1"]])
def test_the_same_bytes_whatever_the_speed(
    bitswap: Bitswap, drawings: Path, archive: Path, tmp_path: Path, options: list[str]
) -> None:
    command = ["compress", drawings, "-o", tmp_path / "a.bsw", "--model", "photo"]
    assert bitswap(*command, "--fit-steps", STEPS, *options).code == 0
    assert (tmp_path / "a.bsw").read_bytes() == archive.read_bytes()


def test_info(bitswap: Bitswap, archive: Path) -> None:
    told = json.loads(bitswap("info", archive, "--json").out)
    assert (told["format"], told["model"]) == (5, "photo")
    assert {"described", "turned", "wide"} <= set(told["features"])  # some pictures are small
    with ArchiveReader(archive) as reader:
        header = reader.header
        channels = [fitted.channels for fitted in header.models[0].fitted]
        assert channels[-2:] == [2, 4]  # of 16 bits the highest ones are coded
        assert told["fitted"] == header.fitted_bytes > 300
        assert told["fitted_channels"] == channels
    assert "2, 4 channels" in bitswap("info", archive).out


def test_damage(bitswap: Bitswap, archive: Path, tmp_path: Path) -> None:
    """Without a model its pictures are lost; what is kept as bytes comes back."""
    good = archive.read_bytes()
    places = [at for at in range(len(good)) if good[at : at + 4] == b"MODL"]
    with ArchiveReader(archive) as reader:
        assert len(places) == len(reader.header.models[0].fitted)
    for place in places:
        for at in (place, place + 5, place + 9, place + 50):
            bad = bytearray(good)
            bad[at] ^= 4
            (tmp_path / "bad").write_bytes(bad)
            outcome = bitswap("test", tmp_path / "bad")
            assert outcome.code == 4
            assert outcome.error_line()
    outcome = bitswap("decompress", "--keep-going", tmp_path / "bad", "-o", tmp_path / "out")
    assert outcome.code == 6
    assert "without the model" in outcome.error_line()
    assert (tmp_path / "out/wide/broken.txt").exists()


@pytest.mark.parametrize(
    "growth", [(4, 1, 0), (5, 0, 0), (8, 0, 0), (9, 0, 0), (0, 255, 65535), (2, 0, 0)]
)
def test_a_forged_shape_is_refused(
    bitswap: Bitswap, archive: Path, tmp_path: Path, growth: tuple[int, int, int]
) -> None:
    good = archive.read_bytes()
    with ArchiveReader(archive) as reader:
        bodies = reader.header.fitted_models()
    body = next(b for b in bodies if b[0] == 4)
    at = good.index(body) - SECTION.size - ID
    own = good[at + SECTION.size :][:ID]
    forged = section(b"MODL", GROWTH.pack(*growth) + body[GROWTH.size :], own)
    (tmp_path / "bad").write_bytes(good[:at] + forged + good[at + len(forged) :])
    outcome = bitswap("test", tmp_path / "bad")
    assert outcome.code in (4, 5)
    assert outcome.error_line()


def test_without_fitting_a_model_that_was_ownleaves_them_as_files(
    bitswap: Bitswap, drawings: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.bsw"
    assert bitswap("compress", drawings, "-o", path, "--model", "photo").code == 0
    told = json.loads(bitswap("info", path, "--json").out)
    assert told["format"] == 5 and not {"turned", "wide"} & set(told["features"])


def test_a_saved_model_of_four_channels(
    bitswap: Bitswap, drawings: Path, tmp_path: Path, same_content: SameContent
) -> None:
    """It codes pictures with alpha by itself, and gray ones; others are kept as files."""
    folder = tmp_path / "alpha"
    folder.mkdir()
    for path in [*drawings.glob("alpha*.png"), drawings / "plain.png", drawings / "plain.ppm"]:
        shutil.copy2(path, folder)
    model = tmp_path / "own.safetensors"
    command = ["compress", folder, "-o", tmp_path / "a.bsw", "--model", "photo"]
    assert bitswap(*command, "--fit-steps", STEPS, "--save-model", model).code == 0
    assert model_file.load(model).config.channels == 4
    path = tmp_path / "b.bsw"
    assert bitswap("compress", folder, "-o", path, "--model", model).code == 0
    with ArchiveReader(path) as reader:
        (own,) = reader.header.models
        assert (reader.header.wide, own.tile[2], own.fitted) == (True, 4, ())
        shapes = {entry.shape[2] for entry in reader.entries() if entry.shape}
        assert shapes == {1, 4}
    assert bitswap("decompress", path, "-o", tmp_path / "out", "--model", model).code == 0
    same_content(folder, tmp_path / "out/alpha")


@pytest.mark.parametrize("larger", [{"width": 8}, {"radius": 1}])
def test_models_of_other_shapes(
    bitswap: Bitswap,
    drawings: Path,
    tmp_path: Path,
    larger: dict[str, int],
    same_content: SameContent,
) -> None:
    """An archive may name how much larger than the base its model is."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for path in (drawings / "plain.png", drawings / "plain.ppm"):
        shutil.copy2(path, folder)
    start = named("photo", None, 64, fitting=True)
    codec, base = start.codec, start.codec.model
    assert isinstance(base, PixelVAE)
    config = base.config
    grown = grow(base, **{key: getattr(config, key) + n for key, n in larger.items()})
    more = {"radius": 0, "width": 0} | larger
    own = fitting.fit(grown, _tiles(folder, codec), 10**9, steps=20).model
    fitted = Fitted(3, more["radius"], more["width"], fitted_model.encode(grown, own))
    header = Header((start.model._replace(fitted=(fitted,)),), frozenset(["described"]))
    pack([folder], tmp_path / "a.bsw", tile_codec(own), header)
    with ArchiveReader(tmp_path / "a.bsw") as reader:
        assert reader.header.models[0].fitted == (fitted,)
        assert any(entry.shape for entry in reader.entries())
    assert bitswap("decompress", tmp_path / "a.bsw", "-o", tmp_path / "out").code == 0
    same_content(folder, tmp_path / "out/plain")


def _tiles(folder: Path, codec: ChunkCodec) -> list[Tiles]:
    groups = material(Catalogue([folder]), codec).portions
    return [Tiles(*t) for group in groups.values() for t in group.tiles]
