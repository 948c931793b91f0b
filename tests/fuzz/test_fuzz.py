"""Mutants of what others may hand to bitswap, of a fixed seed, and those that once hurt."""

from pathlib import Path

import pytest

from tests.fuzz import campaign
from tests.fuzz.subjects import SUFFIXES

FOUND = sorted(Path(__file__).with_name("corpus").glob("found/*"))
MUTANTS = {"archive": 40, "model": 10, "picture": 40, "recipe": 4, "registry": 10}


@pytest.mark.parametrize("kind", SUFFIXES)
def test_mutants_end_as_documented(tmp_path: Path, kind: str) -> None:
    tried, faults, counts = campaign.campaign(
        MUTANTS[kind], float("inf"), 0, [kind], tmp_path / "kept", few=True
    )
    assert faults == []
    assert tried == MUTANTS[kind] and counts


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_is_mended(tmp_path: Path, path: Path) -> None:
    """Names begin with the kind."""
    kind = path.name.partition("-")[0]
    mutant = tmp_path / f"mutant{SUFFIXES[kind]}"
    mutant.write_bytes(path.read_bytes())
    worker = campaign.Worker(tmp_path)
    fault, _ = worker.attempt(kind, mutant)
    worker.close()
    assert fault is None
