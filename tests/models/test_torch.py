"""Where nothing is trained, nothing imports torch, and the bytes are the same without it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_models import zoo
from tests.conftest import smooth_tile

RUN = """
import json, sys
if sys.argv[1] in ("without", "refused"):
    sys.modules["torch"] = None  # to import it raises from here on
from bitswap_cli.cli.main import run
code = 5 if sys.argv[1] == "refused" else 0
for command in json.loads(sys.argv[2]):
    assert run(command) == code, command
if sys.argv[1] == "seen":
    assert "torch" not in sys.modules
"""
MODELS = ("photo", "natural32", "resnet-1-1", "auto")

pytestmark = pytest.mark.skipif(not zoo.embedded(), reason="no model is embedded")


def ran(how: str, *commands: list[str]) -> list[str]:
    """What commands of one process print, line by line; errors, where they are refused."""
    told = [sys.executable, "-c", RUN, how, json.dumps(commands)]
    done = subprocess.run(told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (done.stderr if how == "refused" else done.stdout).splitlines()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torch") / "pictures"
    folder.mkdir()
    for k in range(3):
        tile = smooth_tile(40, 3, k).transpose(1, 2, 0).astype(np.uint8)
        Image.fromarray(tile if k else tile[..., 0]).save(folder / f"{k}.png")
    return folder


def commands(pictures: Path, folder: Path) -> list[list[str]]:
    """All that codes, and all that reads archives and models."""
    folder.mkdir()
    found: list[list[str]] = [["doctor"], ["models", "list"], ["models", "info", "photo"]]
    for model in MODELS:
        path = str(folder / f"{model}.bsw")
        found += [
            ["compress", "-q", str(pictures), "-o", path, "--model", model, "--threads", "1"],
            ["decompress", "-q", path, "-o", str(folder / model)],
            ["list", path],
            ["test", path],
            ["info", "--json", path],
        ]
    return [*found, ["eval", "photo", str(pictures), "--limit", "3"]]


def content(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def test_coding_is_the_same_without_torch(pictures: Path, tmp_path: Path) -> None:
    said = []
    for how in ("with", "without"):
        lines = ran(how, *commands(pictures, tmp_path / how))
        said.append([line.replace(str(tmp_path / how), "") for line in lines])
    one, other = (content(tmp_path / how) for how in ("with", "without"))
    assert len(one) == len(MODELS) * (1 + 3)
    assert one == other
    assert said[0] == said[1]


def test_coding_imports_no_torch_where_it_is_installed(pictures: Path, tmp_path: Path) -> None:
    ran("seen", *commands(pictures, tmp_path / "seen"))


@pytest.mark.skipif("flowpp-32" not in zoo.embedded(), reason="no flow is embedded")
def test_what_needs_torch_says_so_in_one_line(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("")
    archive, model = (str(tmp_path / name) for name in ("a.bsw", "m.safetensors"))
    packing = ["compress", str(pictures), "-o", archive]
    lines = ran(
        "refused",
        [*packing, "--fit"],
        [*packing, "--fit-steps", "1", "--model", "photo"],
        ["train", str(tmp_path / "recipe.toml"), str(pictures), "-o", model],
        ["eval", "flowpp-32", str(pictures)],
        ["models", "info", "flowpp-32"],
    )
    flow = "flowpp-32, of kind flowpp,"
    assert lines == [
        f"bitswap: error: {what} needs PyTorch: pip install 'bitswap[train]'"
        for what in ("fitting", "fitting", "training", flow, flow)
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]
