"""Speed of the pixel VAE's lockstep on one core: python -m benchmarks.kernels.pixels

Tiles are synthetic photos. The model is an installed one or, by default, one of the default config
that was started on them but not trained: its speed is that of any. Megabytes are raw pixels; each
figure is the best of some passes, in the thread's processor time. *mixtures* is what the encoder
computes besides pushing, *pop* what the decoder does, coder included.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.data.kinds import photo
from benchmarks.kernels.clock import best
from bitswap_cli.ans import LogisticMixture, Message, MixtureParameters
from bitswap_cli.ans import kernel as coder
from bitswap_models import zoo
from bitswap_models.exact import kernel
from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae import lockstep
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.pixels import PixelKernel
from bitswap_models.stored import model_file
from bitswap_models.training import evaluation
from bitswap_models.training.networks.pixel_vae import PixelNetwork

GROUPS = ((1, 256), (8, 32), (128, 32), (8, 256))  # tiles, their side

Pixels = NDArray[np.uint8]
Film = NDArray[np.int16]


def started(seed: int = 0) -> PixelVAE:
    """An exact model of the default config that is started on synthetic photos."""
    torch.manual_seed(seed)
    config = Config()
    model = PixelNetwork(config)
    x = np.stack([photo(config.tile, config.tile, seed=k) for k in range(32)])
    tiles = torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32))
    evaluation.start(model, tiles, torch.Generator().manual_seed(seed))
    return built(PixelVAE, config, model.tensors())


def installed(name: str | None) -> PixelVAE:
    """The installed model of a name, or the one that is only started."""
    if name is None:
        return started()
    model = model_file.load(zoo.find(name))
    if not isinstance(model, PixelVAE):
        raise ValueError(f"{name} is no pixel VAE")
    return model


def pushed(coded: lockstep.Mixtures) -> Message:
    """A message of all that an encoder pushes."""
    message = Message(32)
    ends = np.cumsum(coded.batches)
    for first, end in zip(reversed(ends - coded.batches), reversed(ends), strict=True):
        part = MixtureParameters(*(p[first:end] for p in coded.parameters))
        LogisticMixture(part, 0, 255).push(message, coded.symbols[first:end])
    return message


def group(model: PixelVAE, count: int, side: int) -> tuple[Film | None, Pixels, NDArray[np.int32]]:
    """Film, pixels and sizes of whole tiles."""
    rng = np.random.default_rng(0)
    cells = side // model.tile
    x = np.stack([photo(side, side, seed=k) for k in range(count)])
    shape = count, *model.config.latents[:1], cells, cells
    z = rng.integers(-20, 20, shape).astype(np.int32) if model.config.latents else None
    sizes = np.tile(np.array([side, side, model.channels], np.int32), (count, 1))
    return model.film_of(z), x, sizes


def rates(
    engine: PixelKernel, model: PixelVAE, count: int, side: int, passes: int
) -> tuple[float, float, float]:
    """MB/s of mixtures and of popping, and bits/dim.

    Raises
    ------
    ValueError
        If pixels come back different.
    """
    found = coder.compiled()
    if found is None:
        raise ValueError("the coder's kernel is not compiled")
    film, x, sizes = group(model, count, side)
    message = pushed(engine.mixtures(model.net, film, x, sizes))
    popped = message.copy()

    def pop(message: Message) -> Pixels | None:
        work = lambda n: engine.pop(model.net, film, sizes, side, n)  # noqa: E731
        return found.pop_natively(message, work, 0, 256)

    back = pop(popped)
    if back is None or not np.array_equal(back, x):
        raise ValueError(f"{engine.variant}: pixels came back different")
    works = lambda: engine.mixtures(model.net, film, x, sizes), lambda: pop(message.copy())
    encode, decode = best(works, passes)
    bits = 32 * (len(message) - len(popped)) / x.size
    return x.size / encode / 1e6, x.size / decode / 1e6, bits


def slow(model: PixelVAE, count: int, side: int) -> float:
    """MB/s of mixtures by the reference."""
    film, x, sizes = group(model, count, side)
    planes = np.ascontiguousarray(x.transpose(0, 3, 1, 2)).astype(np.int32)
    (seconds,) = best([lambda: lockstep.mixtures(model.net, film, planes, sizes)], 1)
    return x.size / seconds / 1e6


def parse(text: str) -> tuple[int, int]:
    """Read ``TILESxSIDE``."""
    count, side = map(int, text.split("x"))
    return count, side


def main(given: Sequence[str] | None = None) -> None:
    """Print a table: MB/s of each variant, and of the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--groups", nargs="*", type=parse, default=GROUPS, metavar="TILESxSIDE")
    parser.add_argument("--model", help="an installed one")
    parser.add_argument("--variants", nargs="*", help="of the kernel; all by default")
    parser.add_argument("--reference", action="store_true", help="measure lockstep.py, too")
    arguments = parser.parse_args(given)
    torch.set_num_threads(1)
    model, compiled = installed(arguments.model), kernel.compiled()
    if compiled is None:
        parser.exit(1, "the kernel is not compiled\n")
    print(f"{'tiles':>12} {'variant':>10} {'mixtures':>9} {'pop':>9} {'bits/dim':>9}  (MB/s)")
    for count, side in arguments.groups:
        size = f"{count} x {side}^2"
        for variant in arguments.variants or compiled.variants:
            engine = PixelKernel(compiled.path, variant)
            encode, decode, bits = rates(engine, model, count, side, arguments.passes)
            print(f"{size:>12} {variant:>10} {encode:9.2f} {decode:9.2f} {bits:9.2f}")
        if arguments.reference and side == model.tile:
            print(f"{size:>12} {'reference':>10} {slow(model, count, side):9.2f}")


if __name__ == "__main__":
    main()
