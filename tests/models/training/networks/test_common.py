"""p(z_2) in training."""

import numpy as np

from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.training.networks.pixel_vae import PixelNetwork
from tests.conftest import telling


def test_a_network_starts_from_what_is_stored_of_z2() -> None:
    model = telling()
    random = np.random.default_rng(0)
    own = {
        "common.prior": np.stack((random.integers(-900, 900, 3), random.integers(20, 90, 3))),
        "common.centre": random.integers(0, 500, len(model.common.centre)),
    }
    tensors = model.tensors() | {name: array.astype(np.int32) for name, array in own.items()}
    network = PixelNetwork(model.config)
    network.start_from(built(PixelVAE, model.config, tensors))
    for name in own:
        assert np.array_equal(network.tensors()[name], tensors[name])
