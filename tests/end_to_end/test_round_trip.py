"""Folders go through the command line and come back, every verb a process of its own."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.command import bitswap
from benchmarks.data import kinds
from bitswap_cli.cli.main import run
from tests.end_to_end.restored import compare, tree

FRAME = 420  # bytes that an archive of one file may take beyond it, and
ROW = 24  # bytes that an entry may take in tables, beyond its name


def photographs(folder: Path) -> None:
    """Write color and gray pictures that are worth fitting to, with folders of their own."""
    for number, (height, width, channels) in enumerate(
        [(200, 160, 3), (160, 200, 3), (97, 131, 3), (120, 120, 1)]
    ):
        path = folder / str(channels) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(kinds.photo(height, width, channels, number)).save(path)


def digits(folder: Path) -> None:
    """Write many small gray pictures: strokes on black."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:28, :28]
    for number in range(60):
        (a, b), bend = rng.uniform(8, 20, 2), rng.uniform(-0.1, 0.1)
        far = np.abs(x - a - (y - b) * rng.uniform(-1, 1) - bend * (y - b) ** 2)
        light = np.clip(2.5 - far, 0, 1) * (np.abs(y - 14) < 10)
        Image.fromarray((255 * light).astype(np.uint8)).save(folder / f"{number:02}.png")


def every_kind(folder: Path) -> None:
    """Write one file of every kind that troubles an archiver."""
    folder.mkdir()
    kinds.make(folder)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (every_kind, []),
        (photographs, ["--model", "photo", "--fit-steps", "30"]),
        (digits, ["--model", "mnist28", "--scheme", "bbans", "--threads", "1"]),
    ],
)
def test_folder_comes_back(
    tmp_path: Path, make: Callable[[Path], None], options: list[str]
) -> None:
    source, archive, out = (tmp_path / name for name in ("in", "a.bsw", "out"))
    make(source)
    packed = bitswap("compress", source, "-o", archive, *options).output
    entries = bitswap("list", archive).output["entries"]
    unpacked = bitswap("decompress", archive, "-o", out).output
    assert compare(source, out / "in", entries) == []
    assert packed["entries"] == unpacked["entries"] == len(entries) == len(tree(source))
    paths = [path for path in tree(source).values() if os.path.isfile(path)]
    before = sum(os.lstat(path).st_size for path in paths)
    names = sum(len(os.fsencode(entry["name"])) for entry in entries)
    assert packed["after"] == archive.stat().st_size < before + FRAME + names + ROW * len(entries)


def test_verification_changes_no_byte(tmp_path: Path) -> None:
    every_kind(tmp_path / "in")
    first, second = tmp_path / "a.bsw", tmp_path / "b.bsw"
    with_it = bitswap("compress", tmp_path / "in", "-o", first).output
    without = bitswap("compress", tmp_path / "in", "-o", second, "--no-verify").output
    assert (with_it["verified"], without["verified"]) == (True, False)
    assert first.read_bytes() == second.read_bytes()
    assert bitswap("test", first).output["ok"] is True


def test_no_file_grows_by_more_than_a_frame(tmp_path: Path) -> None:
    every_kind(tmp_path / "in")
    archive = tmp_path / "alone.bsw"
    options = ["-q", "--force", "--model", "natural32", "-o", str(archive)]
    for name, path in tree(tmp_path / "in").items():
        if os.path.isfile(path) and not os.path.islink(path):
            assert run(["compress", os.fsdecode(path), *options]) == 0
            assert archive.stat().st_size <= os.path.getsize(path) + FRAME + len(name), name


def test_a_difference_is_seen(tmp_path: Path) -> None:
    for name in ("in", "out"):
        every_kind(tmp_path / name)
    rows = [
        {
            "name": os.fsdecode(b"in/" + name),
            "restored": "bytes",
            "kind": "file" if os.path.isfile(path) and not os.path.islink(path) else "link",
            "size": os.lstat(path).st_size,
            "shape": None,
        }
        for name, path in tree(tmp_path / "in").items()
    ]
    assert compare(tmp_path / "in", tmp_path / "out", rows) == []
    changed = tmp_path / "out" / "gray.png"
    time = changed.stat().st_mtime_ns
    changed.write_bytes(changed.read_bytes()[:-1])
    os.utime(changed, ns=(time, time))
    os.utime(tmp_path / "out" / "color.png")
    found = compare(tmp_path / "in", tmp_path / "out", rows)
    assert sorted(found) == ["b'color.png' has another time", "b'gray.png' has other bytes"]
