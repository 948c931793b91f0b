"""Speed of exact layers on one core, against float32 in torch: python benchmarks/binary.py

First single convolutions, then the whole ResNet VAE in its published configuration (models are not
trained: speed is that of any). All that a table compares is run in turn, one pass of each after the
other; each figure is the best pass, in the thread's processor time. Layers of the kernel begin with
int16 arrays and end with them, so that the packing of signs, the scales and the residual's sum are
counted; torch computes the bare convolution, in the faster of its two memory layouts.

    python benchmarks/binary.py [--tiles N] [--passes N] [--only layers|model] [-o FILE]
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MethodType

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bitswap_models.exact import kernel, layers
from bitswap_models.exact.kernel import Kernel, Values, Weights
from bitswap_models.exact.latents import middle
from bitswap_models.exact.layers import STREAM
from bitswap_models.families.resnet_vae import Config, ResNetVAE
from bitswap_models.stored import model_file
from bitswap_models.training.layers import IntegerConv
from bitswap_models.training.networks.resnet_vae import ResNetNetwork

SIDE = 16  # of the grid that the ResNet VAE's layers see
LAYERS = ((256, 3), (256, 5), (128, 3), (64, 3))  # channels, size of the kernel
INSTRUCTIONS = {
    "plain": "x86-64 baseline",
    "popcnt": "POPCNT",
    "avx2": "AVX2",
    "avx512": "AVX-512",
    "vnni": "AVX-512 VNNI",
    "vpopcnt": "AVX-512 VPOPCNTDQ",
}
FLOAT = "float32, torch"

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One figure: of what, computed how, in how many seconds."""

    subject: str
    way: str
    instructions: str
    seconds: float
    products: int

    def line(self, baseline: float) -> str:
        """A row of the table."""
        rate = self.products / self.seconds / 1e9
        return (
            f"| {self.subject} | {self.way} | {self.instructions} | {self.seconds * 1e3:.2f} |"
            f" {rate:.0f} | {baseline / self.seconds:.1f} |"
        )


def best(works: list[Work], passes: int) -> list[float]:
    """Processor time of the fastest pass of each, all in turn, after a first one."""
    for work in works:
        work()
    times = [float("inf")] * len(works)
    for _ in range(passes):
        for at, work in enumerate(works):
            before = time.thread_time()
            work()
            times[at] = min(times[at], time.thread_time() - before)
    return times


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
    for layout in (torch.contiguous_format, torch.channels_last):
        both = torch.from_numpy(x.transpose(0, 3, 1, 2)), torch.from_numpy(signs)
        f, w = (t.float().contiguous(memory_format=layout) for t in both)
        ways.append((FLOAT, "", lambda f=f, w=w: F.conv2d(f, w, padding=size // 2)))  # type: ignore[misc]
    for way, weight in (("8 x 8 bit", eight), ("1 x 8 bit", signs)):
        weights = Weights(weight, scale, bias, 12)
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
    return [min(rows[:2], key=lambda row: row.seconds), *rows[2:]]


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


def float_model(layout: torch.memory_format) -> ResNetNetwork:
    """The published network with float32 layers."""
    torch.manual_seed(0)
    config = Config(weight_bits=8, activation_bits=8)
    model = ResNetNetwork(config).to(memory_format=layout)
    for layer in model.modules():
        if isinstance(layer, IntegerConv):
            layer.forward = MethodType(float_layer, layer)  # type: ignore[method-assign]
    return model


def exact_model(weight_bits: int, activation_bits: int) -> ResNetVAE:
    """The published network with residual blocks of so many bits."""
    torch.manual_seed(0)
    config = Config(weight_bits=weight_bits, activation_bits=activation_bits)
    model = model_file.build(ResNetNetwork(config))
    assert isinstance(model, ResNetVAE)
    return model


def walk(model: ResNetNetwork, x: Tensor) -> None:
    """All of the network that coding tiles takes: encoder, decoder, likelihood of each channel."""
    ups = model._up(x)

    def code(layer: int, stream: Tensor | None, prior: tuple[Tensor, Tensor]) -> Tensor:
        return model._layer(layer).q(prior, ups[layer - 1], stream)[0] / 16

    model.head(model._trunk(model._down(code)), x - 128)


def walk_exactly(model: ResNetVAE, x: NDArray[np.int32]) -> None:
    """Likewise, as it codes."""
    seen = model.bottom_up(x)
    stream = model.descend(len(x), SIDE, lambda level: middle(model.posterior(level, seen)))
    model.likelihood(stream, lambda step: x[:, step.channel])


def model_rows(compiled: Kernel, tiles: int, passes: int) -> list[Row]:
    """The whole network, float and exact."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (tiles, 3, 2 * SIDE, 2 * SIDE), dtype=np.int32)
    names: list[tuple[str, str]] = []
    works: list[Work] = []

    def floating(layout: torch.memory_format) -> Work:
        pixels = torch.from_numpy(x).float().contiguous(memory_format=layout)
        model = float_model(layout)
        return lambda: walk(model, pixels)

    def exact(model: ResNetVAE, engine: Kernel) -> Work:
        def work() -> None:
            layers.engine = lambda: engine  # type: ignore[assignment, misc]
            walk_exactly(model, x)

        return work

    for layout in (torch.contiguous_format, torch.channels_last):
        names.append((FLOAT, ""))
        works.append(floating(layout))
    fastest = Kernel(compiled.path)
    engines = [fastest]
    if "avx2" in compiled.variants and fastest.variant != "avx2":
        engines.append(Kernel(compiled.path, "avx2", "avx2"))
    for weight_bits, activation_bits in ((8, 8), (1, 8), (1, 1)):
        model = exact_model(weight_bits, activation_bits)
        for engine in engines:
            used = [engine.variant, engine.binary_variant][: 1 + (activation_bits == 1)]
            instructions = ", ".join(dict.fromkeys(INSTRUCTIONS[name] for name in used))
            names.append((f"{weight_bits} x {activation_bits} bit", instructions))
            works.append(exact(model, engine))
    products = 0

    def count(layer: IntegerConv, inputs: tuple[Tensor, ...], y: Tensor) -> None:
        nonlocal products
        products += layer.shape.inputs * layer.shape.size**2 * y.numel()

    with torch.inference_mode():
        network = ResNetNetwork(Config())
        for module in network.modules():
            if isinstance(module, IntegerConv):
                module.register_forward_hook(count)
        walk(network, torch.from_numpy(x).float())
        times = best(works, passes)
    rows = [
        Row("ResNet VAE", way, instructions, seconds, products)
        for (way, instructions), seconds in zip(names, times, strict=True)
    ]
    return [min(rows[:2], key=lambda row: row.seconds), *rows[2:]]


def main() -> None:
    """Print a table in Markdown, and write all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=16, help="coded together")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--only", choices=("layers", "model"))
    parser.add_argument("-o", "--output", type=Path, help="a JSON file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    compiled = kernel.compiled()
    if compiled is None:
        parser.exit(1, "the kernel is not compiled\n")
    tables: list[list[Row]] = []
    if arguments.only != "model":
        for channels, size in LAYERS:
            tables.append(layer_rows(compiled, channels, size, arguments.tiles, arguments.passes))
    if arguments.only != "layers":
        tables.append(model_rows(compiled, arguments.tiles, arguments.passes))
    print("| | weights x activations | instructions | ms | GMAC/s | x float32 |")
    print("|---|---|---|---:|---:|---:|")
    for rows in tables:
        for row in rows:
            print(row.line(rows[0].seconds))
    if arguments.output:
        figures = {
            "tiles": arguments.tiles,
            "torch": torch.__version__,
            "rows": [vars(row) for rows in tables for row in rows],
        }
        arguments.output.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
