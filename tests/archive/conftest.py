"""Fixtures of the archive's tests."""

import pytest

from tests.archive.support import ZlibCodec


@pytest.fixture
def codec() -> ZlibCodec:
    """Return a tile codec without a network."""
    return ZlibCodec()
