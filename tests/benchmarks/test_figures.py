"""What makes the figures and tables of docs/ runs, on almost nothing."""

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.data.kinds import photo
from benchmarks.figures import ablation, fit_curve, initial_bits, samples, sizes, tiles, treatments
from benchmarks.peers.codecs.register import peers
from tests.benchmarks.conftest import save

RECIPE = """
[model]
kind = "pixel_vae"
tile = 8
channels = 3
latents = [2]
encoder = 4
link = 4
radius = 1
width = 16
layers = 2
split = 8
components = 2

[training]
test = "sheets"
steps = 100
warmup = 5

[[source]]
folder = "photos_train"
kind = "photos"
without = ["kept"]
"""


def test_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes.main(["photo", "mnist28", "-o", str(tmp_path / "sizes.png")])
    assert "| photo " in capsys.readouterr().out
    with Image.open(tmp_path / "sizes.png") as drawn:
        assert drawn.size == (1600, 720)


def test_treatments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2):
        save(photo(260, 300, seed=seed), tmp_path / "photos" / f"{seed}.png")
    treatments.main([str(tmp_path / "photos"), "-o", str(tmp_path / "z2.png")])
    rows = capsys.readouterr().out
    assert all(f"| {name} " in rows for name in treatments.TREATMENTS)
    with Image.open(tmp_path / "z2.png") as drawn:
        assert drawn.size == (1600, 720)
    with pytest.raises(SystemExit, match="photo has no z_2"):
        treatments.main([str(tmp_path), "-o", str(tmp_path / "no.png"), "--model", "photo"])


def test_initial_bits(sheets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot, figures = tmp_path / "plot.png", tmp_path / "figures.json"
    few = ["--data", str(sheets), "--chains", "1", "--length", "2"]
    initial_bits.main(["mnist28-l2", *few, "--plot", str(plot), "--json", str(figures)])
    assert "| Bit-Swap |" in capsys.readouterr().out
    bits = {row["scheme"]: row["initial_bits"] for row in json.loads(figures.read_text())}
    assert 0 < bits["bitswap"] < bits["bbans"]
    with Image.open(plot) as drawn:
        assert drawn.width == 1600


def test_initial_bits_of_another_family(sheets: Path) -> None:
    with pytest.raises(SystemExit, match="resnet-1-1 is not coded by Bit-Swap or BB-ANS"):
        initial_bits.main(["resnet-1-1", "--data", str(sheets)])


def test_schemes_are_one_where_there_is_one_layer(sheets: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    few = ["--data", str(sheets), "--chains", "1", "--length", "2"]
    initial_bits.main(["digits", *few, "--json", str(figures)])
    bitswap, bbans = json.loads(figures.read_text())
    assert bitswap["initial_bits"] > 0
    assert {**bitswap, "scheme": ""} == {**bbans, "scheme": ""}


@pytest.mark.parametrize("model", ["mnist28-l2", "photo", "resnet-1-1", "flowpp-1-1"])
def test_samples(tmp_path: Path, model: str) -> None:
    samples.main([model, str(tmp_path / "samples.png"), "--side", "1"])
    with Image.open(tmp_path / "samples.png") as image:
        assert image.width == image.height in (28, 32)


def test_tiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(photo(40, 40), tmp_path / "a.png")
    tiles.main([str(tmp_path)])
    assert capsys.readouterr().out.splitlines()[2].split()[1] == "32"


def test_ablation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    save(photo(16, 16), tmp_path / "sheets" / "00000-4.png")
    for name in ("photos_train/a", "photos_train/kept", "kodak/b"):
        save(photo(40, 48, seed=len(name)), tmp_path / f"{name}.png")
    figures = tmp_path / "figures.json"
    short = ["--minutes", "0", "--only", "L = 0", "--json", str(figures)]
    ablation.main([str(tmp_path / "recipe.toml"), "--data", str(tmp_path), *short])
    assert "| L = 0 " in capsys.readouterr().out
    found = json.loads(figures.read_text())["L = 0"]
    assert found["steps"] == 100
    assert all(0 < found[name] < 9 for name in ("sheets", "photographs", "kodak"))


def test_fit_curve(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot, figures = tmp_path / "plot.png", tmp_path / "figures.json"
    files = ["-o", str(figures), "--plot", str(plot)]
    fit_curve.main([str(photographs), "--seconds", "0.1", "--threads", "1", *files])
    out = capsys.readouterr().out
    assert ("not here: JPEG XL -e 9:" in out) != bool(peers(fit_curve.PEER))
    (folder,) = json.loads(figures.read_text())["folders"]
    assert [row["seconds"] for row in folder["archives"]] == [0, 0.1]
    with Image.open(plot) as drawn:
        assert drawn.width == 800
    fit_curve.main(["--from", str(figures)])
    assert capsys.readouterr().out.splitlines() == [
        line for line in out.splitlines() if line.startswith("|")
    ]
