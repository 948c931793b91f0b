"""Fixtures of the coder's tests."""

from collections.abc import Iterator

import pytest

from bitswap_cli.ans import distributions, kernel, reference


@pytest.fixture(params=["c", "reference"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a test once with each engine; that with "c" is skipped where there is no kernel."""
    chosen = kernel.compiled() if request.param == "c" else reference
    if chosen is None:
        pytest.skip("the kernel is not compiled: no C compiler when the package was installed")
    monkeypatch.setattr(distributions, "engine", lambda: chosen)
    yield request.param
