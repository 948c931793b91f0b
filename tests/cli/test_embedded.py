"""Files that hold pictures, from end to end: found without a word of what holds them."""

import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitswap_cli
from tests.cli.conftest import Bitswap
from tests.images.formats.jpeg.files import photograph, pillow


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def holders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TAR, a ZIP, a PDF, an MP3 with a cover; a picture of the TAR beside it, and a text."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "holders"
    folder.mkdir()
    jpegs = [pillow(photograph(100, 130, seed=k), quality=92) for k in range(3)]
    pictures = {"a.jpg": jpegs[0], "b.png": png(photograph(60, 50, seed=3)), "c.jpg": jpegs[1]}
    with tarfile.open(folder / "shard.tar", "w") as tar:
        for name, data in pictures.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with zipfile.ZipFile(folder / "book.cbz", "w") as book:
        for name, data in {**pictures, "d.jpg": jpegs[2]}.items():
            book.writestr(name, data)
    pages = [Image.fromarray(photograph(80, 90, seed=k)) for k in (5, 6)]
    pages[0].save(folder / "pages.pdf", save_all=True, append_images=pages[1:])
    frames = np.random.default_rng(1).bytes(5000)
    (folder / "song.mp3").write_bytes(b"ID3\4\0\0" + jpegs[2] + frames)
    (folder / "a.jpg").write_bytes(jpegs[0])
    (folder / "notes.txt").write_text("\N{LATIN SMALL LETTER Y WITH DIAERESIS} no picture")
    return folder


@pytest.mark.parametrize("options", [(), ("--speed", "fast"), ("--pixels",), ("--model", "photo")])
def test_they_come_back(holders: Path, bitswap: Bitswap, options: tuple[str, ...]) -> None:
    done = bitswap("compress", "holders", "-o", "a.bsw", "--json", "--strict", *options)
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["kinds"] == {"host": 4, "jpeg": 1, "file": 1} and told["entries"] == 6
    assert told["after"] < 0.85 * told["before"]
    for command in (["test", "a.bsw"], ["decompress", "a.bsw", "-o", "out", "--pixels"]):
        assert bitswap(*command).code == 0
    assert subprocess.run(["diff", "-r", "holders", "out/holders"], check=False).returncode == 0
    assert bitswap("verify", "a.bsw", ".").code == 0


def test_what_is_told_of_them(holders: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "holders", "-o", "a.bsw").code == 0
    listed = bitswap("list", "-v", "a.bsw").out.replace("by mixing; ", "")
    assert "//" not in listed and len(listed.splitlines()) == 6
    assert "holders/shard.tar (3 pictures inside)" in listed
    assert "holders/song.mp3 (1 picture inside)" in listed
    entries = json.loads(bitswap("list", "--json", "a.bsw").out)["entries"]
    inside = {entry["name"].partition("/")[2]: entry["inside"] for entry in entries}
    expected = {"shard.tar": 3, "book.cbz": 4, "pages.pdf": 2, "song.mp3": 1}
    assert inside == {**expected, "a.jpg": 0, "notes.txt": 0}
    with bitswap_cli.open("a.bsw") as archive:
        assert {name.partition("/")[2]: archive.info(name).inside for name in archive} == inside
    described = json.loads(bitswap("info", "--json", "a.bsw").out)
    assert described["inside"] == 10 and described["entries"] == 6
    jpegs = described["coders"]["jpeg"]
    assert jpegs["files"] > 1 and jpegs["after"] == described["jpeg_bytes"] < jpegs["before"]
    assert "embedded" in described["features"] and described["kinds"]["host"]["restored"] == "bytes"
    assert bitswap("decompress", "a.bsw", "-o", "one", "holders/song.mp3").code == 0
    assert [path.name for path in Path("one/holders").iterdir()] == ["song.mp3"]
    assert Path("one/holders/song.mp3").read_bytes() == (holders / "song.mp3").read_bytes()


def test_a_folder_without_hosts_says_nothing_of_them(holders: Path, bitswap: Bitswap) -> None:
    for name in ("shard.tar", "book.cbz", "pages.pdf", "song.mp3"):
        (holders / name).unlink()
    assert bitswap("compress", "holders", "-o", "a.bsw").code == 0
    described = json.loads(bitswap("info", "--json", "a.bsw").out)
    assert "embedded" not in described["features"] and described["inside"] == 0


def test_damage_is_told_by_the_names_of_hosts(holders: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "holders", "-o", "a.bsw").code == 0
    data = bytearray(Path("a.bsw").read_bytes())
    data[data.index(b"JPEG", 200) + 5000] ^= 1
    Path("a.bsw").write_bytes(data)
    assert bitswap("test", "a.bsw").code == 4
    done = bitswap("decompress", "a.bsw", "-o", "out", "--keep-going")
    assert done.code == 6 and "//" not in done.err
    for name in ("shard.tar", "book.cbz", "pages.pdf", "song.mp3", "a.jpg"):
        assert f"holders/{name}" in done.err
    assert [path.name for path in Path("out/holders").iterdir()] == ["notes.txt"]
