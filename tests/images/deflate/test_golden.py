"""Descriptions of streams by many makers, frozen: every later version restores the same bytes."""

import hashlib
import json
from pathlib import Path

import pytest

from bitswap_cli.images.deflate import engine, reference, restore, restoring
from tests.images.deflate.streams import RAW

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())


@pytest.mark.parametrize("name", ["c", "reference"])
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['maker']} of {case['bytes']}")
def test_golden_descriptions_are_restored(
    case: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = engine.compiled() if name == "c" else reference
    if kernel is None:
        pytest.skip("no compiled kernel")
    monkeypatch.setattr(restoring, "engine", lambda: kernel)
    stream = restore(RAW[case["bytes"]](), bytes.fromhex(case["description"]))
    assert hashlib.sha256(stream).hexdigest() == case["sha256"]
