"""Latents are drawn in training as the coder pops them."""

import numpy as np
import pytest
import torch

from bitswap_cli.ans import Logistic, LogisticParameters, Message
from bitswap_models.training.latents import draw, latent_noise

COUNT = 400_000


@pytest.mark.parametrize("scale", [0, 10, 25, 40, 64, 100, 127])
def test_drawing_is_popping_random_bits(scale: int) -> None:
    """The same distribution, strays included: quantiles, and mean squares where they are rare."""
    rng = np.random.default_rng(scale)
    mean = rng.integers(-400, 400, COUNT).astype(np.int32)
    parameters = LogisticParameters(mean, np.full(COUNT, scale, np.int32))
    message = Message.with_bottom(rng.bytes(8 * COUNT), 32)
    popped = Logistic(parameters, -128, 127).pop(message)
    noise = latent_noise((COUNT,), torch.Generator().manual_seed(scale))
    mean_, scale_ = map(torch.from_numpy, parameters)
    drawn = draw(mean_, scale_, noise).numpy()
    errors = [np.abs(z - mean / 16) for z in (popped, drawn)]
    for share in (0.1, 0.5, 0.9, 0.99):
        first, second = (np.quantile(e, share) for e in errors)
        assert first == pytest.approx(second, rel=0.03, abs=0.1)
    far = [float((e > 20 + 20 * 2.0 ** ((scale - 40) / 12)).mean()) for e in errors]
    assert far[0] == pytest.approx(far[1], rel=0.4, abs=1e-5)
    if scale <= 64:
        assert far[0] > 5e-5  # strays
    assert drawn.min() >= -128 and drawn.max() <= 127
