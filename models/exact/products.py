"""Products of matrices of integers, in float64, where sums below 2^53 are exact."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 1 << 17  # products


def product(x: NDArray[Any], matrix: NDArray[Any]) -> NDArray[np.int64]:
    """x @ matrix, of integers whatever their type, (N, I) by (I, O).

    It is computed in parts so small that libraries start no threads for them, which would wait for
    each other and for those of the program.
    """
    x, matrix = (a.astype(np.float64, copy=False) for a in (x, matrix))
    rows = max(1, _TOGETHER // matrix.size)
    whole = len(x) // rows * rows
    y = np.empty((len(x), matrix.shape[1]))
    parts = y[:whole].reshape(-1, rows, matrix.shape[1])
    np.matmul(x[:whole].reshape(-1, rows, len(matrix)), matrix, out=parts)
    np.matmul(x[whole:], matrix, out=y[whole:])
    return y.astype(np.int64)
