"""`list`, `info` and `test`: what an archive says of itself."""

import json
import os
import zlib
from pathlib import Path

import pytest

from bitswap_models import zoo
from tests.cli.conftest import Bitswap

SHAPES = {
    "photos/color.png": [100, 82, 3],
    "photos/deep/gray.png": [66, 140, 1],
    "photos/deep/er/raw.ppm": [40, 40, 3],
}


def test_list(bitswap: Bitswap, made_archive: Path, pixels_archive: Path) -> None:
    lines = bitswap("list", pixels_archive).out.splitlines()
    assert {line.split()[0] for line in lines if ".png" in line} == {"pixels"}
    outcome = bitswap("list", made_archive)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert len(lines) == 8
    rows = {line.split(maxsplit=4)[4]: line.split(maxsplit=4)[:4] for line in lines}
    assert rows["photos/color.png"][0::3] == ["bytes", "100x82x3"]
    assert rows["photos/deep/er/raw.ppm"][0::3] == ["bytes", "40x40x3"]
    assert rows["photos/notes.txt"] == ["bytes", "file", "260", "-"]
    assert r"photos/two\nlines \x1b[31m.txt" in rows
    assert r"photos/caf\xe9.txt" in rows


@pytest.mark.parametrize("exact", [True, False])
def test_list_json(
    bitswap: Bitswap, made_archive: Path, pixels_archive: Path, photos: Path, exact: bool
) -> None:
    archive = made_archive if exact else pixels_archive
    listed = json.loads(bitswap("list", archive, "--json").out)["entries"]
    entries = {entry["name"]: entry for entry in listed}
    assert entries.keys() == {
        f"photos/{path.relative_to(photos)}"
        for path in photos.rglob("*")
        if path.is_file() or path.name == "empty"
    }
    assert {name: e["shape"] for name, e in entries.items() if e["shape"]} == SHAPES
    for name, entry in entries.items():
        pixels = name.endswith(".png") and not exact
        assert entry["restored"] == ("pixels" if pixels else "bytes")
        assert entry["kind"] != ("png" if exact else "png-exact")
        assert entry["mode"] == f"{(photos.parent / name).stat().st_mode & 0o7777:04o}"
        if entry["kind"] != "dir":
            size = (photos.parent / name).stat().st_size
            told = entry["restored"] == "bytes"
            assert entry["size"] == (size if told else None)
            crc = f"{zlib.crc32((photos.parent / name).read_bytes()):08x}"
            assert entry["crc32"] == (crc if told else None)
    assert os.fsencode("photos/caf\udce9.txt") == b"photos/caf\xe9.txt"


def test_checksums(
    bitswap: Bitswap, made_archive: Path, pixels_archive: Path, photos: Path
) -> None:
    assert "--------  photos/color.png\n" in bitswap("list", pixels_archive, "--checksums").out
    outcome = bitswap("list", made_archive, "--checksums")
    assert outcome.code == 0
    rows = dict(line.split("  ", 1)[::-1] for line in outcome.out.splitlines())
    assert "photos/empty" not in rows
    for name in ("notes.txt", "deep/er/raw.ppm", "color.png"):
        assert rows[f"photos/{name}"] == f"{zlib.crc32((photos / name).read_bytes()):08x}"


def test_info(bitswap: Bitswap, made_archive: Path) -> None:
    outcome = bitswap("info", made_archive)
    assert outcome.code == 0
    described, kinds, coders = outcome.out.split("\n\n")
    rows = dict(line.split(maxsplit=1) for line in described.splitlines())
    assert kinds.split("\n")[0].split() == ["kind", "restored", "entries", "before"]
    assert coders.split("\n")[0].split() == ["by", "files", "before", "after"]
    assert rows["features"] == "described, folders, modes, pillow"
    assert rows["model"] == "tiny"
    assert rows["model_here"] == "no"
    assert rows["tile"] == "16x16x3"
    assert int(rows["tile_chunks"]) > 0 and "draw_chunks" not in rows and "jpeg_model" not in rows


def test_info_without_models(bitswap: Bitswap, tmp_path: Path) -> None:
    """What there is none of has no line."""
    (tmp_path / "a.txt").write_text("no picture")
    assert bitswap("compress", tmp_path / "a.txt", "-o", tmp_path / "a.bsw").code == 0
    described = bitswap("info", tmp_path / "a.bsw").out.split("\n\n")[0]
    keys = [line.split()[0] for line in described.splitlines()]
    assert "byte_chunks" in keys and "entries" in keys
    assert not {"model", "sha256", "tile", "tile_chunks", "drawn_model", "inside"} & set(keys)


def test_names_alone_are_a_row_of_their_own(bitswap: Bitswap, tmp_path: Path) -> None:
    """Of three files without bytes, and of their folder."""
    folder, archive = tmp_path / "in", tmp_path / "a.bsw"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).touch()
    assert bitswap("compress", folder, "-o", archive).code == 0
    info = json.loads(bitswap("info", archive, "--json").out)
    assert list(info["coders"]) == ["names"]
    assert info["coders"]["names"] == {"files": 4, "before": 0, "after": info["byte_bytes"]}
    (folder / "d").write_text("some bytes")
    assert bitswap("compress", folder, "-o", archive, "--force").code == 0
    info = json.loads(bitswap("info", archive, "--json").out)
    assert info["coders"]["zstd"]["files"] == 1


def test_info_json(bitswap: Bitswap, made_archive: Path, tiny_model: Path) -> None:
    info = json.loads(bitswap("info", made_archive, "--json").out)
    model = json.loads(bitswap("models", "info", tiny_model, "--json").out)
    assert info["sha256"] == model["sha256"]
    assert info["size"] == made_archive.stat().st_size
    assert (info["format"], info["profile"], info["scheme"]) == (5, 1, "bitswap")
    assert (info["tile"], info["entries"]) == ([16, 16, 3], 8)
    assert sum(kind["entries"] for kind in info["kinds"].values()) == info["entries"]
    assert {kind["restored"] for kind in info["kinds"].values()} == {"bytes"}
    assert set(info["coders"]) <= {"tiny", "zstd", "mixing"}
    assert info["coders"]["tiny"]["after"] == info["tile_bytes"]
    kept = [told for name, told in info["coders"].items() if name != "tiny"]
    assert sum(told["after"] for told in kept) == info["byte_bytes"]
    assert sum(told["before"] for told in info["coders"].values()) == info["before"]
    assert 0 < info["tile_bytes"] + info["byte_bytes"] < info["size"]
    assert info["samples"] == sum(h * w * c for h, w, c in SHAPES.values())
    assert info["tile_chunks"] >= 1 and info["byte_chunks"] >= 1
    assert info["size"] > info["largest_chunk"] > 0 and info["largest_block"] > 0


def test_test(
    bitswap: Bitswap,
    made_archive: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = bitswap("test", made_archive, "--model", tiny_model)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("ok, 8 entries\n")
    as_json = bitswap("test", made_archive, "--model", tiny_model, "--json")
    assert json.loads(as_json.out) == {"archive": str(made_archive), "ok": True, "entries": 8}
    assert list(tmp_path.iterdir()) == []


def test_list_of_twins(bitswap: Bitswap) -> None:
    golden = Path(__file__).parents[1] / "golden" / "photo-twins-5.bsw"
    assert "pixels as" not in bitswap("list", golden).out
    names = [line.split(maxsplit=4)[4] for line in bitswap("list", "-v", golden).out.splitlines()]
    assert "golden/level-1.png (by photo)" in names
    assert "golden/level-9.png (by photo; pixels as golden/level-1.png)" in names
    entries = json.loads(bitswap("list", golden, "--json").out)["entries"]
    twins = {entry["name"]: entry["twin"] for entry in entries}
    assert twins["golden/level-9.png"] == "golden/level-1.png" and twins["golden/large.bmp"] is None


def test_several_models(bitswap: Bitswap, tmp_path: Path) -> None:
    """Of an archive, each is told with its chunks, and each entry with its own."""
    golden = Path(__file__).parents[1] / "golden" / "auto-models-5.bsw"
    told = json.loads(bitswap("info", golden, "--json").out)
    models = [(own["model"], own["model_here"], own["chunks"] > 0) for own in told["models"]]
    assert models == [(name, True, True) for name in ("ycc", "gray", "large")]
    assert sum(own["bytes"] for own in told["models"]) == told["tile_bytes"]
    assert (told["model"], told["sha256"]) == ("ycc", told["models"][0]["sha256"])
    lines = bitswap("info", golden).out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("models ")] == ["ycc"]
    entries = json.loads(bitswap("list", "-v", golden, "--json").out)["entries"]
    by = {entry["name"]: entry["model"] for entry in entries}
    own = ("libjpeg0.png", "ycc"), ("gray.pgm", "gray"), ("rgb.png", "large"), ("notes.txt", None)
    assert {name: by[f"golden/{name}"] for name, _ in own} == dict(own)
    line = next(line for line in bitswap("list", "-v", golden).out.splitlines() if "pgm" in line)
    assert line.endswith("golden/gray.pgm (by gray)")
    # the model of a file takes the place of the one that has its hash, and of no other
    path = tmp_path / "gray.safetensors"
    path.write_bytes(zoo.find("gray", told["models"][1]["sha256"]).content)
    assert bitswap("decompress", golden, "-o", tmp_path, "--model", path).code == 0
    assert bitswap("test", golden, "--model", path).code == 0
    other = zoo.EMBEDDED / "photo" / zoo.MODEL_FILE
    refused = bitswap("test", golden, "--model", other)
    assert refused.code == 5 and "not the model of the archive" in refused.error_line()
    forgotten = bitswap("decompress", golden, "golden/gray.pgm", "-o", tmp_path / "o", "-v")
    assert [line.split()[2] for line in forgotten.err.splitlines() if "SHA" in line] == ["gray,"]


def test_context_mixing_is_told(bitswap: Bitswap) -> None:
    golden = Path(__file__).parents[1] / "golden" / "photo-mixed-5.bsw"
    told = json.loads(bitswap("info", golden, "--json").out)
    assert told["mixed_chunks"] == told["byte_chunks"] == 1
    assert told["mixed_bytes"] == told["byte_bytes"] > 0
    names = bitswap("list", "-v", golden).out
    assert "golden/rows.csv (by mixing)" in names
    assert "golden/photo.npy (by large)" in names
