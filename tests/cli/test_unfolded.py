"""Files that hold deflate streams, from end to end."""

import base64
import gzip
import io
import json
import subprocess
import tarfile
import zipfile
from email.mime.image import MIMEImage
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Bitswap
from tests.images.formats.jpeg.files import photograph, pillow


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Documents as ZIP files of XML, one with a photograph; gzip files of a text, of pictures, and
    one that is cut."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "office"
    folder.mkdir()
    for number in range(3):
        text = "".join(f"<p n='{k}'>{k * k * number % 997}</p>\n" for k in range(500))
        with zipfile.ZipFile(folder / f"{number}.docx", "w", zipfile.ZIP_DEFLATED) as pack:
            pack.writestr("document.xml", text)
            pack.writestr("styles.xml", "<style>all the same</style>\n" * 50)
            if not number:
                picture = pillow(photograph(90, 100, seed=3), quality=90)
                pack.writestr("photo.jpg", picture, zipfile.ZIP_STORED)
    log = "\n".join(f"{k} of many lines, {k * 7919 % 10007}" for k in range(900)).encode()
    (folder / "log.gz").write_bytes(gzip.compress(log))
    bmp = io.BytesIO()
    Image.fromarray(photograph(70, 60, seed=4)).save(bmp, "BMP")
    with tarfile.open(folder / "pictures.tar.gz", "w:gz") as tar:
        for name, data in (("a.jpg", pillow(photograph(99, 90, seed=5), quality=90)), ("log", log)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (folder / "bmp.gz").write_bytes(gzip.compress(bmp.getvalue()))
    (folder / "cut.gz").write_bytes(gzip.compress(log)[:-3000])
    return folder


@pytest.mark.parametrize("options", [(), ("--speed", "fast"), ("--model", "photo")])
def test_they_come_back(office: Path, bitswap: Bitswap, options: tuple[str, ...]) -> None:
    done = bitswap("compress", "office", "-o", "a.bsw", "--json", "--strict", *options)
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    least = 5 if "fast" in options else 6  # whose zstd leaves more of the text
    assert told["kinds"] == {"unfolded": least, "file": 7 - least} and told["entries"] == 7
    assert told["after"] < 0.9 * told["before"]
    for command in (["test", "a.bsw"], ["decompress", "a.bsw", "-o", "out"]):
        assert bitswap(*command).code == 0
    assert subprocess.run(["diff", "-r", "office", "out/office"], check=False).returncode == 0
    assert bitswap("verify", "a.bsw", ".").code == 0
    assert bitswap("decompress", "a.bsw", "-o", "one", "office/1.docx").code == 0
    assert [path.name for path in Path("one/office").iterdir()] == ["1.docx"]


def test_what_is_told_of_them(office: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "office", "-o", "a.bsw").code == 0
    listed = bitswap("list", "-v", "a.bsw").out.replace("by mixing; ", "")
    assert "office/0.docx (1 picture inside)" in listed and "//" not in listed
    described = json.loads(bitswap("info", "--json", "a.bsw").out)
    assert described["inside"] == 3 and {"streams", "embedded"} <= set(described["features"])
    told = described["kinds"]["unfolded"]
    assert (told["entries"], told["restored"]) == (6, "bytes")
    before = sum(p.stat().st_size for p in office.iterdir() if p.name != "cut.gz")
    assert told["before"] == before


def test_damage_is_told_by_their_names(office: Path, bitswap: Bitswap) -> None:
    for name in ("0.docx", "pictures.tar.gz", "bmp.gz"):
        (office / name).unlink()
    (office / "note").write_bytes(b"no stream")
    assert bitswap("compress", "office", "-o", "a.bsw").code == 0
    data = bytearray(Path("a.bsw").read_bytes())
    data[data.rindex(b"BYTE") + 2000] ^= 1
    Path("a.bsw").write_bytes(data)
    assert bitswap("test", "a.bsw").code == 4
    done = bitswap("decompress", "a.bsw", "-o", "out", "--keep-going")
    assert done.code == 6 and "office/log.gz" in done.err


def test_a_folder_without_streams_says_nothing_of_them(office: Path, bitswap: Bitswap) -> None:
    for path in office.iterdir():
        if path.name != "cut.gz":
            path.unlink()
    assert bitswap("compress", "office", "-o", "a.bsw").code == 0
    assert "streams" not in json.loads(bitswap("info", "--json", "a.bsw").out)["features"]


def test_pictures_in_texts_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bitswap: Bitswap
) -> None:
    """In notebooks, mail and HTML, beside a picture that is the same."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "texts"
    folder.mkdir()
    photo = pillow(photograph(120, 100, seed=6), quality=90)
    out = io.BytesIO()
    Image.fromarray(photograph(60, 50, seed=7)).save(out, "PNG")
    told = {"cells": [{"image/png": base64.encodebytes(out.getvalue()).decode()}] * 2}
    (folder / "a.ipynb").write_text(json.dumps(told))
    (folder / "mail.eml").write_bytes(MIMEImage(photo, "jpeg").as_bytes())
    (folder / "page.html").write_bytes(b"<img src='data:," + base64.b64encode(photo) + b"'/>")
    (folder / "photo.jpg").write_bytes(photo)
    done = bitswap("compress", "texts", "-o", "a.bsw", "--json", "--strict")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["kinds"] == {"unfolded-text": 3, "jpeg": 1}
    assert told["after"] < 2 * len(photo)
    assert bitswap("decompress", "a.bsw", "-o", "out").code == 0
    assert subprocess.run(["diff", "-r", "texts", "out/texts"], check=False).returncode == 0
    assert bitswap("verify", "a.bsw", ".").code == 0
    features = json.loads(bitswap("info", "--json", "a.bsw").out)["features"]
    assert {"texts", "embedded", "copies"} <= set(features)
