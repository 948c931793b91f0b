"""Products of matrices of integers are those of integers, in however many parts."""

import numpy as np
import pytest

from bitswap_models.exact.products import product


@pytest.mark.parametrize("rows", [0, 1, 7, 300])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (64, 64), (700, 200)])
def test_products_are_those_of_integers(rows: int, inputs: int, outputs: int) -> None:
    rng = np.random.default_rng(rows + inputs)
    x = rng.integers(-32768, 32768, (rows, inputs), dtype=np.int16)
    matrix = rng.integers(-(2**20), 2**20, (inputs, outputs), dtype=np.int32)
    assert np.array_equal(product(x, matrix), x.astype(np.int64) @ matrix.astype(np.int64))
