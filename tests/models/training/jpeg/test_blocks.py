"""Blocks of a store are seen as the coder sees them."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bitswap_models.families.jpeg_vae import latents
from bitswap_models.families.jpeg_vae.config import CELL
from bitswap_models.families.jpeg_vae.features import dequantized, last_of
from bitswap_models.families.jpeg_vae.network import inputs_of, local_inputs
from bitswap_models.families.jpeg_vae.planes import Wave, surroundings
from bitswap_models.families.jpeg_vae.tables import signed, tables
from bitswap_models.training.jpeg.blocks import GUESSES, Look
from bitswap_models.training.jpeg.planes import planes
from tests.models.families.jpeg_vae.small import FRAMES, picture
from tests.models.training.jpeg.store import every, stored

RANDOM = np.random.default_rng(5)
FILES = [
    planes(frame, [x.clip(-1024, 1023) for x in picture(frame, RANDOM, spread)])
    for frame in FRAMES
    for spread in (0.3, 6.0, 700.0)
]


@pytest.mark.parametrize("chroma", [False, True])
def test_all_is_seen_as_the_coder_sees_it(chroma: bool) -> None:
    store, some = stored(FILES, chroma=chroma)
    places = every(store, some)
    batch = Look(store, CELL)(places)
    there = places.inside
    assert int(there.sum()) == sum(plane.x.shape[0] * plane.x.shape[1] for plane in some)
    wave = Wave(*(t[there].numpy() for t in places[:3]))
    x = np.stack([some[p].x[r, c] for p, r, c in zip(*wave, strict=True)])
    last = last_of(x)
    seen = surroundings(some, [plane.x for plane in some], wave)
    nothing = np.zeros((len(x), 2), np.int32)
    local = np.stack([local_inputs(k, seen, last, nothing, chroma=chroma) for k in range(64)])
    local = np.delete(local, np.s_[GUESSES : GUESSES + 4], 2)
    steps = np.stack([plane.component.steps for plane in some])[wave.plane]
    expected: dict[str, NDArray[np.integer]] = {
        "inputs": inputs_of(seen, chroma=chroma), "logs": signed(tables().log, x[:, 1:]),
        "border": seen.blocks.border, "grays": dequantized(x, steps), "mean": seen.blocks.mean,
        "reciprocal": seen.reciprocal, "x": x, "last": last, "statistics": seen.statistics,
    }  # fmt: skip
    for name, array in expected.items():
        assert np.array_equal(getattr(batch, name)[there].numpy(), array), name
    assert np.array_equal(batch.local[:, :, there].permute(0, 2, 1).numpy(), local)
    pooled = np.concatenate([latents.pooled(plane.x) for plane in some])
    picture_of = [latents.picture_inputs(p).repeat(len(latents.pooled(p.x)), 0) for p in some]
    assert np.array_equal(batch.pooled.numpy(), pooled)
    assert np.array_equal(batch.picture.numpy(), np.concatenate(picture_of))
    assert there[: len(x)].all()  # those that are not there are last
    assert (batch.last[: len(x)].diff() <= 0).all()


@pytest.mark.parametrize("side", [1, CELL])
def test_blocks_are_drawn_from_all_that_there_are(side: int) -> None:
    store, some = stored(FILES, chroma=False)
    store.weight[0] = 0
    places = store.draw(1 << 17, side, torch.Generator().manual_seed(3))
    drawn = {tuple(p) for p in torch.stack(places[:3], 1)[places.inside].tolist()}
    assert drawn == {
        (slot, row, column)
        for slot, plane in enumerate(some) if slot
        for row in range(plane.x.shape[0]) for column in range(plane.x.shape[1])
    }  # fmt: skip
    assert (torch.bincount(places.cell) == side**2).all()
