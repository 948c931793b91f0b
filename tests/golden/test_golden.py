"""Frozen archives come back, with the models that are installed with the package (README.md)."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.cli.main import run
from bitswap_models import zoo

HERE = Path(__file__).parent
MANIFEST_FILE = HERE / "manifest.json"
MANIFEST = json.loads(MANIFEST_FILE.read_text()) if MANIFEST_FILE.exists() else {}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is downloaded, and nothing downloaded before is used."""
    registry = tmp_path / "registry.toml"
    registry.write_text("")
    monkeypatch.setenv("BITSWAP_REGISTRY", str(registry))
    monkeypatch.setenv("BITSWAP_CACHE", str(tmp_path / "cache"))


def digest(path: Path, restored: str) -> str:
    """What the manifest holds for a restored file."""
    if restored == "bytes":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    with Image.open(path) as image:
        line = f"{image.mode} {image.width} {image.height}\n"
        return hashlib.sha256(line.encode() + image.tobytes()).hexdigest()


def test_no_archive_has_been_lost_or_added_unseen() -> None:
    assert sorted(path.name for path in HERE.glob("*.bsw")) == sorted(MANIFEST)


@pytest.mark.parametrize("batch", ["1", "64"])
@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_golden_archives_come_back(name: str, batch: str, tmp_path: Path) -> None:
    archive, expected = HERE / name, MANIFEST[name]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == expected["sha256"], "it is frozen"
    out = tmp_path / "out"
    assert run(["decompress", "-q", str(archive), "-o", str(out), "--batch", batch]) == 0
    restored = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert restored == set(expected["entries"])
    for entry, row in expected["entries"].items():
        assert digest(out / entry, row["restored"]) == row["sha256"], entry


def test_hard_links_come_back_as_such(tmp_path: Path) -> None:
    archive = HERE / "photo-copies-5.bsw"
    assert run(["decompress", "-q", str(archive), "-o", str(tmp_path)]) == 0
    files: dict[int, list[str]] = {}
    for path in sorted(tmp_path.rglob("*.*")):
        files.setdefault(path.stat().st_ino, []).append(path.relative_to(tmp_path).as_posix())
    assert [names for names in files.values() if len(names) > 1] == [
        ["golden/again/photo.ppm", "golden/linked/photo.ppm"],
        ["golden/linked/text.txt", "golden/text.txt"],
    ]


def test_sizes_that_older_archives_tell_are_listed() -> None:
    with ArchiveReader(HERE / "photo-bitswap.bsw") as reader:
        entries = list(reader.entries())
    assert {entry.crc for entry in entries} == {None}
    assert any(entry.shape for entry in entries)
    assert all(entry.size for entry in entries)


def test_the_doctor_has_a_golden_archive_of_the_default_model() -> None:
    assert zoo.GOLDEN_ARCHIVE.read_bytes() == (HERE / "photo-bitswap.bsw").read_bytes()
