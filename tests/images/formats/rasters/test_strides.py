"""Rows of pixels are found though no header tells of them; what is no picture is left."""

import gzip
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.images.formats.rasters import strides
from bitswap_cli.mixing import octets
from tests.archive.support import write
from tests.images.formats.proof import pictures
from tests.images.formats.samples import drawn

Pixels = NDArray[np.uint8]


def scene(height: int, width: int, channels: int, seed: int = 0) -> NDArray[np.float64]:
    """Waves of many lengths and directions, and a little noise, from 0 to 1: (H, W, C)."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[:height, :width]
    seen = np.zeros((height, width, channels))
    for scale in np.repeat([5, 12, 30, 80], 12):
        slope = rng.normal(size=(2, 1, 1)) / scale
        wave = np.sin(down * slope[0] + right * slope[1] + rng.uniform(0, 6))
        seen += wave[..., None] * rng.uniform(0.5, 1, channels) * scale**0.5
    seen += rng.normal(size=seen.shape) * 0.3
    seen -= seen.min()
    found: NDArray[np.float64] = seen / seen.max()
    return found


def image(height: int, width: int, channels: int, seed: int = 0) -> Pixels:
    return (scene(height, width, channels, seed) * 255).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (61, 0), (300, 7)])
def test_rows_of_bytes_are_found(channels: int, before: int, after: int) -> None:
    for seed, (height, width) in enumerate([(90, 120), (150, 71), (120, 130)]):
        noise = np.random.default_rng(seed).bytes(before + after)
        own = image(height, width, channels, seed)
        layout = strides.find(noise[:before] + own.tobytes() + noise[before:])
        assert layout is not None
        assert (layout.stride, layout.channels) == (width * channels, channels)
        assert (layout.width, layout.deep) == (width, False)
        if not after:
            assert layout.start == before % layout.stride


@pytest.mark.parametrize("kind", ["<u2", ">u2", "<i2", ">i2"])
@pytest.mark.parametrize("channels", [1, 3])
def test_rows_of_words_are_found(kind: str, channels: int) -> None:
    own = scene(90, 120, channels)
    values = own * 4000 - 2000 if "i" in kind else own * 60000
    layout = strides.find(values.astype(kind).tobytes())
    assert layout is not None
    assert (layout.start, layout.stride, layout.height) == (0, 240 * channels, 90)
    assert (layout.deep, layout.channels) == (True, 2 * channels)
    assert (layout.little, layout.signed) == ("<" in kind, "i" in kind)


@pytest.mark.parametrize("kind", ["<u2", ">u2", "<i2", ">i2"])
def test_rows_of_words_are_found_behind_any_header(kind: str) -> None:
    values = (scene(90, 121, 1) * 4000 - 2000 * ("i" in kind)).astype(kind)
    for before in (1, 17, 301):
        layout = strides.find(bytes(before) + values.tobytes())
        assert layout is not None
        assert (layout.start, layout.stride, layout.deep) == (before % 242, 242, True)
        assert (layout.little, layout.signed) == ("<" in kind, "i" in kind)


@pytest.mark.parametrize("channels", [3, 4])
def test_drawn_ones_are_found(channels: int) -> None:
    layout = strides.find(drawn(100, 83, channels).tobytes())
    assert layout is not None and (layout.stride, layout.channels) == (83 * channels, channels)


def test_a_seam_tells_where_rows_begin_though_the_file_goes_on() -> None:
    own = image(90, 120, 1) // 4 + np.linspace(0, 190, 120)[:, None].astype(np.uint8)
    layout = strides.find(bytes(10) + own.tobytes() + bytes(17))
    assert layout is not None and (layout.start, layout.stride) == (10, 120)


def test_what_is_no_picture_is_left() -> None:
    rng = np.random.default_rng(0)
    table = np.zeros(3000, [("number", "<u4"), ("name", "S9"), ("much", "<f4"), ("kind", "u1")])
    table["number"], table["kind"] = np.arange(3000) * 7, rng.integers(0, 5, 3000)
    table["much"] = rng.normal(size=3000)
    table["name"] = [b"no.%d" % one for one in rng.integers(0, 999, 3000)]
    for data in (
        rng.bytes(1 << 16),
        json.dumps({str(k): k**2 for k in range(4000)}).encode(),
        Path(strides.__file__).read_bytes() * 2,
        table.tobytes(),
        rng.normal(size=9000).tobytes(),
        bytes(1 << 15),
        image(40, 50, 1).tobytes()[: strides.SMALLEST - 1],
        b"",
    ):
        assert strides.find(data) is None


@settings(max_examples=60, deadline=None)
@given(
    part=st.binary(min_size=1, max_size=400),
    often=st.integers(1, 400),
    changes=st.lists(st.tuples(st.integers(0, 1 << 17), st.integers(0, 255)), max_size=40),
)
def test_whatever_is_found_comes_back(
    part: bytes, often: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(part * often)
    for place, value in changes:
        data[place % len(data)] = value
    pictures(bytes(data))


def test_what_is_mixed_to_less_is_left(tmp_path: Path) -> None:
    """A file goes through a model only where that takes less than all that it is kept by."""
    own = image(120, 90, 3)
    write(tmp_path / "a", own.tobytes())
    known = seen.look(Catalogue([tmp_path]).sources[1], wide=True, pixels=False)
    words = octets.encode(own.tobytes(), own.size)
    assert known.kinds[0] == "rows" and words is not None
    assert known.limit < 4 * len(words)
    catalogue = Catalogue([tmp_path], mixing=False)  # as where nothing is mixed, for speed
    found = catalogue.look(catalogue.sources[1])
    assert found and found.limit > 4 * len(words)


def test_they_lie_in_folders_packs_and_streams(tmp_path: Path) -> None:
    """Byte for byte, as pictures."""
    (tmp_path / "in").mkdir()
    for seed, name in enumerate(("a.raw", "b.raw", "c.raw")):
        write(tmp_path / "in" / name, b"head" + image(90, 120, 3, seed).tobytes())
    with tarfile.open(tmp_path / "in" / "d.tar", "w") as pack:
        pack.add(tmp_path / "in" / "b.raw", "b.raw")
    packed = (tmp_path / "in" / "c.raw").read_bytes()
    (tmp_path / "in" / "e.gz").write_bytes(gzip.compress(packed[::-1], 6, mtime=0))
    bitswap = [sys.executable, "-m", "bitswap_cli"]
    archive, out = str(tmp_path / "a.bsw"), tmp_path / "out"
    subprocess.run([*bitswap, "compress", "-q", str(tmp_path / "in"), "-o", archive], check=True)
    told = subprocess.run([*bitswap, "info", "--json", archive], check=True, capture_output=True)
    kinds = json.loads(told.stdout)["kinds"]
    assert (kinds["rows"]["entries"], kinds["host"]["entries"]) == (3, 1)
    assert kinds["unfolded"]["entries"] == 1
    subprocess.run([*bitswap, "decompress", "-q", archive, "-o", str(out)], check=True)
    for own in (tmp_path / "in").iterdir():
        assert (out / "in" / own.name).read_bytes() == own.read_bytes()
