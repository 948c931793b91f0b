"""Flow++: it inverts, its density is one, it learns, and its file holds what was measured."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from safetensors.numpy import load_file, save_file
from torch import Tensor

from bitswap_cli.cli.main import run
from bitswap_cli.errors import ModelError
from bitswap_models.families.flowpp import Config
from bitswap_models.stored import model_file
from bitswap_models.stored.sizes import sizes
from bitswap_models.training import evaluation, loop
from bitswap_models.training.data import cells
from bitswap_models.training.networks.couplings import Mixture
from bitswap_models.training.networks.flowpp import FlowPP
from bitswap_models.training.networks.weight_norm import Conv, GatedBlock, Signs
from tests.conftest import smooth_tile

SMALL = {
    "tile": 8, "hidden": 8, "blocks": 2, "components": 3, "context": 4, "context_blocks": 1,
    "dequantisation": 2, "dequantisation_blocks": 1,
}  # fmt: skip
BITS = [(32, 32), (1, 32), (1, 1)]  # of weights and activations
RECIPE = """
[model]
kind = "flowpp"
tile = 8
channels = 1
hidden = 8
blocks = 1
components = 2
context = 4
context_blocks = 1
stripes = 2
channel = 1
squeezed = 1
dequantisation = 1
dequantisation_blocks = 1
weight_bits = {}
activation_bits = {}

[[source]]
folder = "sheets"

[training]
test = "sheets"
steps = 40
batch = 16
warmup = 5
rate = 1e-2
"""


def pictures(count: int, tile: int = 8) -> Tensor:
    tiles = np.stack([smooth_tile(tile, 3, seed) for seed in range(count)])
    return torch.from_numpy(tiles)


def started(bits: tuple[int, int], **fields: int) -> FlowPP:
    """A model in float64 whose blocks, after the start, are as strong as trained ones."""
    config = Config(**{**SMALL, **fields}, weight_bits=bits[0], activation_bits=bits[1])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = FlowPP(config).double()
    evaluation.start(model, pictures(32, config.tile).double(), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith((".gate.g", ".head.g", "mix")):
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


@pytest.mark.parametrize("bits", BITS)
def test_the_flow_is_inverted_exactly(bits: tuple[int, int]) -> None:
    """To 1e-5 of a gray level, in float64."""
    model = started(bits)
    x = pictures(4).double()
    x = x + torch.rand(x.shape, dtype=torch.float64)
    z, _ = model(x)
    assert (model.inverse(z) - x).abs().max() < 1e-5
    assert (z - x.view(z.shape)).abs().max() > 1


@pytest.mark.parametrize("bits", BITS)
def test_the_determinant_is_the_jacobians(bits: tuple[int, int]) -> None:
    model = started(bits, tile=4)
    x = pictures(2, 4).double() + 0.5
    _, change = model(x)
    for i in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
            lambda t: model(t)[0], x[i : i + 1]
        )
        assert torch.linalg.slogdet(jacobian.view(x[i].numel(), -1))[1] == pytest.approx(
            float(change[i].detach()), rel=1e-9
        )


def test_the_noise_has_the_density_it_says() -> None:
    model = started((1, 32), tile=4)
    x = pictures(1, 4).double()
    noise = torch.randn(x.shape, dtype=torch.float64)
    u, bits = model.dequantisation(x, noise)
    assert u.min() > 0 and u.max() < 1
    jacobian = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
        lambda e: model.dequantisation(x, e)[0], noise
    )
    change = torch.linalg.slogdet(jacobian.view(x.numel(), -1))[1]
    normal = torch.distributions.Normal(0.0, 1.0)
    likely = normal.log_prob(noise).sum()  # type: ignore[no-untyped-call]
    assert float(bits.detach()) == pytest.approx(float(likely - change) / np.log(2), rel=1e-9)


parameter = arrays(np.float64, (1, 2, 3, 2, 2), elements=st.floats(-6, 6))


@given(parameter, parameter, parameter, arrays(np.float64, (1, 2, 2, 2), elements=st.floats(-9, 9)))
@settings(max_examples=60, deadline=None)
def test_mixtures_are_inverted_and_their_slope_is_the_derivative(
    logit: np.ndarray, mean: np.ndarray, log_scale: np.ndarray, x: np.ndarray
) -> None:
    mixture = Mixture(*map(torch.from_numpy, (logit, mean, log_scale / 3)))
    at = torch.from_numpy(x).requires_grad_()
    y, slope = mixture.logit_cdf(at)
    (gradient,) = torch.autograd.grad(y.sum(), at)
    torch.testing.assert_close(slope.exp(), gradient)
    # between far components the cdf is flat, and what is lost to rounding there is lost
    back, _ = mixture.logit_cdf(mixture.inverse(y.detach()))
    torch.testing.assert_close(back, y.detach())


def test_signs_replace_weights_and_activations() -> None:
    torch.manual_seed(0)
    block = GatedBlock(4, binary=True, signs=True)
    seen = []
    for layer in (block.first, block.gate):
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        block.first.v[0, 0, 0, 0] = 0.0
    block(torch.randn(2, 4, 6, 6)).square().sum().backward()
    assert all(set(t.flatten().tolist()) == {-1.0, 1.0} for t in seen)
    weight, scale = block.first._weights()
    assert set(weight.flatten().tolist()) == {-1.0, 1.0} and weight[0, 0, 0, 0] == 1
    assert torch.allclose(scale, block.first.g / (8 * 9) ** 0.5)
    assert all(p.grad is not None and p.grad.any() for p in block.parameters())


def test_gradients_of_signs_pass_near_the_threshold_only() -> None:
    signs = Signs(1)
    x = torch.tensor([-2.0, 0.4, 0.6, 1.4, 1.6]).view(1, 1, 1, 5).requires_grad_()
    out = signs(x)
    assert out[0, 0, 0].tolist() == [-1, -1, 1, 1, 1]
    out[:, 0].sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("binary", [False, True])
def test_layers_start_with_the_spread_they_are_told(binary: bool) -> None:
    torch.manual_seed(0)
    layer = Conv(6, 5, 3, binary=binary, spread=0.3)
    x = torch.randn(16, 6, 8, 8) * 7 + 3
    layer.starting = True
    layer(x)
    layer.starting = False
    y = layer(x)
    torch.testing.assert_close(y.std((0, 2, 3)), torch.full((5,), 0.3), rtol=0.01, atol=0)
    assert y.mean((0, 2, 3)).abs().max() < 1e-5


@pytest.mark.parametrize("bits", BITS)
def test_a_flow_learns_and_its_file_is_what_was_measured(
    tmp_path: Path, bits: tuple[int, int]
) -> None:
    (tmp_path / "sheets").mkdir()
    sheet = np.block([[smooth_tile(8, 1, 8 * i + k)[0] for k in range(8)] for i in range(8)])
    Image.fromarray(sheet.astype(np.uint8)).save(tmp_path / "sheets" / "a.png")
    (tmp_path / "recipe.toml").write_text(RECIPE.format(*bits))
    torch.set_num_threads(1)

    def train(name: str, steps: int | None = None) -> dict[str, float]:
        recipe, to = tmp_path / "recipe.toml", tmp_path / name
        return loop.train(recipe, tmp_path, to, steps=steps, progress=lambda line: None)

    metrics = train("m.safetensors")
    assert metrics["bpd"] == pytest.approx(metrics["likelihood"] + metrics["dequantisation"])
    assert metrics["bpd"] < train("s.safetensors", 1)["bpd"] - 0.2
    model = model_file.load_network(tmp_path / "m.safetensors")
    tiles = cells(tmp_path / "sheets", 8, 1)
    assert evaluation.evaluate(model, tiles)["bpd"] == pytest.approx(metrics["bpd"], abs=1e-4)
    tiles = model.sample(3, torch.Generator().manual_seed(0))
    assert tiles.shape == (3, 1, 8, 8) and tiles.dtype == torch.uint8


def written(path: Path) -> Path:
    model_file.write(started((1, 1)).float(), path, recipe="", metrics={})
    return path


def test_files_are_read_to_the_bit_and_refused_for_coding(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors")
    again = model_file.load_network(path)
    assert isinstance(again, FlowPP)
    model_file.write(again, tmp_path / "again.safetensors", recipe="", metrics={})
    one, other = load_file(path), load_file(tmp_path / "again.safetensors")
    for name, tensor in one.items():
        np.testing.assert_allclose(other[name], tensor, rtol=1e-6)
    with pytest.raises(ModelError, match="flowpp models do not code archives"):
        model_file.load(path)


@pytest.mark.parametrize("damage", ["lacks", "more", "shape", "packed"])
def test_damaged_files_are_refused(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path / "m.safetensors")
    metadata = {"kind": "flowpp", "profile": "1"}
    with pytest.raises(ModelError, match="no usable config"):
        save_file(load_file(path), tmp_path / "n.safetensors", metadata)
        model_file.load_network(tmp_path / "n.safetensors")
    stored = load_file(path)
    model = FlowPP(Config(**SMALL))
    name = "stripes.couplings.0.blocks.0.first"
    if damage == "lacks":
        del stored["stripes.couplings.0.first.mix"]
    elif damage == "more":
        stored["more"] = np.zeros(1)
    elif damage == "shape":
        stored["stripes.couplings.0.first.mix"] = np.zeros((2, 2))
    else:
        stored[f"{name}.weight"] = stored[f"{name}.weight"][1:]
    with pytest.raises(ModelError):
        model.load(stored)


def test_compress_says_that_flows_do_not_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "m.safetensors")
    (tmp_path / "a.txt").write_text("anything")
    made = tmp_path / "a.bsw"
    code = run(["compress", str(tmp_path / "a.txt"), "-o", str(made), "--model", str(path)])
    said = capsys.readouterr().err
    assert code != 0 and not made.exists()
    assert said.count("\n") == 1
    assert "flowpp models do not code archives: they are for evaluation and samples" in said


def test_the_published_configuration_is_as_large_as_published() -> None:
    """34 M parameters, 90.1 % binary, 90 % smaller (Bird, Kingma and Barber, table 1)."""
    counted = sizes(FlowPP(Config()))
    with torch.device("meta"):
        assert FlowPP(Config(weight_bits=32, activation_bits=32)).counted()[1] == 0
    assert round(counted.parameters / 1e6) == 34
    assert 0.90 < counted.binary_share < 0.92
    assert counted.packed_bytes <= 0.10 * counted.float32_bytes


@pytest.mark.parametrize("bits", BITS)
def test_packed_bytes_are_those_of_the_file(bits: tuple[int, int]) -> None:
    model = started(bits).float()
    stored = sum(array.nbytes for array in model.tensors().values())
    counted = sizes(model)
    assert counted.packed_bytes == stored
    assert counted.parameters == sum(p.numel() for p in model.parameters())
