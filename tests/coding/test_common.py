"""What the tiles of a group have in common: told first, whatever the writer chooses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_cli.coding import common, tile_codec
from bitswap_cli.coding.chunk import groups
from bitswap_models.families.pixel_vae.common import Common
from tests.conftest import MakeModel, smooth_tile, telling

PAYLOAD = bytes(range(256)) * 4


def tiles_of(count: int, side: int) -> np.ndarray:
    pictures = [smooth_tile(side, 3, seed) for seed in range(count)]
    return np.stack(pictures).transpose(0, 2, 3, 1).astype(np.uint8)


@pytest.mark.parametrize("scheme", ["bitswap", "bbans"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_chunks_come_back_whatever_is_chosen(scheme: str, data: st.DataObject) -> None:
    """Some groups have z_2, some do not; a reader does not ask how it was chosen."""
    model = telling()
    factor = data.draw(st.sampled_from([1, 2, 4]))
    count = data.draw(st.integers(1, 40 // factor**2 + 1))
    tiles = tiles_of(count, side := model.tile * factor)
    extent = st.one_of(st.just(side), st.integers(1, side))
    coded = data.draw(st.sampled_from([1, 3]))
    sizes = np.array([(data.draw(extent), data.draw(extent), coded) for _ in tiles], np.int32)
    seed = data.draw(st.integers(0, 99))
    random = np.random.default_rng(seed)
    codec = tile_codec(model, scheme, 64)
    with pytest.MonkeyPatch.context() as patch:
        if data.draw(st.booleans()):
            anything = random.integers(LATENT_MIN, LATENT_MAX + 1, 3).astype(np.int32)
            patch.setattr(Common, "of", lambda *_: anything)
        encoded = codec.encode_by_term(tiles, sizes, PAYLOAD)
    restored, payload = codec.decode(encoded.words, sizes, factor)
    for tile, back, (h, w, c) in zip(tiles, restored, sizes, strict=True):
        assert np.array_equal(tile[:h, :w, :c], back[:h, :w, :c])
    assert payload[: encoded.payload_used] == PAYLOAD[: encoded.payload_used]
    told = [model.common.has(sizes[s]) for s in groups(count, model.growth, factor)]
    assert (encoded.bits[:, 2].sum() > 0) == any(told)


def test_bits_of_each_layer_are_told_apart() -> None:
    model = telling()
    codec = tile_codec(model)
    assert codec.terms == ("likelihood", "kl1", "common")
    tiles = tiles_of(3, 32)
    sizes = np.tile(np.array([32, 32, 3], np.int32), (3, 1))
    encoded = codec.encode_by_term(tiles, sizes, b"\0" * 10**5)
    assert encoded.bits.shape == (3, 3) and (encoded.bits[:, [0, 2]] > 0).all()
    stored = 8 * (len(encoded.words) - encoded.payload_used)
    assert abs(stored - encoded.bits.sum()) < 64 * 32


def test_what_is_outside_of_pictures_chooses_nothing() -> None:
    model = telling()
    tiles, sizes = tiles_of(2, 64), np.array([[64, 37, 3], [50, 64, 3]], np.int32)
    other = np.random.default_rng(0).integers(0, 256, tiles.shape, np.uint8)
    for tile, noisy, (h, w, _) in zip(tiles, other, sizes, strict=True):
        noisy[:h, :w] = tile[:h, :w]
    codec = tile_codec(model)
    assert codec.encode(tiles, sizes, b"").words == codec.encode(other, sizes, b"").words


def test_models_without_it_are_told_nothing(make_model: MakeModel) -> None:
    for kind in ("pixel_vae", "markov_vae", "resnet_vae"):
        assert common.of(make_model(kind=kind)) is None
        assert not tile_codec(make_model(kind=kind)).tells_common
    assert tile_codec(telling()).tells_common
