"""What training of a JPEG VAE simulates is what codes."""

from typing import Any

import numpy as np
import pytest
import torch

from bitswap_cli.ans import LogisticMixture
from bitswap_models.exact.tensors import built
from bitswap_models.families.jpeg_vae.model import KINDS, JpegVAE
from bitswap_models.training.jpeg.blocks import batch_of, cells_of, planes
from bitswap_models.training.jpeg.statistics import fit
from bitswap_models.training.networks.jpeg_vae import JpegNetwork
from tests.models.families.jpeg_vae.small import FRAMES, config, picture

RANDOM = np.random.default_rng(2)
FILES = [(frame, picture(frame, RANDOM)) for frame in FRAMES]
PLANES = [planes(frame, [x.clip(-1024, 1023) for x in file]) for frame, file in FILES]


def batches(chroma: bool):  # type: ignore[no-untyped-def]
    """All cells of a kind."""
    some = [plane for file in PLANES for plane in file if plane.chroma == chroma]
    return batch_of([(plane, cell) for plane in some for cell in cells_of(plane)])


def started(latents: tuple[int, ...]) -> JpegNetwork:
    """A network whose scales are started by the data, with predictors that predict something."""
    torch.manual_seed(1)
    network = JpegNetwork(config(latents))
    for kind in network.kinds.values():
        torch.nn.init.normal_(kind.predictors, std=0.05)
    banks: list[Any] = [m for m in network.modules() if hasattr(m, "starting")]
    for bank in banks:
        bank.starting = True
    with torch.no_grad():
        for chroma, kind in enumerate(KINDS):
            batch = batches(bool(chroma))
            noise = torch.full((2, len(batch.pooled), *latents), torch.nan)
            noise[0] = 0
            network.terms(kind, batch, noise if latents else None)
    for bank in banks:
        bank.starting = False
    network.statistics = fit(PLANES)
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
    for chroma, kind in enumerate(KINDS):
        batch = batches(bool(chroma))
        batch = type(batch)(*(t.double() if t.is_floating_point() else t for t in batch))
        noise = torch.full((2, len(batch.pooled), *latents), torch.nan).double()
        noise[0] = 0
        with torch.no_grad():
            bits = float(network.terms(kind, batch, noise if latents else None)["likelihood"])
        assert bits == pytest.approx(exact[bool(chroma)], rel=3e-3)


def test_a_batch_is_sorted_by_last_coefficients() -> None:
    for chroma in (False, True):
        batch = batches(chroma)
        assert (batch.last.diff() <= 0).all()
        assert batch.local.shape[:2] == (64, len(batch.x))
        assert len(batch.pooled) == int(batch.cell.max()) + 1
