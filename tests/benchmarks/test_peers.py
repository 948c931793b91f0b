"""Other codecs: their pixels come back, their tables are printed, what is absent is named."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.command import CommandError, Tree, bitswap
from benchmarks.data.kinds import photo
from benchmarks.peers import bench, folders, makers, measure, plot, speed
from benchmarks.peers.codecs.peer import Peer
from benchmarks.peers.codecs.register import CODECS, missing, peers


@pytest.mark.parametrize("peer", peers(), ids=lambda peer: peer.name)
def test_pixels_come_back(peer: Peer) -> None:
    for pixels in (photo(13, 17), photo(9, 8, 1)):
        cost = measure.code(peer, pixels)
        assert 0 < cost.bytes < 4 * pixels.size + 200
        assert min(cost) >= 0


def test_alpha_that_hides_nothing_may_be_left_out() -> None:
    color = photo(5, 6)
    opaque = np.dstack([color, np.full((5, 6), 255, np.uint8)])
    assert measure.equal(opaque, color) and measure.equal(color[..., 0], color[..., [0, 0, 0]])
    opaque[2, 3, 3] = 254
    assert not measure.equal(opaque, color)


def test_a_codec_that_loses_is_found_out() -> None:
    lossy = peers("PNG optimize")[0]._replace(decode=lambda data: np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="came back different"):
        measure.code(lossy, photo(8, 8))


def test_register() -> None:
    found = peers()
    assert {"PNG optimize", "xz -9e --delta"} <= {peer.name for peer in found}
    assert all(any(peer.name.startswith(codec.name) for codec in CODECS) for peer in found)
    assert [peer.name for peer in peers("xz -9e --delta")] == ["xz -9e --delta"]
    assert peers("zip") == []


def test_what_is_absent_is_named_with_a_way_to_get_it() -> None:
    lines = missing([])
    assert sum(line.startswith("not here: JPEG XL -e 9: cjxl") for line in lines) == 1
    assert sum(line.startswith("not here: FLIF: ") for line in lines) == 1
    assert all(peer.name not in line for peer in peers() for line in missing(peers()))


def test_makers(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    makers.main([str(next(photographs.iterdir()))])
    rows = [line for line in capsys.readouterr().out.splitlines() if "Pillow" in line]
    assert len(rows) == len(makers.SAVED) and all("100.0 %" in row for row in rows)


def test_bench(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "plot.png"
    few = ["--models", "thumbs", "--peers", "optimize", "--cores", "1"]
    bench.main([str(photographs), *few, "--json", str(figures)])
    out = capsys.readouterr().out
    assert "| **photographs**: 2 images, 0.0 MB " in out
    told = json.loads(figures.read_text())
    (folder,) = told["folders"]
    names = [row["codec"] for row in folder["results"]]
    assert names[:3] == ["bitswap thumbs", "bitswap thumbs, without its start", "PNG optimize"]
    assert all(line in out for line in told["missing"])
    plot.main([str(figures), "-o", str(picture)])
    with Image.open(picture) as drawn:
        assert drawn.width == 1600


def test_folders(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    folders.main([str(mixed), "--processes", "1", "--json", str(figures)])
    out = capsys.readouterr().out
    rows = json.loads(figures.read_text())["folders"][0]["rows"]
    sizes = {row["way"]: row["bytes"] for row in rows}
    assert list(sizes)[:3] == ["the files", "tar, zstd -19 --long=27", "WebP -m 6 -q 90"]
    assert list(sizes)[-2] == "the smallest, file by file"
    assert list(sizes)[-1].startswith("bitswap ")
    assert sizes["the files"] == sum(p.stat().st_size for p in mixed.rglob("*") if p.is_file())
    others = [size for way, size in sizes.items() if way.startswith(("WebP", "JPEG XL"))]
    assert sizes["the smallest, file by file"] <= min(others) < sizes["the files"]
    assert rows[2]["coded"] == 3  # neither 16 bits nor JPEG nor text
    assert ("not here: JPEG XL -e 9:" in out) != bool(peers("JPEG XL -e 9"))
    assert all(row["way"] in out for row in rows)


def test_speed(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    one = ["--models", "thumbs", "--rounds", "1", "--threads", "1", "--quick"]
    with_itself = ["--against", ":".join(filter(None, sys.path))]
    speed.main([str(photographs), *one, *with_itself, "--json", str(figures)])
    told = json.loads(figures.read_text())
    assert set(told["trees"]) == {"this", "other"}
    assert [(row["command"], row["tree"]) for row in told["rows"]] == [
        (verb, tree) for verb in speed.VERBS[::2] for tree in ("this", "other")
    ]
    assert all(row["same_archive"] and row["peak_memory"] > 1e7 for row in told["rows"])
    assert "| photographs, thumbs | compress --no-verify |" in capsys.readouterr().out


def test_commands_that_fail_say_why(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        bitswap("list", tmp_path / "nowhere.bsw")
    (tmp_path / "bitswap_cli.py").write_text("")
    with pytest.raises(CommandError, match="has bitswap_cli, but bitswap_models is"):
        Tree("other", str(tmp_path)).place()
