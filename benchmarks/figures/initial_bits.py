"""Initial bits: Bit-Swap against BB-ANS with the same models, for models of different depths.

Chains of images are coded one after another on one message, each image a group of its own, under
both schemes, which are one where there is one layer of latents. What the message holds after 1, 2,
3 .. images, initial bits included, over the dimensions coded so far, is the cumulative rate that
Kingma, Abbeel and Ho (ICML 2019) plot: under Bit-Swap it starts at about the same height however
deep the model; under BB-ANS every layer adds.

The message has one lane, so that its head weighs next to nothing, and nothing pays for the initial
bits: in an archive they carry metadata. The first chain of each is decoded again and compared.

    python -m benchmarks.figures.initial_bits MODEL... --data FOLDER [--plot FILE] [--json FILE]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import drawing
from benchmarks.report import markdown, write_json
from bitswap_cli.ans import Message
from bitswap_cli.coding import SCHEMES, common
from bitswap_cli.coding.group import Group
from bitswap_cli.contract import TileModel
from bitswap_models import zoo
from bitswap_models.stored import model_file
from bitswap_models.training.data import cells

NAMES = {"bitswap": "Bit-Swap", "bbans": "BB-ANS"}
BOTTOM = 1 << 20  # bytes of random payload: deep enough to count how much of it is used

Tiles = NDArray[np.int32]


class Chain(NamedTuple):
    """One chain of n images, in bits."""

    total: NDArray[np.float64]  # what the message holds after 1..n images
    net: NDArray[np.float64]  # net bits of each image
    initial: int  # taken from below the bottom


class Result(NamedTuple):
    """A model under a scheme: means over chains."""

    model: str
    depth: int
    scheme: str
    cumulative: list[float]  # bits/dim after 1..n images
    net: float  # bits/dim
    initial_bits: float
    initial_bits_deviation: float  # over chains

    def __str__(self) -> str:
        return f"{NAMES[self.scheme]}, L = {self.depth}"


def code_chain(
    model: TileModel, scheme: str, tiles: Tiles, payload: bytes, *, check: bool
) -> Chain:
    """Push tiles (n, C, H, W) one after another; pop them again if asked to.

    Raises
    ------
    ValueError
        If the tiles or the initial bits do not come back.
    """
    sizes = np.array([[model.tile, model.tile, model.channels]], np.int32)
    message = Message.with_bottom(payload, 1)
    net = np.zeros((len(tiles), 1 + model.depth + (common.of(model) is not None)))
    total = np.zeros(len(tiles))
    for i in range(len(tiles)):
        one = slice(i, i + 1)
        group = Group(message, model, sizes, bits=net[one])
        common.choose(group, tiles[one])
        SCHEMES[scheme].push(group, tiles[one])
        common.push(group)
        words, used = message.finish()
        total[i] = 32 * len(words)
    if check:
        message = Message.from_words(words, 1)
        for tile in tiles[::-1]:
            group = Group(message, model, sizes)
            common.pop(group)
            if not np.array_equal(SCHEMES[scheme].pop(group)[0], tile):
                raise ValueError(f"an image came back different under {NAMES[scheme]}")
        if message.check_bottom(used) != payload[:used]:
            raise ValueError(f"the initial bits came back different under {NAMES[scheme]}")
    return Chain(total, net.sum(1), 8 * used)


def measure(name: str, model: TileModel, scheme: str, chains: Tiles) -> Result:
    """Code chains, (m, n, C, H, W)."""
    coded = []
    for number, tiles in enumerate(chains):
        payload = np.random.default_rng(number).bytes(BOTTOM)
        coded.append(code_chain(model, scheme, tiles, payload, check=number == 0))
        print(f"\r{name}, {NAMES[scheme]}: {number + 1}/{len(chains)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    dims = model.channels * model.tile**2
    total = np.mean([chain.total for chain in coded], 0)
    initial = [chain.initial for chain in coded]
    return Result(
        name,
        model.depth,
        scheme,
        (total / (np.arange(1, len(total) + 1) * dims)).round(5).tolist(),
        round(float(np.mean([chain.net for chain in coded])) / dims, 5),
        float(np.mean(initial)),
        round(float(np.std(initial)), 1),
    )


def table(results: list[Result], marks: list[int]) -> str:
    """Markdown: rates after so many images."""
    images = ["1 image" if n == 1 else f"{n} images" for n in marks]
    rows = [["model", "L", "scheme", "initial bits", *images, "net"]]
    for result in results:
        rates = [result.cumulative[n - 1] for n in marks] + [result.net]
        initial = f"{result.initial_bits:,.0f}"
        figures = [f"{rate:.3f}" for rate in rates]
        named = [result.model, str(result.depth), NAMES[result.scheme]]
        rows.append([*named, initial, *figures])
    return markdown(rows, left=(0, 2))


def plot(results: list[Result], path: Path) -> None:
    """Cumulative rate against the number of images: a color a model, dashes for BB-ANS."""
    figure, ((axes,),) = drawing.subplots(1, 1, (drawing.WIDTH, 4.5))
    models = list(dict.fromkeys(result.model for result in results))
    for result in results:
        color = f"C{models.index(result.model)}"
        images = range(1, len(result.cumulative) + 1)
        style = "-" if result.scheme == "bitswap" else "--"
        axes.plot(images, result.cumulative, style, color=color, label=str(result))
        if result.scheme == "bitswap":  # the net rate is the scheme's in name only
            axes.axhline(result.net, color=color, linewidth=0.8, alpha=0.5)
    axes.set(xscale="log", xlabel="images coded on one message", ylabel="bits/dim so far")
    axes.set_title("Cumulative rate, initial bits included (thin: net rate)", fontsize=10)
    axes.grid(which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    drawing.save(figure, path)


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write the plot and JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL", help="name or path")
    parser.add_argument("--data", type=Path, required=True, help="folder of test sheets")
    parser.add_argument("--chains", type=int, default=10)
    parser.add_argument("--length", type=int, default=100, help="images of a chain")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args(given)
    torch.set_num_threads(1)
    results = []
    for name_or_path in arguments.models:
        file = zoo.resolve(name_or_path)
        model = model_file.load(file.path)
        if not set(NAMES) <= set(model.schemes):
            sys.exit(f"{file.name} is not coded by {' or '.join(NAMES.values())}")
        tiles = cells(arguments.data, model.tile, model.channels)
        count = arguments.chains * arguments.length
        if len(tiles) < count:
            sys.exit(f"{arguments.data} holds {len(tiles)} images, {count} are needed")
        x = tiles[:count].transpose(0, 3, 1, 2).astype(np.int32)
        chains = x.reshape(arguments.chains, arguments.length, *x.shape[1:])
        results += [measure(file.name, model, scheme, chains) for scheme in NAMES]
    print(table(results, [n for n in (1, 10, 100, 1000) if n <= arguments.length]))
    if arguments.plot:
        plot(results, arguments.plot)
    write_json([result._asdict() for result in results], arguments.json)


if __name__ == "__main__":
    main()
