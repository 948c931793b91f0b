"""The compiled lockstep against its definition, for every set of instructions of this machine."""

import numpy as np
import pytest

from bitswap_models.exact import kernel as layers
from bitswap_models.families.jpeg_vae import lockstep
from bitswap_models.families.jpeg_vae.kernel import BlockKernel
from tests.models.families.jpeg_vae.small import FRAMES, model, picture

FOUND = layers.chosen()


def kernel(name: str) -> BlockKernel:
    """The compiled lockstep with a set of instructions."""
    assert FOUND is not None
    return BlockKernel(FOUND.path, name)


def variants() -> list[str]:
    """Those that this machine has."""
    found = []
    for name in layers.VARIANTS if FOUND else ():
        try:
            found.append(kernel(name).variant)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("latents", [(), (3,)])
@pytest.mark.parametrize("spread", [0.3, 6.0, 400.0])
def test_all_sets_of_instructions_give_the_same_integers(
    latents: tuple[int, ...], spread: float
) -> None:
    random, made = np.random.default_rng(1), model(latents)
    pictures = [[x.clip(*made.values) for x in picture(frame, random, spread)] for frame in FRAMES]
    planes = made.lay(FRAMES, [made.measure(x) for x in pictures])
    made.fill(planes, pictures)
    z1 = None
    if latents:
        z1 = random.integers(-128, 128, (len(made.owners(planes)), *latents)).astype(np.int32)
    for net, some, films in made._ranks(planes, z1):
        expected = lockstep.mixtures(net, some, films)
        for name in variants():
            told = kernel(name).mixtures(net, some, films)
            for field, ours, theirs in zip(told._fields, told, expected, strict=True):
                assert np.array_equal(np.asarray(ours), np.asarray(theirs)), (name, field)


@pytest.mark.parametrize("spread", [0.3, 6.0, 400.0])
def test_all_sets_of_instructions_learn_the_same(spread: float) -> None:
    random, made = np.random.default_rng(2), model()
    pictures = [[x.clip(*made.values) for x in picture(frame, random, spread)] for frame in FRAMES]
    planes = made.lay(FRAMES, [made.measure(x) for x in pictures])
    made.fill(planes, pictures)
    for net, some, films in made._ranks(planes, None):
        expected = lockstep.decided(net, some, films)
        assert len(expected.told)
        for name in variants():
            told = kernel(name).decided(net, some, films)
            for field, ours, theirs in zip(told._fields, told, expected, strict=True):
                assert np.array_equal(np.asarray(ours), np.asarray(theirs)), (name, field)


def test_there_is_a_set_of_instructions() -> None:
    assert FOUND is None or variants()
