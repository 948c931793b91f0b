"""What training simulates is what codes: float64, numpy and C give the same integers."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bitswap_cli.ans import LogisticParameters, MixtureParameters
from bitswap_cli.contract import Level, Plane, Step
from bitswap_models.exact import kernel
from bitswap_models.exact.latents import middle
from bitswap_models.exact.mixtures import weights_of
from bitswap_models.families.markov_vae import MarkovVAE
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.window import UNKNOWN, borders, places
from bitswap_models.families.resnet_vae import ResNetVAE
from bitswap_models.stored.model_file import build
from bitswap_models.training.bits import mixture
from bitswap_models.training.layers import layers
from tests.conftest import smooth_tile, started
from tests.models.engines import using

COMPILED = kernel.compiled()
ENGINES = [None, COMPILED] if COMPILED else [None]
SLOW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
channels = st.integers(1, 4)
latents = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)


def double(kind: str, **fields: object) -> Any:
    """A network in float64; blocks that start at gain 0 have another."""
    network = started(kind, **fields).double()
    for layer in layers(network).values():
        if not layer.spread:
            torch.nn.init.constant_(layer.g, 0.3)
    return network


def pictures(network: Any, count: int = 5) -> tuple[np.ndarray, Tensor]:
    """Tiles as the coder has them, and as training has."""
    x = np.stack([smooth_tile(network.tile, network.channels, 50 + k) for k in range(count)])
    x[0] = np.random.default_rng(0).integers(0, 256, x[0].shape)
    return x, torch.from_numpy(x).double()


def simulated(*told: Tensor) -> list[np.ndarray]:
    return [t.detach().numpy() for t in told]


def same(exact: tuple[np.ndarray, ...], others: list[np.ndarray]) -> None:
    for one, other in zip(exact, others, strict=True):
        assert one.dtype == np.int32
        assert np.array_equal(one, np.broadcast_to(other, one.shape))


def same_mixtures(exact: MixtureParameters, terms: Iterable[Tensor], axis: int) -> None:
    """Mixtures whose components are along an axis of the simulated ones."""
    parts = [np.moveaxis(a, axis, -1) for a in simulated(*terms)]
    same(exact, [weights_of(parts[0].astype(np.int32)), *parts[1:]])


def same_chain(network: Any, model: Any, x: np.ndarray) -> np.ndarray | None:
    """Compare all distributions of latents; returns z_1."""
    z = [x]
    with torch.no_grad():
        for layer in range(1, model.depth + 1):
            q: LogisticParameters = model.posterior(layer, z[-1])
            same(q, simulated(*network._posterior(layer, torch.from_numpy(z[-1]).double())))
            z.append(middle(q))
        for layer in range(1, model.depth):
            p = model.prior(layer, z[layer + 1])
            same(p, simulated(*network._prior(layer, torch.from_numpy(z[layer + 1]).double())))
    if not model.depth:
        return None
    same(model.top_prior(1), [t[None, :, None, None] for t in simulated(*network.top_integers())])
    return z[1]


def same_shapes(network: Any, model: Any) -> None:
    """Layers of the same names are of the same shapes in both."""
    simulated = {name: layer.shape for name, layer in layers(network).items()}
    assert simulated == {name: layer.shape for name, layer in model.layers.items()}


@SLOW
@given(channels=channels, latents=latents, levels=st.integers(0, 3), bound=st.integers(30, 127))
def test_the_markov_vae(channels: int, latents: tuple[int, ...], levels: int, bound: int) -> None:
    network = double(
        "markov_vae", channels=channels, latents=latents, levels=levels, widest_posterior=bound
    )
    model, (x, floats) = build(network), pictures(network)
    assert isinstance(model, MarkovVAE)
    same_shapes(network, model)
    planes: dict[Plane, tuple[Tensor, ...]] = {}

    def see(head: Any, trunk: Tensor, ref: Tensor, plane: Plane) -> Tensor:
        pixels = floats[:, :, plane.top :: plane.stride, plane.left :: plane.stride]
        out = head(trunk, pixels - ref)
        planes[plane] = mixture(out, ref, pixels - ref, network.config.components)
        return pixels

    def code(step: Step) -> np.ndarray:
        same_mixtures(step.parameters, (t[:, step.channel] for t in planes[step.plane]), axis=1)
        top, left, stride = step.plane
        return x[:, step.channel, top::stride, left::stride]

    for engine in ENGINES:
        with using(engine):
            z1 = same_chain(network, model, x)
            assert z1 is not None
            with torch.no_grad():
                network._likelihood(torch.from_numpy(z1).double(), see)
            model.likelihood(z1, code)
    assert len(planes) == 1 + 3 * levels


@SLOW
@given(
    channels=channels,
    latents=latents,
    bits=st.tuples(st.sampled_from([1, 8]), st.sampled_from([1, 8])),
    ends=st.sampled_from([(0, 1), (1, 3), (2, 5)]),
)
def test_the_resnet_vae(
    channels: int, latents: tuple[int, ...], bits: tuple[int, int], ends: tuple[int, int]
) -> None:
    network = double(
        "resnet_vae", channels=channels, latents=latents, weight_bits=bits[0],
        activation_bits=bits[1], ends=ends[0], ends_size=ends[1],
    )  # fmt: skip
    model, (x, floats) = build(network), pictures(network)
    assert isinstance(model, ResNetVAE)
    same_shapes(network, model)
    for engine in ENGINES:
        with using(engine), torch.no_grad():
            seen, ups = model.bottom_up(x), network._up(floats)
            drawn: dict[int, np.ndarray] = {}
            told: dict[int, tuple[LogisticParameters, LogisticParameters]] = {}

            def code(level: Level) -> np.ndarray:
                q = model.posterior(level, seen)  # noqa: B023
                told[level.layer] = level.prior, q  # noqa: B023
                drawn[level.layer] = middle(q)  # noqa: B023
                return drawn[level.layer]  # noqa: B023

            def see(layer: int, stream: Tensor | None, prior: tuple[Tensor, Tensor]) -> Tensor:
                q = network._layer(layer).q(prior, ups[layer - 1], stream)  # noqa: B023
                same(told[layer][0], simulated(*prior))  # noqa: B023
                same(told[layer][1], simulated(*q))  # noqa: B023
                return torch.from_numpy(drawn[layer]).double()  # noqa: B023

            stream = model.descend(len(x), model.tile // model.stride, code)
            trunk = network._trunk(network._down(see))
            ref = torch.full_like(floats, 128)
            out = network.head(trunk, floats - ref)
            terms = mixture(out, ref, floats - ref, network.config.components)

            def check(step: Step) -> np.ndarray:
                same_mixtures(step.parameters, (t[:, step.channel] for t in terms), axis=1)  # noqa: B023
                return x[:, step.channel]

            model.likelihood(stream, check)


@SLOW
@given(
    channels=st.integers(1, 8),
    latents=st.one_of(st.just(()), latents),
    radius=st.integers(1, 5),
    layers_=st.integers(1, 3),
    components=st.integers(1, 7),
    width=st.sampled_from([10, 16, 33]),
    bounded=st.booleans(),
)
def test_the_pixel_vae(
    channels: int, latents: tuple[int, ...], radius: int, layers_: int, components: int, width: int,
    bounded: bool,
) -> None:  # fmt: skip
    network = double(
        "pixel_vae", channels=channels, latents=latents, radius=radius, layers=layers_,
        components=components, width=width, bounded=int(bounded and len(latents) == 1),
    )  # fmt: skip
    model, (x, _) = build(network), pictures(network)
    assert isinstance(model, PixelVAE)
    tile = model.tile
    same_shapes(network, model)
    y, column = np.divmod(np.arange(tile**2), tile)
    at = places(y, column, tile, radius)
    window = x.transpose(0, 2, 3, 1)[:, at[0], at[1]]  # (B, T * T, taps, C)
    window[:, at[0][:, 0] < 0] = UNKNOWN
    window = window.reshape(-1, *window.shape[2:])
    border = np.tile(borders(y, column, tile, radius), (len(x), 1)).astype(np.int32)
    known = x.transpose(0, 2, 3, 1).reshape(-1, channels)
    for engine in ENGINES:
        with using(engine), torch.no_grad():
            z1 = same_chain(network, model, x)
            film, gains, mine = model.film_of(z1), None, None
            if z1 is not None:
                assert film is not None
                gains = network.modulation(torch.from_numpy(z1).double())
                assert np.array_equal(film[:, 0], gains.numpy())
                mine = np.repeat(film[:, 0], tile**2, 0)
            terms = model.net.terms(window, border, mine)
            floats = (torch.from_numpy(a).double() for a in (window, border))
            others = network.net.terms(*floats, gains)
            pixels = torch.from_numpy(known.T.copy()).double()
            for c in range(channels):
                told = model.net.channel(c, terms, known)
                same_mixtures(told, network.net.channel(c, others, pixels), axis=0)


class _Heard:
    """Keeps all that a model tells."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def tiles(self, *arrays: np.ndarray) -> None:
        self.arrays += arrays

    def once(self, array: np.ndarray) -> None:
        self.arrays.append(array)


@pytest.mark.skipif(not COMPILED, reason="no compiled kernel")
@pytest.mark.parametrize("kind", ["markov_vae", "pixel_vae", "resnet_vae"])
@pytest.mark.parametrize("channels", [1, 3])
def test_all_that_a_model_tells_is_the_same_in_c_and_numpy(kind: str, channels: int) -> None:
    network = started(kind, channels=channels)
    model, (x, _) = build(network), pictures(network)
    heard = []
    for engine in ENGINES:
        with using(engine):
            heard.append(_Heard())
            model.tell(x, heard[-1])
    one, other = (h.arrays for h in heard)
    assert len(one) == len(other) > 4
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
