"""Training lowers the loss and makes a model file that codes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bitswap_cli.api.models import train
from bitswap_cli.cli.common import EXIT_TERMINATED
from bitswap_cli.cli.main import EXIT_INTERRUPTED
from bitswap_cli.coding.coefficients import CoefficientCodec
from bitswap_cli.errors import InputError, ModelError
from bitswap_models.stored import model_file
from bitswap_models.training.jpeg.planes import planes
from bitswap_models.training.jpeg.pool import Pool
from bitswap_models.training.jpeg.run import JpegRun, trained
from bitswap_models.training.recipe import Recipe
from tests.conftest import heed_ctrl_c
from tests.models.families.jpeg_vae.small import FRAMES, picture
from tests.models.training.jpeg.store import CPU

RECIPE = """
[model]
kind = "jpeg_vae"
latents = [2]
link = 4
hidden = [16, 16]
context = [16, 16]
width = [8, 8]
[[source]]
folder = "photos"
kind = "photos"
[training]
test = "none"
steps = 3
batch = 256
warmup = 1
kl_warmup = 2
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small steps on several threads wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_pool() -> Pool:
    """A pool of small files."""
    random = np.random.default_rng(0)
    files = [planes(f, [x.clip(-1024, 1023) for x in picture(f, random)]) for f in FRAMES]
    return Pool(files[:1], cycle(files), 5, 1, CPU)


def written(folder: Path, text: str = RECIPE) -> Recipe:
    """A recipe, read from its file."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return Recipe.read(path)


def bits_of(run: JpegRun, steps: int) -> float:
    """Bits a block of luma, of so many steps in the mean."""
    run.told()
    for _ in range(steps):
        run.advance()
    return run.told()["luma"] / steps


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    recipe = replace(written(tmp_path), steps=40, rate=0.01)
    run = JpegRun(recipe, small_pool(), CPU)
    before = bits_of(run, 5)
    assert bits_of(run, 30) < before
    assert bits_of(run, 5) < 0.98 * before


def test_a_trained_model_codes(tmp_path: Path) -> None:
    output = tmp_path / "model.safetensors"
    trained(written(tmp_path), small_pool(), output, CPU, progress=lambda _: None)
    codec = CoefficientCodec(model_file.load(output))  # type: ignore[arg-type]
    random = np.random.default_rng(0)
    x = [picture(frame, random) for frame in FRAMES]
    told = codec.encode(FRAMES, x, b"")
    restored, _ = codec.decode(told.words, told.excess, FRAMES)
    assert all(
        np.array_equal(a, b)
        for one, other in zip(x, restored, strict=True) for a, b in zip(one, other, strict=True)
    )  # fmt: skip


def test_a_model_is_trained_further(tmp_path: Path) -> None:
    base, output = tmp_path / "base.safetensors", tmp_path / "model.safetensors"
    trained(written(tmp_path), small_pool(), base, CPU, progress=lambda _: None)
    text = RECIPE.replace("steps = 3", "steps = 1\nrate = 0.0")
    recipe = written(tmp_path, f'{text}[base]\nname = "{base}"\n')
    trained(recipe, small_pool(), output, CPU, progress=lambda _: None)
    old, new = (model_file.load(path).tensors() for path in (base, output))
    for name, array in old.items():  # what a norm divides is rounded
        assert np.allclose(array, new[name], rtol=1e-5, atol=1), name
    wide = text.replace("width = [8, 8]", "width = [8, 9]")
    recipe = written(tmp_path, f'{wide}[base]\nname = "{base}"\n')
    with pytest.raises(ModelError, match="another shape"):
        JpegRun(recipe, small_pool(), CPU)


def test_gray_files_alone_are_no_pool() -> None:
    random = np.random.default_rng(0)
    gray = planes(FRAMES[0], picture(FRAMES[0], random))
    with pytest.raises(ModelError, match="no file of the pool has colours"):
        Pool([gray], cycle([gray]), 2, 1, CPU)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe, its photographs, and a JPEG file as it is."""
    random = np.random.default_rng(1)
    for folder in ("photos", "jpeg"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for name in ("photos/a.png", "photos/b.png", "jpeg/c.jpg"):
        pixels = random.normal(128, 20, (80, 100, 3)).cumsum(1) / 9 % 256
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "data" / name)
    (tmp_path / "data" / "jpeg" / "no.jpg").write_bytes(b"no JPEG file")
    path = tmp_path / "recipe.toml"
    source = '[[source]]\nfolder = "jpeg"\nkind = "jpeg"\n[training]\npool = 3\nrenew = 2\n'
    path.write_text(RECIPE.replace("[training]\n", source))
    return path


def test_the_command_trains(recipe: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.safetensors"
    train(recipe, tmp_path / "data", output, progress=lambda _: None)
    codec = CoefficientCodec(model_file.load(output))  # type: ignore[arg-type]
    x = picture(FRAMES[1], np.random.default_rng(2))
    told = codec.encode(FRAMES[1:2], [x], b"")
    restored, _ = codec.decode(told.words, told.excess, FRAMES[1:2])
    assert all(np.array_equal(a, b) for a, b in zip(x, restored[0], strict=True))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, EXIT_INTERRUPTED), (signal.SIGTERM, EXIT_TERMINATED)]
)
def test_a_signal_ends_all_processes(recipe: Path, tmp_path: Path, number: int, code: int) -> None:
    recipe.write_text(recipe.read_text().replace("steps = 3", "steps = 1000000"))
    data, output = tmp_path / "data", tmp_path / "out" / "model.safetensors"
    output.parent.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "bitswap_cli", "train", recipe, data, "-o", output],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    assert process.stderr is not None
    with process, process.stderr:
        assert process.stderr.readline().startswith("drew 3 files")
        send = os.killpg if number == signal.SIGINT else os.kill  # as a terminal does
        send(process.pid, number)
        assert process.wait(60) == code
        said = "bitswap: error: interrupted\n" if number == signal.SIGINT else ""
        assert process.stderr.read() == said
    assert not any(output.parent.iterdir())
    with pytest.raises(ProcessLookupError):  # those that draw are of its session
        for _ in range(100):
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def test_what_cannot_be_followed_is_refused(recipe: Path, tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "m"
    for options in ({"resume": True}, {"seconds": 5.0}):
        with pytest.raises(InputError, match="in one go"):
            train(recipe, data, output, progress=print, **options)
    for name in ("a.png", "b.png"):
        (data / "photos" / name).write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"cannot read the picture .*\.png"):
        train(recipe, data, output, progress=print)
    text = recipe.read_text()
    recipe.write_text(text.replace('"photos"\nkind = "photos"', '"none"\nkind = "photos"'))
    with pytest.raises(InputError, match="there is no folder"):
        train(recipe, data, output, progress=print)
    recipe.write_text(text.replace('kind = "photos"', 'kind = "jpeg"'))
    with pytest.raises(ModelError, match="names no source of photographs"):
        train(recipe, data, output, progress=print)
    recipe.write_text(text.replace('kind = "photos"', 'kind = "sheets"'))
    with pytest.raises(ModelError, match="kind sheets: photos or jpeg"):
        train(recipe, data, output, progress=print)
