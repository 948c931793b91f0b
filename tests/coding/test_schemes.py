"""Bit-Swap and BB-ANS: the codec law over whole models, equal bytes, initial bits."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitswap_cli.ans import Logistic, LogisticParameters, Message
from bitswap_cli.coding import SCHEMES, tile_codec
from bitswap_cli.coding.chunk import GROUP, groups, lane_count
from bitswap_cli.coding.group import Geometry, Group
from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_models.exact.model import ExactModel
from bitswap_models.families import register
from bitswap_models.families.family import Family
from tests.conftest import MakeModel

PIXELS = {"kind": "pixel_vae"}
RESNET = {"kind": "resnet_vae"}
PAYLOAD = bytes(range(256)) * 8
RELAXED = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def smooth(count: int, model: ExactModel, seed: int = 0) -> np.ndarray:
    """Tiles (N, H, W, C) uint8: ramps with noise."""
    rng = np.random.default_rng(seed)
    ramp = np.arange(model.tile)[:, None] * rng.uniform(0, 9, (count, 1, 1))
    noise = rng.normal(0, 5, (count, model.tile, model.tile, model.channels))
    return (60 + ramp[..., None] + noise).clip(0, 255).astype(np.uint8)


def whole(tiles: np.ndarray) -> np.ndarray:
    return np.tile(np.array(tiles.shape[1:], np.int32), (len(tiles), 1))


def valid_equal(a: np.ndarray, b: np.ndarray, sizes: np.ndarray) -> bool:
    return all(
        np.array_equal(p[:h, :w, :c], q[:h, :w, :c])
        for p, q, (h, w, c) in zip(a, b, sizes, strict=True)
    )


def schemes(family: Family) -> Sequence[str]:
    assert isinstance(family.model, type) and issubclass(family.model, ExactModel)
    return family.model.schemes


FOUND = {
    name: register.find(name)
    for name in register.names(lambda family: family.codes and family.subject == "tiles")
}
FAMILIES = {name: family for name, family in FOUND.items() if family}
CODED = [(name, s) for name, family in sorted(FAMILIES.items()) for s in schemes(family)]
kinds_and_schemes = pytest.mark.parametrize("kind, scheme", CODED)


CONFIGS: list[dict[str, Any]] = [
    {}, {"channels": 1}, {"levels": 0}, {"latents": (2,)}, {"latents": (1, 2, 3, 2)},
    PIXELS, {**PIXELS, "channels": 1}, {**PIXELS, "latents": ()}, {**PIXELS, "latents": (2,)},
    {**PIXELS, "radius": 1},
    RESNET, {**RESNET, "channels": 1}, {**RESNET, "latents": (3,)},
    {**RESNET, "weight_bits": 8, "activation_bits": 8}, {**RESNET, "activation_bits": 8},
]  # fmt: skip


@pytest.mark.parametrize(
    "config, scheme",
    [(c, s) for c in CONFIGS for s in schemes(FAMILIES[c.get("kind", "markov_vae")])],
)
@RELAXED
@given(data=st.data())
def test_tiles_and_message_come_back(
    make_model: MakeModel, config: dict[str, Any], scheme: str, data: st.DataObject
) -> None:
    """pop(push(message, x)) == (message, x) for any message and tiles of any valid size."""
    model = CACHE.setdefault(str(config), None) or make_model(**config)
    CACHE[str(config)] = model
    count = data.draw(st.integers(1, 5))
    side = st.integers(1, model.tile)
    sizes = np.array(
        [
            (data.draw(side), data.draw(side), data.draw(st.sampled_from([1, model.channels])))
            for _ in range(count)
        ],
        np.int32,
    )
    seed = data.draw(st.integers(0, 999))
    tiles = np.random.default_rng(seed).integers(0, 256, (count, *whole(smooth(1, model))[0]))
    codec = tile_codec(model, scheme, 64)
    message = Message.with_bottom(data.draw(st.binary(max_size=64)), 8)
    if data.draw(st.booleans()):  # a message with a past
        Logistic(LogisticParameters(*np.full((2, 40), 60, np.int32)), -128, 127).pop(message)
    before = message.copy()
    group = Group(message, model, sizes)
    x = codec._extended(group, tiles.astype(np.uint8))
    SCHEMES[scheme].push(group, x)
    assert np.array_equal(SCHEMES[scheme].pop(Group(message, model, sizes)), x)
    assert np.array_equal(message.head, before.head)
    common = min(len(message.tail), len(before.tail))  # the bottom may have been laid deeper
    assert np.array_equal(message.tail[:common], before.tail[:common])


CACHE: dict[str, Any] = {}


@kinds_and_schemes
def test_chunks_come_back_with_their_payload(make_model: MakeModel, kind: str, scheme: str) -> None:
    model = make_model(kind=kind)
    tiles = smooth(150, model)
    sizes = whole(tiles)
    sizes[::3, 0], sizes[1::4, 1], sizes[::5, 2] = 3, 5, 1
    codec = tile_codec(model, scheme, 64)
    encoded = codec.encode(tiles, sizes, PAYLOAD)
    restored, payload = codec.decode(encoded.words, sizes)
    assert valid_equal(tiles, restored, sizes)
    assert payload[: encoded.payload_used] == PAYLOAD[: encoded.payload_used]
    assert encoded.payload_used > 0


@pytest.mark.parametrize("factor", [2, 4])
@kinds_and_schemes
def test_larger_tiles_come_back(make_model: MakeModel, kind: str, scheme: str, factor: int) -> None:
    model = make_model(kind=kind)
    side = model.tile * factor
    tiles = np.random.default_rng(0).integers(0, 256, (9, side, side, 3)).astype(np.uint8)
    sizes = whole(tiles)
    sizes[::2] = (side - 3, 5, 3)
    codec = tile_codec(model, scheme, 64)
    encoded = codec.encode(tiles, sizes, PAYLOAD)
    restored, payload = codec.decode(encoded.words, sizes, factor)
    assert valid_equal(tiles, restored, sizes)
    assert payload[: encoded.payload_used] == PAYLOAD[: encoded.payload_used]


@kinds_and_schemes
def test_what_is_not_coded_has_no_influence(make_model: MakeModel, kind: str, scheme: str) -> None:
    model = make_model(kind=kind)
    tiles = smooth(6, model)
    sizes = np.array([(3, 8, 3), (8, 1, 3), (5, 5, 1), (1, 1, 3), (7, 2, 1), (8, 8, 3)], np.int32)
    other = np.random.default_rng(0).integers(0, 256, tiles.shape, np.uint8)
    for tile, noisy, (h, w, c) in zip(tiles, other, sizes, strict=True):
        noisy[:h, :w, :c] = tile[:h, :w, :c]
    codec = tile_codec(model, scheme, 64)
    assert codec.encode(tiles, sizes, b"").words == codec.encode(other, sizes, b"").words


@pytest.mark.parametrize("extent", [(8, 8, 3), (3, 8, 3), (1, 1, 3), (5, 2, 1)])
def test_extension_needs_only_planes_already_decoded(
    make_model: MakeModel, extent: tuple[int, int, int]
) -> None:
    model = make_model()
    x = np.random.default_rng(0).integers(0, 256, (1, 3, 8, 8)).astype(np.int32)
    geometry = Geometry(np.array([extent], np.int32), 8, 3, model.stride)
    encoder, decoder = x.copy(), np.full_like(x, -1)
    for plane in model.planes:
        for channel in range(3):
            rows = slice(plane.top, None, plane.stride)
            where = (slice(None), channel, rows, slice(plane.left, None, plane.stride))
            mask = geometry.pixels(plane, channel)
            inside = np.ones(x[where].shape, bool) if mask is None else mask
            decoder[where] = np.where(inside, x[where], -1)
            geometry.extend(decoder, plane, channel)
            geometry.extend(encoder, plane, channel)
            assert (decoder[where] >= 0).all()
    assert np.array_equal(encoder, decoder)


@kinds_and_schemes
def test_bytes_are_equal_across_batches_and_threads(
    make_model: MakeModel, kind: str, scheme: str
) -> None:
    models = [make_model(kind=kind) for _ in range(3)]
    tiles = smooth(20, models[0])

    def coded(model: ExactModel, batch: int) -> bytes:
        codec = tile_codec(model, scheme, batch)
        encoded = codec.encode(tiles, whole(tiles), PAYLOAD)
        assert valid_equal(tiles, codec.decode(encoded.words, whole(tiles))[0], whole(tiles))
        return encoded.words

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(coded, models, (1, 7, 64)))
        assert len({*together, *map(coded, models, (1, 7, 64))}) == 1


ELSEWHERE = """
import sys, hashlib, numpy as np
from pathlib import Path
from bitswap_models.stored import model_file
from bitswap_cli.coding import tile_codec
model = model_file.load(Path(sys.argv[1]))
tiles = np.load(sys.argv[2])
sizes = np.tile(np.array(tiles.shape[1:], np.int32), (len(tiles), 1))
encoded = tile_codec(model).encode(tiles, sizes, b"")
back, _ = tile_codec(model).decode(encoded.words, sizes)
print(hashlib.sha256(encoded.words).hexdigest(), np.array_equal(back, tiles))
"""


WIDER = {  # layers wide enough for every path of the kernels
    "markov_vae": {"tile": 16, "width": 32, "latents": (2, 2), "level_width": 32, "hidden": 16},
    "pixel_vae": {"tile": 16, "width": 48, "latents": (4,), "radius": 3, "split": 32, "layers": 3},
    "resnet_vae": {"tile": 16, "latents": (2, 2), "width": 72, "ends": 1, "hidden": 16},
    "resnet_vae of bytes": {
        "tile": 16, "latents": (2, 2), "width": 72, "ends": 1, "hidden": 16, "activation_bits": 8
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(WIDER))
def test_bytes_are_equal_across_engines_and_instruction_sets(tmp_path: Path, kind: str) -> None:
    import torch

    from bitswap_models.stored import model_file

    torch.manual_seed(0)
    family = FAMILIES[kind.split()[0]]
    network = family.network_class()(family.config(**WIDER[kind]))
    model_file.write(network, tmp_path / "m.safetensors", recipe="", metrics={})
    np.save(tmp_path / "tiles.npy", np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), "u1"))
    plain = {k: v for k, v in os.environ.items() if k != "BITSWAP_ENGINE"}
    numpy_only = {"BITSWAP_ENGINE": "reference"}
    fewer = {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX2 FMA3", "OPENBLAS_CORETYPE": "Nehalem"}
    settings_ = [{}, numpy_only, {**numpy_only, **fewer}]
    digests = set()
    for extra in settings_:
        files = [tmp_path / "m.safetensors", tmp_path / "tiles.npy"]
        ran = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, *files], env={**plain, **extra}, capture_output=True
        )
        assert ran.returncode == 0, ran.stderr.decode()
        digests.add(ran.stdout)
    assert len(digests) == 1 and digests.pop().split()[1] == b"True"


def test_initial_bits_grow_with_depth_for_bbans_only(make_model: MakeModel) -> None:
    """The point of Bit-Swap: one layer's initial bits, however deep the model."""
    used: dict[str, list[int]] = {}
    for name in ("bitswap", "bbans"):
        for depth in (1, 2, 4, 8):
            model = make_model(tile=16, latents=(8,) * depth)
            tiles = smooth(1, model)
            message = Message.with_bottom(b"\0" * 10**6, 1)
            group = Group(message, model, whole(tiles))
            SCHEMES[name].push(group, tiles.transpose(0, 3, 1, 2).astype(np.int32))
            used.setdefault(name, []).append(message.finish()[1])
    assert max(used["bitswap"]) <= 1.25 * used["bitswap"][0]
    assert all(a < b for a, b in zip(used["bbans"], used["bbans"][1:], strict=False))
    assert used["bbans"][-1] > 4 * used["bitswap"][-1]


@kinds_and_schemes
def test_net_bits_are_what_the_message_grows_by(
    make_model: MakeModel, kind: str, scheme: str
) -> None:
    model = make_model(kind=kind)
    tiles = smooth(GROUP * 3, model)
    encoded = tile_codec(model, scheme, 64).encode(tiles, whole(tiles), b"\0" * 10**6)
    stored = 8 * (len(encoded.words) - encoded.payload_used)
    assert encoded.bits.shape == (len(tiles),) and (encoded.bits > 0).all()
    assert abs(stored - encoded.bits.sum()) < 64 * 32  # the lanes' heads


def test_groups_grow_with_the_stack() -> None:
    for count, factor in [(0, 1), (1, 1), (2, 4), (63, 1), (64, 2), (65, 1), (1000, 1), (64, 4)]:
        slices = list(groups(count, Fraction(1, 3), factor))
        covered = [k for s in slices for k in range(s.start, s.stop)]
        assert covered == list(range(count))
        most = GROUP // factor**2
        assert all(s.stop - s.start <= min(max(s.start // 3, 1), most) for s in slices)


@kinds_and_schemes
def test_damaged_words_are_an_error(make_model: MakeModel, kind: str, scheme: str) -> None:
    model = make_model(kind=kind)
    tiles = smooth(20, model)
    codec = tile_codec(model, scheme, 64)
    words, used, _ = codec.encode(tiles, whole(tiles), PAYLOAD)
    rng = np.random.default_rng(0)
    damaged = [
        b"",
        words[:1],
        words[:-1],
        words[:-4],
        words[1:],
        b"\x05" + words[1:],
    ]
    for _ in range(20):
        flipped = bytearray(words)
        flipped[rng.integers(1, len(words))] ^= 1 << rng.integers(8)
        damaged.append(bytes(flipped))
    for bad in damaged:
        try:
            restored, payload = codec.decode(bad, whole(tiles))
        except ArchiveError:
            continue
        # the archive's checksums are the guarantee; here it must at least not pass for the same
        assert not (np.array_equal(restored, tiles) and payload[:used] == PAYLOAD[:used])


def test_lanes_follow_the_number_of_samples() -> None:
    assert lane_count(np.array([[32, 32, 3]], np.int32)) == 1
    assert lane_count(np.array([[32, 32, 3]] * 3, np.int32)) == 8
    assert lane_count(np.array([[32, 32, 3]] * 400, np.int32)) == 32


@pytest.mark.parametrize(
    "kind, scheme", [("markov_vae", "huffman"), ("pixel_vae", "topdown"), ("resnet_vae", "bitswap")]
)
def test_schemes_that_are_not_the_models_are_refused(
    make_model: MakeModel, kind: str, scheme: str
) -> None:
    with pytest.raises(ModelError, match="cannot be coded with scheme"):
        tile_codec(make_model(kind=kind), scheme)
