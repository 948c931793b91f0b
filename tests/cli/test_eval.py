"""``bitswap eval``: the terms of a bound, and a rate that was coded and decoded."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_models.training import data
from tests.cli.conftest import Bitswap


def test_terms_and_rate(bitswap: Bitswap, workshop: Path, tiny_model: Path) -> None:
    outcome = bitswap("eval", tiny_model, workshop / "data" / "sheets", "--json")
    assert outcome.code == 0
    told = json.loads(outcome.out)
    assert (told["model"], told["tiles"]) == ("tiny", 64)
    assert list(told["terms"]) == ["likelihood", "kl1", "kl2"]
    assert told["bound"] == pytest.approx(sum(told["terms"].values()))
    # initial bits are in the rate and not in the bound; few tiles pay much for them
    assert told["bound"] < told["coded"] < 1.05 * told["bound"]
    metrics = json.loads(bitswap("models", "info", tiny_model, "--json").out)["metrics"]
    assert told["bound"] == pytest.approx(metrics["bpd"], rel=0.01)


def test_table(bitswap: Bitswap, workshop: Path, tiny_model: Path) -> None:
    outcome = bitswap("eval", tiny_model, workshop / "data" / "sheets", "--limit", "5")
    assert outcome.code == 0 and outcome.err == ""
    heading, *rows = outcome.out.splitlines()
    assert heading == "tiny on 5 tiles of 16x16x3"
    names = ["term", "likelihood", "kl1", "kl2", "-ELBO", "coded"]
    assert [row.split()[0] for row in rows] == names


def test_pictures_of_any_size_and_what_is_left_out(
    bitswap: Bitswap, tiny_model: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for name, shape in [("odd.png", (21, 40, 3)), ("gray.png", (16, 16)), ("alpha.png", (9, 9, 4))]:
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(tmp_path / name)
    outcome = bitswap("eval", tiny_model, tmp_path, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["tiles"] == 2 * 3 + 1
    assert outcome.err.count("\n") == 1 and "alpha.png is left out" in outcome.err


def test_refusals(bitswap: Bitswap, tiny_model: Path, tmp_path: Path) -> None:
    assert bitswap("eval", tiny_model, tmp_path / "nowhere").code == 3
    assert bitswap("eval", "nobody", tmp_path).code == 5
    assert "coefficients" in bitswap("eval", "jpeg", tmp_path).error_line()
    outcome = bitswap("eval", tiny_model, tmp_path)
    assert outcome.code == 3 and "no images" in outcome.error_line()
    Image.new("RGBA", (8, 8)).save(tmp_path / "alpha.png")
    outcome = bitswap("eval", "-q", tiny_model, tmp_path)
    assert outcome.code == 3 and "no picture" in outcome.error_line()
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    outcome = bitswap("eval", "-q", tiny_model, tmp_path)
    assert outcome.code == 3 and "cannot read the picture" in outcome.error_line()


def test_sheets_hold_as_many_cells_as_they_are_named_for(tmp_path: Path) -> None:
    assert data.sheet_cells(tmp_path / "00000-0853.png") == 853
    assert data.sheet_cells(tmp_path / "kodim01.png") is None
