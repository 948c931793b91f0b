"""What restored entries are given, and what not."""

import pytest

from bitswap_cli.archive.format.attributes import NONE, Attributes
from bitswap_cli.archive.reading.attributes import mode_of


def test_modes_give_rights_and_no_power() -> None:
    assert mode_of(NONE) is None
    assert mode_of(Attributes(0)) == 0
    assert mode_of(Attributes(0o7751)) == 0o751


def test_windows_has_no_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.name", "nt")
    assert mode_of(Attributes(0o600)) is None
