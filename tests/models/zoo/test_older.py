"""Older versions of models: they come back to the byte, take little room, and damage is seen."""

import hashlib
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.ans import distributions, reference
from bitswap_cli.errors import ModelError
from bitswap_models import zoo
from bitswap_models.stored import model_file
from bitswap_models.zoo import older

KEPT = sorted(zoo.EMBEDDED.glob(f"*/*{older.SUFFIX}"))
MOST_BYTES = 2_330_000  # all of them together; whole they would take 4,016,677
DTYPES = {"I8": np.int8, "U8": np.uint8, "I16": np.int16, "U16": np.uint16, "I32": np.int32}

RANGES = {
    "I8": (-127, 128), "U8": (0, 256), "I16": (-(1 << 15), 1 << 15),
    "U16": (0, 1 << 16), "I32": (-(1 << 31), 1 << 31),
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one."""
    monkeypatch.setenv("BITSWAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def safetensors(tensors: dict[str, NDArray[np.integer]], note: str) -> bytes:
    """A file as the library writes it."""
    names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    table: dict[str, object] = {"__metadata__": {"note": note}}
    at = 0
    for name, array in tensors.items():
        offsets = [at, at := at + array.nbytes]
        table[name] = {
            "dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": offsets,
        }  # fmt: skip
    text = json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in tensors.values())


@st.composite
def pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two files: tensors of the older one may be smaller, of another type, or new."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    files = []
    for note in ("newer", "older"):
        tensors = {}
        for name in "abcd"[: draw(st.integers(1, 4))]:
            kind = draw(st.sampled_from(sorted(DTYPES)))
            rank = 1 if kind == "U8" else draw(st.integers(1, 4))
            shape = draw(st.lists(st.integers(1, 5), min_size=rank, max_size=rank))
            low, high = RANGES[kind]
            tensors[name] = random.integers(low, high, shape).astype(DTYPES[kind])
        files.append(safetensors(tensors, note))
    return files[0], files[1]


@settings(deadline=None, max_examples=50)
@given(pairs())
def test_any_file_comes_back_from_any_other(files: tuple[bytes, bytes]) -> None:
    newer, old = files
    assert older.decode(newer, older.encode(newer, old)) == old


def test_files_that_cannot_be_kept() -> None:
    near = safetensors({"a": np.zeros((2, 2), np.int8)}, "")
    with pytest.raises(ValueError, match="below -127"):
        older.encode(near, safetensors({"a": np.full((2, 2), -128, np.int8)}, ""))
    with pytest.raises(ValueError, match="F8"):
        older.encode(near.replace(b'"I8"', b'"F8"'), near)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem[:8])
def test_kept_versions_come_back(path: Path) -> None:
    name = path.parent.name
    file = zoo.find(name, path.stem)
    assert (file.path.name, file.name, file.sha256) == (path.name, name, path.stem)
    assert hashlib.sha256(file.content).hexdigest() == path.stem
    assert model_file.load(file).config
    assert zoo.resolve(name).path.name == zoo.MODEL_FILE
    assert zoo.downloaded() == []


def test_numpy_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "engine", lambda: reference)
    nearest = min(KEPT, key=lambda path: len(way(path)))
    newest = nearest.with_name(zoo.MODEL_FILE)
    assert hashlib.sha256(older.rebuild(newest, nearest.stem)).hexdigest() == nearest.stem


def test_they_take_little_room() -> None:
    assert len(KEPT) == 14
    assert sum(path.stat().st_size for path in KEPT) <= MOST_BYTES


def test_keeping_one(tmp_path: Path) -> None:
    newer, old = tmp_path / "model.safetensors", tmp_path / "old"
    newer.write_bytes(safetensors({"a": np.ones((2, 2), np.int8)}, "newer"))
    old.write_bytes(safetensors({"a": np.zeros((2, 2), np.int8)}, "older"))
    path = older.keep(newer, old)
    assert older.rebuild(newer, path.stem) == old.read_bytes()


def test_damage_is_refused_in_one_line(tmp_path: Path) -> None:
    """Flips and cuts, of every part of a file and of those on its way."""
    folder = tmp_path / "thumbs"
    shutil.copytree(zoo.EMBEDDED / "thumbs", folder)
    newest = folder / zoo.MODEL_FILE
    last = max(folder.glob(f"*{older.SUFFIX}"), key=lambda path: len(way(path)))
    random = np.random.default_rng(0)
    for path in [folder / kept.name for kept in way(last)]:
        good = path.read_bytes()
        _, large, small = older._HEAD.unpack_from(good)
        ends = np.cumsum([0, 32, 8, large, small, len(good) - 40 - large - small])
        places = random.integers(ends[:-1], ends[1:]).tolist()
        flipped = [good[:at] + bytes([good[at] ^ 16]) + good[at + 1 :] for at in places]
        for bad in [*flipped, *(good[:at] for at in places), good + bytes(4)]:
            path.write_bytes(bad)
            with pytest.raises(ModelError) as caught:
                older.rebuild(newest, last.stem)
            assert "\n" not in str(caught.value)
        path.write_bytes(bytes.fromhex(path.stem) + good[32:])
        with pytest.raises(ModelError, match="name each other"):
            older.rebuild(newest, last.stem)
        path.unlink()
        with pytest.raises(ModelError, match="cannot read .*install bitswap again"):
            older.rebuild(newest, last.stem)
        path.write_bytes(good)
    assert hashlib.sha256(older.rebuild(newest, last.stem)).hexdigest() == last.stem


def way(path: Path) -> list[Path]:
    """A kept version and those between it and the newest."""
    found = []
    while path.is_file():
        found.append(path)
        path = path.with_name(path.read_bytes()[:32].hex() + older.SUFFIX)
    return found
