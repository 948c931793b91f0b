"""`bitswap decompress`: choice, models, damage and the exit codes."""

import hashlib
import os
from pathlib import Path

import pytest
from PIL import Image

from bitswap_models import zoo
from tests.cli.conftest import Bitswap

needs_models = pytest.mark.skipif(
    not {"gray", "photo"} <= set(zoo.embedded()), reason="the default models are not installed"
)


def test_entries_can_be_chosen(
    bitswap: Bitswap, archive: Path, tiny_model: Path, tmp_path: Path
) -> None:
    command = ["decompress", archive, "-o", tmp_path / "back", "--model", tiny_model]
    assert bitswap(*command, "photos/deep", "photos/notes.txt").code == 0
    restored = [path for path in (tmp_path / "back").rglob("*") if path.is_file()]
    assert {path.name for path in restored} == {"gray.png", "raw.ppm", "notes.txt"}
    assert bitswap(*command, "photos/absent").code == 3


def test_pixels_are_enough_if_asked_for(
    bitswap: Bitswap, archive: Path, tiny_model: Path, tmp_path: Path, photos: Path
) -> None:
    command = ["decompress", archive, "-o", tmp_path, "--model", tiny_model, "--pixels"]
    assert bitswap(*command).code == 0
    for name in ("color.png", "deep/gray.png"):
        before, after = photos / name, tmp_path / "photos" / name
        assert before.read_bytes() != after.read_bytes()
        with Image.open(before) as first, Image.open(after) as second:
            assert (first.mode, first.tobytes()) == (second.mode, second.tobytes())
    assert (tmp_path / "photos" / "notes.txt").read_bytes() == (photos / "notes.txt").read_bytes()


def test_existing_files_are_not_replaced(
    bitswap: Bitswap, archive: Path, tiny_model: Path, tmp_path: Path, photos: Path
) -> None:
    command = ["decompress", archive, "-o", tmp_path, "--model", tiny_model]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("precious")
    outcome = bitswap(*command)
    assert outcome.code == 3
    assert "notes.txt" in outcome.error_line()
    assert (tmp_path / "photos" / "notes.txt").read_text() == "precious"
    assert bitswap(*command, "--force").code == 0
    assert (tmp_path / "photos" / "notes.txt").read_bytes() == (photos / "notes.txt").read_bytes()


def test_model_that_is_not_here(bitswap: Bitswap, made_archive: Path, tmp_path: Path) -> None:
    outcome = bitswap("decompress", made_archive, "-o", tmp_path / "back")
    assert outcome.code == 5
    assert "unknown model 'tiny'" in outcome.error_line()
    assert not list((tmp_path / "back").rglob("*.png"))


def test_model_of_another_hash(
    bitswap: Bitswap, archive: Path, tiny_model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(tiny_model.read_bytes() + b" ")
    outcome = bitswap("decompress", archive, "-o", tmp_path / "back", "--model", other)
    assert outcome.code == 5
    assert "is not the model of the archive" in outcome.error_line()


def test_another_version_of_the_model(
    bitswap: Bitswap, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive's model has the name of a model that is here, but not its hash."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("BITSWAP_CACHE", str(cache))
    folder = cache / "tiny"
    folder.mkdir(parents=True)
    content = b"another version"
    name = hashlib.sha256(content).hexdigest()
    (folder / f"{name}.safetensors").write_bytes(content)
    outcome = bitswap("test", archive)
    assert outcome.code == 5
    assert "another version" in outcome.error_line()


def test_downloaded_model_is_found_by_its_hash(
    bitswap: Bitswap,
    archive: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("BITSWAP_CACHE", str(cache))
    file = zoo.resolve(str(tiny_model))
    (cache / "tiny").mkdir(parents=True)
    os.link(file.path, cache / "tiny" / f"{file.sha256}.safetensors")
    assert bitswap("test", archive).code == 0


@pytest.mark.parametrize("verb", ["list", "info", "test", "decompress"])
def test_not_an_archive(bitswap: Bitswap, tmp_path: Path, verb: str) -> None:
    options = ["-o", tmp_path / "back"] if verb == "decompress" else []
    for content in (b"", b"PK\x03\x04", b"text\n" * 100):
        (tmp_path / "fake.bsw").write_bytes(content)
        outcome = bitswap(verb, tmp_path / "fake.bsw", *options)
        assert outcome.code == 4
        assert "fake.bsw" in outcome.error_line()
    assert bitswap(verb, tmp_path / "none.bsw", *options).code == 3
    assert bitswap(verb, tmp_path, *options).code == 3


def test_newer_version(bitswap: Bitswap, archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[8] = 6
    archive.write_bytes(content)
    outcome = bitswap("list", archive)
    assert outcome.code == 5
    assert "version 6" in outcome.error_line()


def test_truncated(bitswap: Bitswap, archive: Path, tiny_model: Path) -> None:
    content = archive.read_bytes()
    for length in range(0, len(content), len(content) // 20):
        archive.write_bytes(content[:length])
        outcome = bitswap("test", archive, "--model", tiny_model)
        assert outcome.code == 4
        assert outcome.error_line()


def pixels(path: Path) -> tuple[str, tuple[int, int], bytes]:
    """Mode, size and bytes of a picture."""
    with Image.open(path) as image:
        return image.mode, image.size, image.tobytes()


def test_damaged_chunk_and_keep_going(
    bitswap: Bitswap, archive: Path, tiny_model: Path, tmp_path: Path, photos: Path
) -> None:
    """The other files come back although a chunk of pictures is damaged."""
    content = bytearray(archive.read_bytes())
    content[content.index(b"TILE") + 200] ^= 1
    archive.write_bytes(content)
    command = ["decompress", archive, "-o", tmp_path / "back", "--model", tiny_model]
    assert bitswap("test", archive, "--model", tiny_model).code == 4
    assert bitswap(*command).code == 4
    outcome = bitswap(*command, "--keep-going", "--force")
    assert outcome.code == 6
    assert outcome.error_line()
    restored = tmp_path / "back" / "photos" / "notes.txt"
    assert restored.read_bytes() == (photos / "notes.txt").read_bytes()
    pictures = ["color.png", "deep/gray.png", "deep/er/raw.ppm"]
    back = [name for name in pictures if (tmp_path / "back" / "photos" / name).exists()]
    assert len(back) < len(pictures)
    for name in back:
        assert pixels(tmp_path / "back" / "photos" / name) == pixels(photos / name)


def test_owners_take_root_and_attributes_do_not(
    bitswap: Bitswap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever restores says what of it he wants; what is not there is told in a note."""
    archive, file = tmp_path / "a.bsw", tmp_path / "notes.txt"
    file.write_text("not an image")
    file.chmod(0o640)
    assert bitswap("compress", file, "-o", archive, "--no-xattrs").code == 0
    command = ["decompress", archive, "-o", tmp_path / "back"]
    with monkeypatch.context() as patched:
        patched.setattr("os.geteuid", lambda: 1000, raising=False)
        outcome = bitswap(*command, "--owners")
    assert outcome.code == 3 and "only root can restore owners" in outcome.error_line()
    assert bitswap(*command, "--no-xattrs").code == 0
    assert (tmp_path / "back" / "notes.txt").stat().st_mode & 0o7777 == 0o640
    if os.geteuid():
        return
    os.chown(file, 12, 13)
    for owner, options in ((0, []), (12, ["--owners"])):
        assert bitswap("compress", file, "-o", archive, "--force", *options).code == 0
        outcome = bitswap(*command, "--force", "--owners")
        assert outcome.code == 0 and ("tells no owners" in outcome.err) == (owner == 0)
        assert (tmp_path / "back" / "notes.txt").stat().st_uid == owner
