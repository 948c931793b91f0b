"""A network whose hidden units are put in another order says the same."""

import copy

import numpy as np
import pytest

from bitswap_models.exact.layers import Layer
from bitswap_models.families.pixel_vae.order import ordered
from bitswap_models.families.pixel_vae.pixel_net import PixelNet
from bitswap_models.families.pixel_vae.window import taps
from tests.conftest import MakeModel

WIDTH, SPLIT, LAYERS, COUNT = 24, 20, 3, 50


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("filmed", [False, True])
def test_the_same_is_said(make_model: MakeModel, channels: int, filmed: bool) -> None:
    net = small(make_model, channels)
    rng = np.random.default_rng(1)
    film = rng.integers(-99, 100, (COUNT, 2, LAYERS, WIDTH)).astype(np.int16) if filmed else None
    own = ordered(net, film)
    assert all(sorted(units) == list(range(WIDTH)) for units in own.units)
    other = copy.copy(net)
    other.trunk, other.splits, other.mixes, other.heads = (
        own.trunk,
        own.splits,
        own.mixes,
        own.heads,
    )
    other._coded = own.coded.parts(channels) if own.coded else ()
    moved = None if film is None else film[:, :, np.arange(LAYERS)[:, None], own.units]
    window = rng.integers(0, 256, (COUNT, len(taps(net.config.radius)), channels)).astype(np.int32)
    border = rng.integers(0, 2, (COUNT, 3 * net.config.radius)).astype(np.int32)
    known = rng.integers(0, 256, (COUNT, channels)).astype(np.int32)
    terms = [one.terms(window, border, under) for one, under in ((net, film), (other, moved))]
    for channel in range(channels):
        said = net.channel(channel, terms[0], known)
        for ours, theirs in zip(said, other.channel(channel, terms[1], known), strict=True):
            assert np.array_equal(ours, theirs)


def test_units_that_are_always_0_come_first(make_model: MakeModel) -> None:
    net = small(make_model, 3)
    dead = np.arange(3, WIDTH, 5)
    bias = net.trunk[1].bias.copy()
    bias[dead] = -(2**29)
    layer = net.trunk[1]
    net.trunk[1] = Layer(layer.shape, layer.weight, layer.scale, bias)
    units = ordered(net, None).units[1].tolist()
    alive = np.setdiff1d(np.arange(WIDTH), dead)
    assert max(map(units.index, dead)) < np.median(list(map(units.index, alive)))


def small(make_model: MakeModel, channels: int) -> PixelNet:
    model = make_model(kind="pixel_vae", channels=channels, width=WIDTH, split=SPLIT, layers=LAYERS)
    net: PixelNet = model.net
    return net
