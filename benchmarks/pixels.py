"""Speed of the pixel VAE's lockstep on one core: python benchmarks/pixels.py

Tiles are synthetic photos, the model is the default config, started on them but not trained: its
speed is that of any. Megabytes are raw pixels; each figure is the best of some passes, in the
thread's processor time. *mixtures* is what the encoder computes besides pushing, *pop* what the
decoder does, coder included.
"""

import argparse
import ctypes
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch
from kinds import photo
from numpy.typing import NDArray

from bitswap_cli.ans import LogisticMixture, Message, MixtureParameters
from bitswap_cli.ans import kernel as coder
from bitswap_models.exact import kernel
from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae import lockstep
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.pixels import PixelKernel
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


def seconds(work: Callable[[], object], passes: int) -> float:
    """Processor time of the fastest pass."""
    best = float("inf")
    for _ in range(passes):
        before = time.thread_time()
        work()
        best = min(best, time.thread_time() - before)
    return best


def pushed(coded: lockstep.Coded) -> Message:
    """A message of all that an encoder pushes."""
    message = Message(32)
    ends = np.cumsum(coded.batches)
    for first, end in zip(reversed(ends - coded.batches), reversed(ends), strict=True):
        part = MixtureParameters(*(p[first:end] for p in coded.parameters))
        LogisticMixture(part, 0, 255).push(message, coded.symbols[first:end])
    return message


def native(message: Message) -> SimpleNamespace:
    """A copy of the message's head, and its words, as the kernel reads them."""
    found = coder.compiled()
    assert found
    _, lanes, words, top, end = found._held(message)
    kept = message.head.copy()
    function = ctypes.cast(found._pop_logistic, ctypes.c_void_p).value
    return SimpleNamespace(
        function=function, head=kept.ctypes.data, kept=kept, lanes=lanes, words=words, top=top,
        end=end,
    )  # fmt: skip


def group(model: PixelVAE, count: int, side: int) -> tuple[Film | None, Pixels, NDArray[np.int32]]:
    """Film, pixels and sizes of whole tiles."""
    rng = np.random.default_rng(0)
    cells = side // model.tile
    x = np.stack([photo(side, side, seed=k) for k in range(count)])
    z = rng.integers(-20, 20, (count, model.config.latents[0], cells, cells)).astype(np.int32)
    sizes = np.tile(np.array([side, side, model.channels], np.int32), (count, 1))
    return model.film_of(z), x, sizes


def main() -> None:
    """Print a table: MB/s of each variant, and of the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--variants", nargs="*", help="of the kernel; all by default")
    parser.add_argument("--reference", action="store_true", help="measure lockstep.py, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, compiled = started(), kernel.compiled()
    assert compiled
    print(f"{'tiles':>12} {'variant':>10} {'mixtures':>9} {'pop':>9} {'bits/dim':>9}  (MB/s)")
    for count, side in GROUPS:
        film, x, sizes = group(model, count, side)
        size = f"{count} x {side}^2"
        for variant in arguments.variants or compiled.variants:
            engine = PixelKernel(compiled.path, variant)
            coded = engine.mixtures(model.net, film, x, sizes)
            message = pushed(coded)
            held = native(message)
            assert np.array_equal(engine.pop(model.net, film, sizes, side, held), x)
            encode = seconds(lambda: engine.mixtures(model.net, film, x, sizes), arguments.passes)  # noqa: B023
            decode = seconds(
                lambda: engine.pop(model.net, film, sizes, side, native(message)),  # noqa: B023
                arguments.passes,
            )
            bits = 32 * (held.end - native(message).top) / x.size
            print(
                f"{size:>12} {variant:>10} {x.size / encode / 1e6:9.2f}"
                f" {x.size / decode / 1e6:9.2f} {bits:9.2f}"
            )
        if arguments.reference and side == model.tile:
            planes = np.ascontiguousarray(x.transpose(0, 3, 1, 2)).astype(np.int32)
            slow = seconds(lambda: lockstep.mixtures(model.net, film, planes, sizes), 1)  # noqa: B023
            print(f"{size:>12} {'reference':>10} {x.size / slow / 1e6:9.2f}")


if __name__ == "__main__":
    main()
