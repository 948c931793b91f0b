"""Drawn pictures by default, from end to end: palettes, alpha, few bits, beside photographs."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitswap_cli
from tests.cli.conftest import Bitswap
from tests.images.formats.jpeg.files import photograph
from tests.models.families.drawn.pictures import flat, smooth

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drawn pictures of all kinds, a photograph and a text."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mixed"
    folder.mkdir()
    random = np.random.default_rng(1)
    for channels, mode in MODES.items():
        for number in range(3):
            pixels = flat(48, 40, channels, random)
            save(folder / f"{mode}{number}.png", pixels)
    indexed = Image.fromarray(smooth(40, 44, 3, random)).quantize(60)
    indexed.save(folder / "palette.png")
    indexed.save(folder / "clear.png", transparency=3)
    Image.fromarray(flat(30, 33, 1, random)[..., 0] > 99).save(folder / "bits.png")
    Image.fromarray(flat(30, 20, 3, random)).save(folder / "plain.bmp")
    high, low = flat(60, 50, 2, random).astype(np.uint16).transpose(2, 0, 1)
    Image.fromarray(high << 8 | low).save(folder / "deep.png")
    save(folder / "photo.png", photograph(120, 110))
    (folder / "notes.txt").write_text("not drawn")
    return folder


def save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0]).save(path)


def test_all_of_them_come_back(mixed: Path, bitswap: Bitswap) -> None:
    done = bitswap("compress", "mixed", "-o", "a.bsw")
    assert (done.code, done.err) == (0, "")
    assert bitswap("decompress", "a.bsw", "-o", "out").code == 0
    for path in mixed.iterdir():
        assert (Path("out/mixed") / path.name).read_bytes() == path.read_bytes(), path.name
    assert bitswap("verify", "a.bsw", ".").code == 0
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert described["drawn_model"] == "drawn" and "drawn" in described["features"]
    assert described["draw_chunks"] == 1 and described["tile_chunks"] == 1
    kinds = {name: one["entries"] for name, one in described["kinds"].items()}
    assert kinds["png-colours-exact"] == kinds["png-opaque-exact"] == kinds["file"] == 1
    told = {name: one["files"] for name, one in described["coders"].items()}
    assert told["drawn"] + told["large"] + told["zstd"] == len([*mixed.iterdir()])
    assert described["coders"]["drawn"]["after"] == described["draw_bytes"]
    photo = (mixed / "photo.png").stat().st_size
    assert described["coders"]["large"]["before"] == photo > described["tile_bytes"]


def test_pixels_are_enough_if_asked_for(mixed: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "mixed", "-o", "exact.bsw").code == 0
    assert bitswap("compress", "mixed", "-o", "a.bsw", "--pixels").code == 0
    assert Path("a.bsw").stat().st_size < Path("exact.bsw").stat().st_size
    for archive, *options in (("a.bsw",), ("exact.bsw", "--pixels"), ("a.bsw", "--pixels")):
        command = ("decompress", archive, "-o", "out", "--force", *options)
        assert bitswap(*command).code == 0
        for path in sorted(mixed.glob("*.png")):
            with Image.open(path) as a, Image.open(Path("out/mixed") / path.name) as b:
                assert a.mode == b.mode and a.info.get("transparency") == b.info.get("transparency")
                assert np.array_equal(np.asarray(a), np.asarray(b)), path.name
            size = (Path("out/mixed") / path.name).stat().st_size
            assert size < 3 * path.stat().st_size, "it is deflated, however soon"


def test_one_of_them_can_be_had_alone(mixed: Path) -> None:
    report = bitswap_cli.compress("mixed", "a.bsw")
    assert 0 < report.drawn_bytes < report.drawn_bytes_before
    with bitswap_cli.open("a.bsw") as archive:
        for name in ("RGBA1.png", "palette.png", "bits.png"):
            assert archive[f"mixed/{name}"] == (mixed / name).read_bytes()
        with Image.open(mixed / "palette.png") as image:
            shown = np.asarray(image.convert("RGB"))
        assert np.array_equal(archive.pixels("mixed/palette.png"), shown)
        with Image.open(mixed / "deep.png") as image:
            assert np.array_equal(archive.pixels("mixed/deep.png")[..., 0], np.asarray(image))
        assert archive.info("mixed/deep.png").shape == (60, 50, 1)  # its highest bits
        info = archive.info("mixed/LA0.png")
        assert info.exact and info.shape == (48, 40, 2)


def test_threads_change_no_byte(mixed: Path, bitswap: Bitswap) -> None:
    archives = []
    for threads in ("1", "3"):
        assert bitswap("compress", "mixed", "-o", "a", "--force", "--threads", threads).code == 0
        archives.append(Path("a").read_bytes())
    assert archives[0] == archives[1]


def test_a_model_that_was_named_has_no_rival(mixed: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "mixed", "-o", "a.bsw", "--model", "photo").code == 0
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert described["drawn_model"] is None and not described["draw_chunks"]


def test_damage_is_one_line(mixed: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "mixed", "-o", "a.bsw").code == 0
    sound = Path("a.bsw").read_bytes()
    at = sound.index(b"DRAW") + 400
    Path("a.bsw").write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
    done = bitswap("test", "a.bsw")
    assert done.code == 4 and len(done.err.splitlines()) == 1
    done = bitswap("decompress", "a.bsw", "-o", "out", "--keep-going")
    assert done.code == 6 and (Path("out/mixed/notes.txt")).read_text() == "not drawn"


def test_the_model_itself_is_named_for_nothing_else(mixed: Path, bitswap: Bitswap) -> None:
    for verb in (("compress", "mixed", "-o", "b.bsw", "--model"), ("eval",)):
        arguments = (*verb, "drawn", "mixed") if verb == ("eval",) else (*verb, "drawn")
        done = bitswap(*arguments)
        assert done.code == 5 and "model of pictures: give one of tiles" in done.err


@pytest.mark.parametrize("shuffled", [False, True])
def test_photographs_with_palettes_are_coded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bitswap: Bitswap, shuffled: bool
) -> None:
    """Whose indices mean light or nothing, alone in an archive: as gray or by their colours."""
    monkeypatch.chdir(tmp_path)
    levels, random = np.arange(256), np.random.default_rng(3)
    order = random.permutation(256) if shuffled else levels
    colours = np.stack([levels, (levels + 300) // 4, 255 - levels], 1)[order]
    Path("in").mkdir()
    for number in range(4):
        shades = photograph(90, 110, 1, number)[..., 0]
        image = Image.fromarray(np.argsort(order)[shades].astype(np.uint8), "P")
        image.putpalette(colours.astype(np.uint8).tobytes())
        image.save(f"in/{number}.png")
    before = sum(path.stat().st_size for path in Path("in").iterdir())
    assert bitswap("compress", "in", "-o", "a.bsw").code == 0
    assert Path("a.bsw").stat().st_size < 0.95 * before
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert set(described["kinds"]) == {"png-colours-exact" if shuffled else "png-samples-exact"}
    assert bitswap("verify", "a.bsw", ".").code == 0


def test_alphas_by_chance_cost_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bitswap: Bitswap
) -> None:
    """A palette's alphas that follow from its colours take no more than to be told once."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(4)
    levels = np.arange(256)
    colours = np.stack([levels, (levels + 300) // 4, 255 - levels], 1)[random.permutation(256)]
    image = Image.fromarray(photograph(90, 110, 1, 3)[..., 0], "P")
    image.putpalette(colours.astype(np.uint8).tobytes())
    alphas = random.integers(0, 256, 256).astype(np.uint8).tobytes()
    image.save("without.png")
    image.save("with.png", transparency=alphas)
    for name in ("without", "with"):
        assert bitswap("compress", f"{name}.png", "-o", f"{name}.bsw").code == 0
    sizes = [Path(f"{name}.bsw").stat().st_size for name in ("without", "with")]
    assert sizes[1] < sizes[0] + len(alphas) + 64
    assert bitswap("verify", "with.bsw", ".").code == 0
