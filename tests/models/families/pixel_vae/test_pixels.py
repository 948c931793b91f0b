"""The compiled lockstep computes what lockstep.py defines, and pops what was pushed."""

from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.ans import LogisticMixture, Message, MixtureParameters
from bitswap_cli.ans import kernel as coder
from bitswap_models.exact import kernel
from bitswap_models.exact.layers import Layer, Shape
from bitswap_models.exact.tensors import Blank
from bitswap_models.families.pixel_vae import lockstep
from bitswap_models.families.pixel_vae.lockstep import Mixtures
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.pixels import PixelKernel
from tests.conftest import MakeModel
from tests.native.compiler import needs_compiler, portable

COMPILED = kernel.compiled()
VARIANTS = COMPILED.variants if COMPILED else []
CODER = coder.compiled()
pytestmark = pytest.mark.skipif(not (VARIANTS and CODER), reason="no compiled kernel")

# (radius, channels, other fields): widths of whole panels and of others, chunks of many sizes
SHAPES: list[tuple[int, int, dict[str, int]]] = [
    (1, 3, {}),
    (2, 1, {"width": 10, "split": 6, "layers": 1}),
    (3, 3, {"width": 40, "split": 20, "layers": 3, "components": 5}),
    (2, 2, {"components": 7, "split": 16}),
    (3, 4, {"width": 70, "split": 33, "components": 16}),
    (5, 3, {"components": 1}),
    (1, 6, {"components": 5}),
    (2, 8, {"width": 20, "split": 10, "components": 9}),
    (1, 3, {"width": 150, "split": 100}),  # where products with what is 0 are left out
]


def using(variant: str) -> PixelKernel:
    assert COMPILED
    return PixelKernel(COMPILED.path, variant)


def group(
    model: PixelVAE, seed: int, *, tile: int, count: int, filmed: bool = True, coded: int = 0
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Film, pixels (B, C, T, T) and sizes of a random group, its first tile whole.

    Of some tiles one channel is coded, of the others `coded`, by default all.
    """
    coded = coded or model.channels
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (count, model.channels, tile, tile)).astype(np.int32)
    x = np.where(rng.random((count, 1, 1, 1)) < 0.5, x, 100 + x // 16)  # loud and quiet tiles
    sizes = rng.integers(1, tile + 1, (count, 3)).astype(np.int32)
    sizes[:, 2] = np.where(rng.random(count) < 0.4, 1, coded)
    sizes[0] = tile, tile, coded
    x[:, coded:] = x[:, :1]
    sizes[1:2, :2] = 1, tile
    gray = sizes[:, 2] == 1
    x[gray] = x[gray, :1]
    shape = (count, (tile // model.tile) ** 2, 2, model.config.layers, model.config.width)
    film = rng.integers(-200, 200, shape).astype(np.int16) if filmed else None
    if film is not None:
        film[0] = rng.integers(-32768, 32768, shape[1:])
    return film, x, sizes


class Loud(Blank):
    """Layers whose outputs reach every bound that there is."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)

    def layer(self, name: str, shape: Shape) -> Layer:
        """Draw a layer."""
        rng = self.random
        weight = rng.integers(-127, 128, shape.weights) * shape.mask
        weight = np.where(weight < 0, -1, 1) if shape.binary else weight
        reach = np.maximum(np.abs(weight).sum((1, 2, 3)) * shape.reach, 1)
        scale = rng.uniform(-1, 1, len(reach)) * 2**30 / reach
        bias = rng.integers(-(2**30), 2**30, len(reach))
        return Layer(shape, weight.astype(np.int8), scale.astype(np.int32), bias.astype(np.int32))


def arrays(coded: Mixtures) -> list[np.ndarray]:
    return [coded.symbols, *coded.parameters, coded.owner, coded.batches]


def same(a: Mixtures, b: Mixtures) -> None:
    for ours, theirs in zip(arrays(a), arrays(b), strict=True):
        assert ours.dtype == theirs.dtype == np.int32
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("radius", "channels", "fields"), SHAPES)
@pytest.mark.parametrize("extreme", [False, True])
def test_mixtures_are_the_definition(
    make_model: MakeModel,
    variant: str,
    radius: int,
    channels: int,
    fields: dict[str, int],
    extreme: bool,
) -> None:
    model = make_model(kind="pixel_vae", radius=radius, channels=channels, **fields)
    model = PixelVAE(model.config, Loud(radius)) if extreme else model
    some = max(1, channels - 1)
    for count, tile, filmed, told in (
        (7, 8, True, 0),
        (3, 24, not extreme, 0),
        (5, 16, True, some),
        (6, 16, True, 1),
    ):
        film, x, sizes = group(model, radius, tile=tile, count=count, filmed=filmed, coded=told)
        pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.uint8)
        coded = using(variant).mixtures(model.net, film, pixels, sizes)
        same(coded, lockstep.mixtures(model.net, film, x, sizes))
        if CODER:
            found = using(variant).intervals(model.net, film, pixels, sizes, CODER.intervals)
            codec = LogisticMixture(coded.parameters, 0, 255)
            expected = (*codec.intervals(coded.symbols), coded.owner, coded.batches)
            assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@needs_compiler
def test_c_without_any_machine_s_instructions_is_the_definition(
    make_model: MakeModel, tmp_path: Path
) -> None:
    """What processors compile whose instructions we do not know."""
    plain = PixelKernel(portable(tmp_path))
    assert plain.variant == "plain"
    model = make_model(kind="pixel_vae", width=40, split=20)
    film, x, sizes = group(model, 0, tile=16, count=3)
    pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.uint8)
    same(
        plain.mixtures(model.net, film, pixels, sizes),
        lockstep.mixtures(model.net, film, x, sizes),
    )


def pushed(coded: Mixtures, lanes: int) -> Message:
    message = Message(lanes)
    ends = np.cumsum(coded.batches)
    for first, end in zip(reversed(ends - coded.batches), reversed(ends), strict=True):
        part = MixtureParameters(*(p[first:end] for p in coded.parameters))
        LogisticMixture(part, 0, 255).push(message, coded.symbols[first:end])
    return message


def native(message: Message) -> coder.Native:
    """A message as the kernel reads it; `head` is changed in place, by the caller's leave."""
    assert CODER
    return coder.Native(CODER._native, *CODER._held(message))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("radius", "channels", "fields"), SHAPES)
def test_pop_inverts_push(
    make_model: MakeModel, variant: str, radius: int, channels: int, fields: dict[str, int]
) -> None:
    model = make_model(kind="pixel_vae", radius=radius, channels=channels, **fields)
    some = max(1, channels - 1)
    for count, tile, lanes, told in (
        (40, 8, 32, 0), (3, 24, 8, 0), (1, 16, 1, 0), (9, 8, 8, some), (5, 16, 8, 1)
    ):  # fmt: skip
        film, x, sizes = group(model, count, tile=tile, count=count, filmed=count != 3, coded=told)
        pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.uint8)
        engine = using(variant)
        message = pushed(engine.mixtures(model.net, film, pixels, sizes), lanes)
        held = native(message)
        decoded = engine.pop(model.net, film, sizes, tile, held)
        grid = np.arange(tile)
        valid = (grid[:, None] < sizes[:, 0, None, None]) & (grid < sizes[:, 1, None, None])
        assert np.array_equal(decoded, pixels * valid[..., None])
        message._top = held.top
        assert message == Message(lanes)


def test_errors_of_the_coder_come_back(make_model: MakeModel) -> None:
    model = make_model(kind="pixel_vae")
    film, x, sizes = group(model, 0, tile=8, count=2)
    held = native(Message(8))
    using(VARIANTS[-1]).pop(model.net, film, sizes, 8, held)
    assert held.top == -1  # underflow


def test_a_group_may_be_empty(make_model: MakeModel) -> None:
    model = make_model(kind="pixel_vae")
    nothing = np.zeros((0, 8, 8, 3), np.uint8), np.zeros((0, 3), np.int32)
    coded = using(VARIANTS[-1]).mixtures(model.net, None, *nothing)
    assert len(coded.symbols) == len(coded.batches) == 0


def test_wrong_shapes_never_reach_the_kernel(make_model: MakeModel) -> None:
    model = make_model(kind="pixel_vae")
    film, x, sizes = group(model, 0, tile=8, count=2)
    pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.uint8)
    engine = using(VARIANTS[-1])
    assert film is not None
    two, high = sizes.copy(), sizes.copy()
    two[0, 2], high[1, 0] = 2, 9
    wrong = (
        (film[:1], pixels, sizes), (film[..., 1:], pixels, sizes), (film, pixels[:1], sizes),
        (film, pixels[..., 1:], sizes), (film, pixels[:, :4, :4], sizes), (film, pixels, two),
        (film, pixels, high), (film, pixels, sizes[:, :2]),
    )  # fmt: skip
    for arguments in wrong:
        with pytest.raises(ValueError, match="shape|sizes|tiles"):
            engine.mixtures(model.net, *arguments)
    with pytest.raises(ValueError, match="tiles"):
        engine.pop(model.net, film, sizes, 12, native(Message(8)))


def test_models_keep_their_packed_weights(make_model: MakeModel) -> None:
    engine, models = using(VARIANTS[-1]), [make_model(kind="pixel_vae", seed=k) for k in (1, 2)]
    film, x, sizes = group(models[0], 0, tile=8, count=2)
    pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.uint8)
    for model in models * 2:
        same(
            engine.mixtures(model.net, film, pixels, sizes),
            lockstep.mixtures(model.net, film, x, sizes),
        )
    assert len(engine._networks) == 2


def test_gray_tiles_have_a_network_of_their_own_where_sums_of_weights_have_room(
    make_model: MakeModel,
) -> None:
    engine = using(VARIANTS[-1])
    for channels, radius in ((1, 5), (3, 5), (8, 5), (8, 1)):
        model = make_model(kind="pixel_vae", channels=channels, radius=radius)
        sizes = np.tile(np.array([8, 8, 1], np.int32), (2, 1))
        pixels = np.zeros((2, 8, 8, channels), np.uint8)
        engine.mixtures(model.net, None, pixels, sizes)
        least = 128 * channels * 2 * radius * (radius + 1)
        gray = channels > 1 and least < 1 << 15 and engine.variant != "amx"
        assert (model.net in engine._gray) == gray
