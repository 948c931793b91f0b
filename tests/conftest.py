"""Small exact models with random weights: the laws of coding hold for them as for any."""

import signal
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bitswap_models.exact.model import ExactModel

if TYPE_CHECKING:
    from bitswap_models.training.network import Network

MakeModel = Callable[..., Any]  # of a class that only `kind` tells


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is cached is neither the user's nor left to him."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITSWAP_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
"""Of what trains or fits a model; all else runs without."""


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """Return ``make(kind, **config)``: an exact model whose layers were started on smooth tiles."""
    from bitswap_models.stored.model_file import build

    def make(seed: int = 0, kind: str = "markov_vae", **fields: object) -> ExactModel:
        return build(started(kind, seed, **fields))

    return make


def started(kind: str, seed: int = 0, /, **fields: object) -> "Network":
    """A small network of a family whose layers were started on smooth tiles."""
    torch = pytest.importorskip("torch")

    from bitswap_models.families import register
    from bitswap_models.training.evaluation import start

    torch.set_num_threads(1)
    family = register.find(kind)
    assert family
    config = family.config(**{**SMALL[kind], **fields})
    torch.manual_seed(seed)
    network: Network = family.network_class()(config)
    x = np.stack([smooth_tile(config.tile, config.channels, k) for k in range(16)])
    start(network, torch.from_numpy(x).float(), torch.Generator().manual_seed(seed))
    return network


def telling(seed: int = 0) -> Any:
    """A small exact pixel VAE with a z_2, which weighs something."""
    torch = pytest.importorskip("torch")

    from bitswap_models.stored.model_file import build

    network: Any = started("pixel_vae", seed, latents=(2,), common=3)
    with torch.no_grad():
        network.film[2].g.fill_(1.0)
        network.common.hidden.g.fill_(0.05)
    return build(network)


SMALL: dict[str, dict[str, object]] = {
    "markov_vae": {
        "tile": 8, "channels": 3, "latents": (2, 2), "width": 8, "posterior_blocks": 1,
        "feature_blocks": 1, "levels": 2, "level_width": 8, "hidden": 8,
    },
    "pixel_vae": {
        "tile": 8, "channels": 3, "latents": (3, 2), "encoder": 8, "link": 8, "radius": 2,
        "width": 16, "layers": 2, "split": 8, "components": 3,
    },
    "resnet_vae": {
        "tile": 8, "channels": 3, "latents": (2, 1, 2), "width": 8, "ends": 1, "hidden": 8,
    },
}  # fmt: skip


def smooth_tile(tile: int, channels: int, seed: int) -> np.ndarray:
    """A wave with noise, (C, H, W) int32 in 0..255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:tile, :tile]
    wave = 128 + 90 * np.sin(y / rng.uniform(1, 8) + x / rng.uniform(1, 8))
    pixels: np.ndarray = wave + rng.normal(0, 6, (channels, tile, tile))
    return pixels.clip(0, 255).astype(np.int32)


def heed_ctrl_c() -> None:
    """What is started by tests in the background of a script inherits that it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
