"""The tables of numeric profile 1."""

import hashlib

import numpy as np
import pytest

from bitswap_cli.ans import Logistic, sigmoid
from bitswap_cli.ans.parameters import LogisticParameters, sigma

PINNED = "386b82f7e24e3e21a36ba400dcc801cbff707c35b686516fd2b0aa9acd627822"


def test_the_tables_are_the_pinned_ones() -> None:
    parts = sigmoid.tables()
    data = parts.table.astype("<i4").tobytes() + parts.inverse.astype("<i4").tobytes()
    assert hashlib.sha256(data).hexdigest() == PINNED == sigmoid.TABLES_SHA256
    assert (parts.table[0], parts.table[512], parts.table[1024]) == (0, 1 << 19, 1 << 20)
    assert np.all(np.diff(parts.table) >= 0)
    with pytest.raises(ValueError, match="read-only"):
        parts.table[0] = 1


def test_other_tables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigmoid, "TABLES_SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="profile"):
        sigmoid.tables.__wrapped__()


def test_int32_products_cannot_overflow() -> None:
    parts = sigmoid.tables()
    products = parts.inverse.astype(np.int64) * parts.saturation
    assert np.all(products >= sigmoid.SATURATION << sigmoid.INVERSE_SHIFT)
    assert products.max() < (1 << 22) + (1 << 18)
    # Cutting the difference first changes nothing: one less is not yet clamped.
    assert np.all(products - parts.inverse < sigmoid.SATURATION << sigmoid.INVERSE_SHIFT)


def test_scale_indices_mean_what_the_profile_says() -> None:
    assert sigma(40) == 1
    assert sigma(52) == 2
    assert sigma(np.array([0, 127])).round(3).tolist() == [0.099, 152.219]
    assert np.array_equal(sigmoid.tables().inverse, np.rint(16 * 1024 / sigma(np.arange(128))))


@pytest.mark.parametrize(("scale", "loss"), [(20, 0.001), (52, 0.001), (90, 0.002)])
def test_the_integers_lose_little_against_the_real_logistic(scale: int, loss: float) -> None:
    """Expected bits a symbol over those of the discretized real logistic."""
    symbols = np.arange(256)
    mean = 100.25
    edges = (np.arange(257) - 0.5 - mean) / sigma(scale)
    edges[0], edges[-1] = -700, 700
    upper, lower = 1 / (1 + np.exp(-edges)), 1 / (1 + np.exp(edges))
    exact = np.where(edges[:-1] < 0, np.diff(upper), -np.diff(lower))
    parameters = LogisticParameters(np.full(256, int(16 * mean)), np.full(256, scale))
    bits = Logistic(parameters, 0, 255).bits(symbols)
    excess = float(np.sum(exact * (bits + np.log2(np.maximum(exact, 1e-300)))))
    assert -1e-9 < excess < loss
