"""Speed of exact layers on one core, against float32 in torch: python -m benchmarks.kernels.binary

First single convolutions, then the whole ResNet VAE in its published configuration (models are not
trained: speed is that of any). All that a table compares is run in turn, one pass of each after the
other; each figure is the best pass, in the thread's processor time. Layers of the kernel begin with
int16 arrays and end with them, so that the packing of signs, the scales and the residual's sum are
counted; torch computes the bare convolution, in the faster of its two memory layouts.

    python -m benchmarks.kernels.binary [--tiles N] [--passes N] [--only layers|model] [-o FILE]
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MethodType
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.kernels.clock import Work, best
from benchmarks.report import markdown, write_json
from bitswap_models.exact import kernel, layers
from bitswap_models.exact.kernel import Kernel, Values, Weights
from bitswap_models.exact.latents import middle
from bitswap_models.exact.layers import STREAM
from bitswap_models.exact.tensors import built
from bitswap_models.families.resnet_vae import Config, ResNetVAE
from bitswap_models.training.layers import IntegerConv
from bitswap_models.training.networks.resnet_vae import ResNetNetwork

SIDE = 16  # of the grid that the ResNet VAE's layers see
LAYERS = ((256, 3), (256, 5), (128, 3), (64, 3))  # channels, size of the kernel
COLUMNS = ("", "weights x activations", "instructions", "ms", "GMAC/s", "x float32")
INSTRUCTIONS = {
    "plain": "baseline",
    "popcnt": "POPCNT",
    "avx2": "AVX2",
    "avx512": "AVX-512",
    "avxvnni": "AVX-VNNI",
    "vnni": "AVX-512 VNNI",
    "amx": "AMX",
    "vpopcnt": "AVX-512 VPOPCNTDQ",
    "neon": "NEON",
    "dotprod": "ARM's dot products",
}
FLOAT = "float32, torch"
LAYOUTS = (torch.contiguous_format, torch.channels_last)


@dataclass(frozen=True)
class Row:
    """One figure: of what, computed how, in how many seconds."""

    subject: str
    way: str
    instructions: str
    seconds: float
    products: int

    def cells(self, baseline: float) -> tuple[str, ...]:
        """A row of the table."""
        rate = self.products / self.seconds / 1e9
        times = f"{self.seconds * 1e3:.2f}", f"{rate:.0f}", f"{baseline / self.seconds:.1f}"
        return self.subject, self.way, self.instructions, *times


def layer_rows(compiled: Kernel, channels: int, size: int, tiles: int, passes: int) -> list[Row]:
    """Every way to compute one convolution."""
    rng = np.random.default_rng(channels + size)
    shape = (tiles, SIDE, SIDE, channels)
    x = rng.integers(-255, 256, shape, dtype=np.int16)
    positive, taps = x.clip(0), (channels, channels, size, size)
    signs = rng.choice(np.array([-1, 1], np.int8), taps)
    eight = rng.integers(-127, 128, taps, dtype=np.int8)
    scale, bias = np.full(channels, 3, np.int32), np.zeros(channels, np.int32)

    def exact(engine: Kernel, weights: Weights, x: Values) -> Work:
        return lambda: engine.run(weights, x, None, x, *STREAM)

    ways: list[tuple[str, str, Work]] = []
    for layout in LAYOUTS:
        both = torch.from_numpy(x.transpose(0, 3, 1, 2)), torch.from_numpy(signs)
        f, w = (t.float().contiguous(memory_format=layout) for t in both)
        ways.append((FLOAT, "", lambda f=f, w=w: F.conv2d(f, w, padding=size // 2)))  # type: ignore[misc]
    for way, weight in (("8 x 8 bit", eight), ("1 x 8 bit", signs)):
        weights = Weights(weight.astype(np.int16), scale, bias, 12)
        for name in compiled.variants:
            if not (weights.layer.ones and name == "avx512"):  # which is AVX2's there
                engine = Kernel(compiled.path, name)
                ways.append((way, INSTRUCTIONS[name], exact(engine, weights, positive)))
    weights = Weights(signs, scale, bias, 12, signs=True)
    for name in compiled.binary_variants:
        engine = Kernel(compiled.path, binary_variant=name)
        ways.append(("1 x 1 bit", INSTRUCTIONS[name], exact(engine, weights, x)))
    with torch.inference_mode():
        times = best([work for _, _, work in ways], passes)
    products = tiles * SIDE**2 * channels**2 * size**2
    subject = f"{channels} channels, {size}x{size}"
    rows = [
        Row(subject, way, instructions, seconds, products)
        for (way, instructions, _), seconds in zip(ways, times, strict=True)
    ]
    return [min(rows[: len(LAYOUTS)], key=lambda row: row.seconds), *rows[len(LAYOUTS) :]]


def float_layer(
    self: IntegerConv,
    x: Tensor,
    reference: Tensor | None = None,
    *,
    add: Tensor | None = None,
    active: bool = False,
) -> Tensor:
    """`IntegerConv.forward` as a network of float32 has it."""
    y = F.conv2d(x, self.v, self.b, padding=self.shape.size // 2)
    y = y if add is None else y + add
    return y.relu() if active else y


def float_model(config: Config, layout: torch.memory_format) -> ResNetNetwork:
    """The network with float32 layers."""
    torch.manual_seed(0)
    model = ResNetNetwork(replace(config, weight_bits=8, activation_bits=8))
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    for layer in model.modules():
        if isinstance(layer, IntegerConv):
            layer.forward = MethodType(float_layer, layer)  # type: ignore[method-assign]
    return model


def exact_model(config: Config, weight_bits: int, activation_bits: int) -> ResNetVAE:
    """The network with residual blocks of so many bits, as it codes."""
    torch.manual_seed(0)
    config = replace(config, weight_bits=weight_bits, activation_bits=activation_bits)
    return built(ResNetVAE, config, ResNetNetwork(config).tensors())


def walk(model: ResNetNetwork, x: Tensor) -> None:
    """All of the network that coding tiles takes: encoder, decoder, likelihood of each channel."""
    ups = model._up(x)

    def code(layer: int, stream: Tensor | None, prior: tuple[Tensor, Tensor]) -> Tensor:
        return model._layer(layer).q(prior, ups[layer - 1], stream)[0] / 16

    model.head(model._trunk(model._down(code)), x - 128)


def walk_exactly(model: ResNetVAE, x: NDArray[np.int32]) -> None:
    """Likewise, as it codes."""
    seen, grid = model.bottom_up(x), x.shape[-1] // model.stride
    stream = model.descend(len(x), grid, lambda level: middle(model.posterior(level, seen)))
    model.likelihood(stream, lambda step: x[:, step.channel])


def model_ways(
    compiled: Kernel, config: Config, x: NDArray[np.int32]
) -> list[tuple[str, str, Work]]:
    """Ways to compute the whole network, those of float32 first: what, instructions, work."""

    def floating(layout: torch.memory_format) -> Work:
        pixels = torch.from_numpy(x).float().contiguous(memory_format=layout)
        model = float_model(config, layout)
        return lambda: walk(model, pixels)

    def exact(model: ResNetVAE, engine: Kernel) -> Work:
        def work() -> None:
            with mock.patch.object(layers, "engine", lambda *_, **__: engine):
                walk_exactly(model, x)

        return work

    ways = [(FLOAT, "", floating(layout)) for layout in LAYOUTS]
    fastest = Kernel(compiled.path)
    engines = [fastest]
    if "avx2" in compiled.variants and fastest.variant != "avx2":
        engines.append(Kernel(compiled.path, "avx2", "avx2"))
    for weight_bits, activation_bits in ((8, 8), (1, 8), (1, 1)):
        model = exact_model(config, weight_bits, activation_bits)
        for engine in engines:
            used = [engine.variant, engine.binary_variant][: 1 + (activation_bits == 1)]
            instructions = ", ".join(dict.fromkeys(INSTRUCTIONS[name] for name in used))
            ways.append(
                (f"{weight_bits} x {activation_bits} bit", instructions, exact(model, engine))
            )
    return ways


def products_of(config: Config, x: NDArray[np.int32]) -> int:
    """Multiplications that a walk through the network takes."""
    products = 0

    def count(layer: IntegerConv, inputs: tuple[Tensor, ...], y: Tensor) -> None:
        nonlocal products
        products += layer.shape.inputs * layer.shape.size**2 * y.numel()

    network = ResNetNetwork(config)
    for module in network.modules():
        if isinstance(module, IntegerConv):
            module.register_forward_hook(count)
    walk(network, torch.from_numpy(x).float())
    return products


def model_rows(compiled: Kernel, config: Config, tiles: int, passes: int) -> list[Row]:
    """The whole network, float and exact."""
    rng = np.random.default_rng(0)
    shape = tiles, config.channels, config.tile, config.tile
    x = rng.integers(0, 256, shape, dtype=np.int32)
    with torch.inference_mode():
        ways = model_ways(compiled, config, x)
        products = products_of(config, x)
        times = best([work for _, _, work in ways], passes)
    rows = [
        Row("ResNet VAE", way, instructions, seconds, products)
        for (way, instructions, _), seconds in zip(ways, times, strict=True)
    ]
    return [min(rows[: len(LAYOUTS)], key=lambda row: row.seconds), *rows[len(LAYOUTS) :]]


def main(given: Sequence[str] | None = None) -> None:
    """Print a table in Markdown, and write all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=16, help="coded together")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--only", choices=("layers", "model"))
    parser.add_argument("--width", type=int, default=Config.width, help="of layers, at most")
    parser.add_argument("--depth", type=int, default=len(Config.latents), help="of the network")
    parser.add_argument("-o", "--output", type=Path, help="a JSON file")
    arguments = parser.parse_args(given)
    torch.set_num_threads(1)
    compiled = kernel.compiled()
    if compiled is None:
        parser.exit(1, "the kernel is not compiled\n")
    of = arguments.tiles, arguments.passes
    tables: list[list[Row]] = []
    if arguments.only != "model":
        for channels, size in LAYERS:
            if channels <= arguments.width:
                tables.append(layer_rows(compiled, channels, size, *of))
    if arguments.only != "layers":
        latents = Config.latents[:1] * arguments.depth
        config = Config(width=arguments.width, latents=latents)
        tables.append(model_rows(compiled, config, *of))
    lines = [row.cells(rows[0].seconds) for rows in tables for row in rows]
    print(markdown([COLUMNS, *lines], left=(0, 1, 2)))
    figures = {
        "tiles": arguments.tiles,
        "torch": torch.__version__,
        "rows": [vars(row) for rows in tables for row in rows],
    }
    write_json(figures, arguments.output)


if __name__ == "__main__":
    main()
