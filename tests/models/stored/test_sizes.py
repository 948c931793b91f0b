"""Sizes: parameters are those of training, bytes those of the file."""

import pytest

from bitswap_models.families import register
from bitswap_models.stored.model_file import build
from bitswap_models.stored.sizes import sizes
from bitswap_models.training.layers import layers
from tests.conftest import started

PIXELS = register.names(lambda family: family.codes and family.subject == "tiles")


@pytest.mark.parametrize("kind", PIXELS)
def test_sizes_of_models_that_code(kind: str) -> None:
    network = started(kind)
    counted = sizes(build(network))
    assert counted.packed_bytes == sum(array.nbytes for array in network.tensors().values())
    assert counted.parameters == sum(p.numel() for p in network.parameters())
    binary = sum(layer.v.numel() for layer in layers(network).values() if layer.binary)
    assert counted.binary == binary
    assert counted.float32_bytes == 4 * counted.parameters
