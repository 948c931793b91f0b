"""Benchmarks of the kernels run, on almost nothing."""

import json
import os
from pathlib import Path

import pytest

from benchmarks.kernels import ans, binary, fitting, pixels
from bitswap_cli.ans import kernel


def test_ans(capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ), kernel.engine_name()
    ans.main(["--count", "2048", "--passes", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(ans.codecs(1))
    assert (dict(os.environ), kernel.engine_name()) == before


def test_binary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--tiles", "1", "--passes", "1", "--width", "64", "--depth", "1"]
    binary.main([*small, "-o", str(tmp_path / "figures.json")])
    assert "| 1 x 1 bit " in capsys.readouterr().out
    rows = json.loads((tmp_path / "figures.json").read_text())["rows"]
    assert {row["subject"] for row in rows} == {"64 channels, 3x3", "ResNet VAE"}
    assert all(row["seconds"] > 0 and row["products"] > 0 for row in rows)


def test_pixels(capsys: pytest.CaptureFixture[str]) -> None:
    pixels.main(["--passes", "1", "--groups", "1x32", "--reference"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].split()[:4] == ["1", "x", "32^2", "reference"]
    assert len(lines) > 2
    pixels.main(["--passes", "1", "--groups", "1x32", "--model", "fast"])
    assert len(capsys.readouterr().out.splitlines()) == len(lines) - 1, "it has no latents"


def test_fitting(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fitting.main([str(photographs), "--rounds", "1", "--steps", "1", "--batch", "2"])
    names = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["training, float32", "training, bfloat16", "fitting"]
