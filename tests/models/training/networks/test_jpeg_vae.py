"""What training of a JPEG VAE simulates is what codes."""

from typing import Any

import numpy as np
import pytest
import torch

from bitswap_cli.ans import LogisticMixture
from bitswap_models.exact.tensors import built
from bitswap_models.families.jpeg_vae.config import CELL
from bitswap_models.families.jpeg_vae.model import KINDS, JpegVAE
from bitswap_models.training.jpeg.blocks import Batch, Look
from bitswap_models.training.jpeg.planes import planes
from bitswap_models.training.jpeg.statistics import fit
from bitswap_models.training.networks.jpeg_vae import GROUPS, JpegNetwork
from tests.models.families.jpeg_vae.small import FRAMES, config, picture
from tests.models.training.jpeg.store import every, stored

RANDOM = np.random.default_rng(2)
FILES = [(frame, picture(frame, RANDOM)) for frame in FRAMES]
PLANES = [planes(frame, [x.clip(-1024, 1023) for x in file]) for frame, file in FILES]


def batch_of(chroma: bool) -> tuple[Batch, list[int]]:
    """All cells of a kind, and how many blocks have coefficients of each group."""
    store, some = stored(PLANES, chroma=chroma)
    places = every(store, some)
    rooms = store.counts(places, [first for first, _ in GROUPS])
    return Look(store, CELL)(places), [max(1, room) for room in rooms]


def terms(
    network: JpegNetwork, chroma: bool, latents: tuple[int, ...], dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Those of all cells of a kind, without chance."""
    batch, rooms = batch_of(chroma)
    batch = Batch(*(t.to(dtype) if t.is_floating_point() else t for t in batch))
    noise = torch.full((2, len(batch.pooled), *latents), torch.nan, dtype=dtype)
    noise[0] = 0
    with torch.no_grad():
        return network.terms(KINDS[chroma], batch, noise if latents else None, rooms)


def started(latents: tuple[int, ...]) -> JpegNetwork:
    """A network whose scales are started by the data, with predictors that predict something."""
    torch.manual_seed(1)
    network = JpegNetwork(config(latents))
    for kind in network.kinds.values():
        torch.nn.init.normal_(kind.predictors, std=0.05)
    banks: list[Any] = [m for m in network.modules() if hasattr(m, "starting")]
    for bank in banks:
        bank.starting = True
    for chroma in (False, True):
        terms(network, chroma, latents, torch.float32)
    for bank in banks:
        bank.starting = False
    network.statistics = fit(*(stored(PLANES, chroma=chroma)[0] for chroma in (False, True)))
    return network.double().eval()


@pytest.mark.parametrize("latents", [(), (3,)])
def test_bits_are_those_of_the_exact_model(latents: tuple[int, ...]) -> None:
    network = started(latents)
    model = built(JpegVAE, config(latents), network.tensors())
    frames, files = [f for f, _ in FILES], [[x.clip(-1024, 1023) for x in f] for _, f in FILES]
    told = model.lay(frames, [model.measure(x) for x in files])
    model.fill(told, files)
    z1 = None
    if latents:
        mean = model.posterior(told).mean  # what noise of 0 draws
        z1 = np.round(mean / 16).clip(-128, 127).astype(np.int32)
    exact = {False: 0.0, True: 0.0}
    for coded, (_, some, _) in zip(model.coded(told, z1), model._ranks(told, z1), strict=True):
        lasts = LogisticMixture(coded.of_lasts, *model.lasts).bits(coded.lasts).sum()
        symbols = LogisticMixture(coded.of_symbols, *model.symbols).bits(coded.symbols).sum()
        exact[some[0].chroma] += float(lasts + symbols)
    for chroma in (False, True):
        bits = float(terms(network, chroma, latents, torch.float64)["likelihood"])
        assert bits == pytest.approx(exact[chroma], rel=3e-3)


def test_room_for_more_blocks_changes_nothing() -> None:
    network = JpegNetwork(config(())).double().kinds["luma"]
    batch, rooms = batch_of(False)
    batch = Batch(*(t.double() if t.is_floating_point() else t for t in batch))
    with torch.no_grad():
        bits = float(network.bits(batch, None, rooms))
        more = [min(len(batch.x), room + 7) for room in rooms]
        assert float(network.bits(batch, None, more)) == pytest.approx(bits, rel=1e-12)
        fewer = [room // 2 for room in rooms]
        assert float(network.bits(batch, None, fewer)) < bits


@pytest.mark.parametrize("latents", [(), (3,)])
def test_what_is_frozen_is_thawed(latents: tuple[int, ...]) -> None:
    tensors = started(latents).tensors()
    network = JpegNetwork(config(latents)).double()
    network.thaw(built(JpegVAE, config(latents), tensors))
    again = network.tensors()
    assert again.keys() == tensors.keys()
    for name, array in tensors.items():
        if name.endswith((".weight", ".weights", "predictors", ".scales")):
            assert np.array_equal(again[name], array), name
        else:  # what a norm divides is rounded
            assert np.allclose(again[name], array, rtol=1e-5, atol=1), name
