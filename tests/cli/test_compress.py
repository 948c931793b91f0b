"""`compress` and `decompress`, round trip and refusals."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_models import zoo
from bitswap_models.families import register
from tests.cli.conftest import Bitswap, SameContent

needs_models = pytest.mark.skipif(
    not {"gray", "photo"} <= set(zoo.embedded()), reason="the default models are not installed"
)


def test_round_trip(
    bitswap: Bitswap,
    photos: Path,
    made_archive: Path,
    tiny_model: Path,
    tmp_path: Path,
    same_content: SameContent,
) -> None:
    back = tmp_path / "back"
    outcome = bitswap("decompress", made_archive, "-o", back, "--model", tiny_model)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("restored 8 entries")
    same_content(photos, back / "photos")


@needs_models
def test_round_trip_with_the_default_model(
    bitswap: Bitswap, photos: Path, tmp_path: Path, same_content: SameContent
) -> None:
    outcome = bitswap("compress", photos, "-o", tmp_path / "a.bsw")
    assert outcome.code == 0, outcome.err
    assert bitswap("decompress", tmp_path / "a.bsw", "-o", tmp_path / "back").code == 0
    same_content(photos, tmp_path / "back" / "photos")


@needs_models
def test_auto_takes_the_model_that_codes_a_sample_best(
    bitswap: Bitswap, photos: Path, tmp_path: Path
) -> None:
    """The sample's best is, within a few percent, the best for all."""
    gray = tmp_path / "gray"
    gray.mkdir()
    for path in sorted(photos.rglob("*.png")):
        with Image.open(path) as image:
            image.convert("L").save(gray / path.name)
    for folder, channels in ((photos, {3}), (gray, {1, 3})):
        sizes = {}
        for name in zoo.embedded():
            metadata = zoo.read_metadata(zoo.find(name).path)
            family = register.find(metadata["kind"])
            codes = family is not None and family.codes and family.subject == "tiles"
            if codes and metadata["config"]["channels"] in channels:
                path = tmp_path / f"{name}.bsw"
                command = ["compress", folder, "-o", path, "--force", "--no-verify", "--json"]
                sizes[name] = json.loads(bitswap(*command, "--model", name).out)["after"]
        auto = json.loads(bitswap(*command).out)
        # at most the name of a model for other pictures more
        assert 0 <= auto["after"] - sizes[auto["model"]] < 150
        assert auto["after"] <= 1.02 * min(sizes.values()) < max(sizes.values())


@needs_models
def test_speed(bitswap: Bitswap, photos: Path, tmp_path: Path, same_content: SameContent) -> None:
    path = tmp_path / "a.bsw"
    outcome = bitswap("compress", photos, "-o", path, "--speed", "fast", "--json")
    assert json.loads(outcome.out)["model"] == "fast"
    assert bitswap("decompress", path, "-o", tmp_path / "back").code == 0
    same_content(photos, tmp_path / "back" / "photos")
    outcome = bitswap(
        "compress", photos, "-o", tmp_path / "b.bsw", "--speed=small", "--model=photo"
    )
    assert outcome.code == 3 and outcome.err.count("\n") == 1
    assert bitswap("compress", photos, "-o", path, "--speed", "quick").code == 2


@needs_models
def test_no_model_is_named_without_pictures(bitswap: Bitswap, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no picture")
    outcome = bitswap("compress", tmp_path / "a.txt", "-o", tmp_path / "a.bsw", "--json", "-v")
    assert json.loads(outcome.out)["model"] is None
    assert "gray" not in outcome.err


@pytest.mark.parametrize("options", [["--threads", "1"], ["--batch", "1"], ["--no-verify"]])
def test_the_same_bytes_whatever_the_speed(
    bitswap: Bitswap,
    photos: Path,
    made_archive: Path,
    tiny_model: Path,
    tmp_path: Path,
    options: list[str],
) -> None:
    again = tmp_path / "again.bsw"
    assert bitswap("compress", photos, "-o", again, "--model", tiny_model, *options).code == 0
    assert again.read_bytes() == made_archive.read_bytes()


def test_other_scheme(
    bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path, same_content: SameContent
) -> None:
    path = tmp_path / "a.bsw"
    assert (
        bitswap("compress", photos, "-o", path, "--model", tiny_model, "--scheme=bbans").code == 0
    )
    assert json.loads(bitswap("info", path, "--json").out)["scheme"] == "bbans"
    assert bitswap("decompress", path, "-o", tmp_path, "--model", tiny_model).code == 0
    same_content(photos, tmp_path / "photos")


def test_summary(bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    outcome = bitswap("compress", photos, "-o", tmp_path / "a.bsw", "--model", tiny_model)
    heading, figures = outcome.out.splitlines()
    assert heading.split() == ["files", "before", "after", "ratio", "bpd", "MB/s", "model"]
    assert figures.split()[0] == "8"
    assert outcome.err == ""


def test_quiet(bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    outcome = bitswap("compress", "-q", photos, "-o", tmp_path / "a.bsw", "--model", tiny_model)
    assert outcome == (0, "", "")


def test_json(bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.bsw"
    outcome = bitswap("compress", photos, "-o", path, "--model", tiny_model, "--json")
    result = json.loads(outcome.out)
    samples = 100 * 82 * 3 + 66 * 140 + 40 * 40 * 3
    before = sum(file.stat().st_size for file in photos.rglob("*") if file.is_file())
    assert result["archive"] == str(path)
    assert (result["entries"], result["before"], result["samples"]) == (8, before, samples)
    assert result["kinds"] == {"png-exact": 2, "pnm": 1, "file": 4, "dir": 1}
    assert result["after"] == path.stat().st_size
    assert 0 < result["net_bpd"] <= result["bpd"]
    assert result["verified"] is True
    back = bitswap("decompress", path, "-o", tmp_path, "--model", tiny_model, "--json")
    assert json.loads(back.out)["samples"] == samples
    assert json.loads(back.out)["entries"] == 8


def test_missing_source(bitswap: Bitswap, tmp_path: Path, photos: Path) -> None:
    outcome = bitswap("compress", photos, tmp_path / "no\nne", "-o", tmp_path / "a.bsw")
    assert outcome.code == 3
    assert r"no\nne" in outcome.error_line()
    assert list(tmp_path.iterdir()) == []


def test_existing_output(bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.bsw"
    path.write_bytes(b"precious")
    command = ["compress", photos, "-o", path, "--model", tiny_model]
    outcome = bitswap(*command)
    assert outcome.code == 3
    assert "--force" in outcome.error_line()
    assert path.read_bytes() == b"precious"
    assert bitswap(*command, "--force").code == 0
    assert path.read_bytes() != b"precious"


def test_output_in_no_folder(
    bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "none" / "a.bsw"
    outcome = bitswap("compress", photos, "-o", path, "--model", tiny_model)
    assert outcome.code == 3
    assert "none" in outcome.error_line()


def test_unknown_model(bitswap: Bitswap, photos: Path, tmp_path: Path) -> None:
    outcome = bitswap("compress", photos, "-o", tmp_path / "a.bsw", "--model", "nobody")
    assert outcome.code == 5
    assert "nobody" in outcome.error_line()
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_model(bitswap: Bitswap, photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "fake.safetensors"
    path.write_bytes(b"\xff" * 100)
    outcome = bitswap("compress", photos, "-o", tmp_path / "a.bsw", "--model", path)
    assert outcome.code == 5
    assert "fake.safetensors" in outcome.error_line()


def test_archive_that_does_not_verify_does_not_appear(
    bitswap: Bitswap,
    photos: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ArchiveError("a chunk is damaged")

    monkeypatch.setattr("bitswap_cli.api.compress.check", fail)
    outcome = bitswap("compress", photos, "-o", tmp_path / "a.bsw", "--model", tiny_model)
    assert outcome.code == 4
    assert "did not verify: a chunk is damaged" in outcome.error_line()
    assert outcome.out == ""
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_other_files(
    bitswap: Bitswap, photos: Path, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.bsw"
    outcome = bitswap("compress", photos / "notes.txt", "-o", path, "--model", tiny_model, "--json")
    assert json.loads(outcome.out)["bpd"] is None
    assert bitswap("decompress", path, "-o", tmp_path / "back").code == 0
    assert (tmp_path / "back" / "notes.txt").read_bytes() == (photos / "notes.txt").read_bytes()


def test_what_cannot_be_archived_is_named(
    bitswap: Bitswap, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_text("1")
    os.mkfifo(folder / "a\npipe")
    output = folder / "a.bsw"
    arguments = ("compress", folder, "-o", output, "--model", tiny_model)
    outcome = bitswap(*arguments, "--json", "-q")
    assert outcome.code == 6
    assert outcome.err.splitlines() == [
        f"bitswap: skipped: {folder}/a\\npipe: it is a pipe",
        f"bitswap: error: {output} holds everything else: 1 skipped, as named above",
    ]
    report = json.loads(outcome.out)
    assert report["entries"] == 1 and report["verified"]
    assert report["skipped"] == {f"{folder}/a\npipe": "it is a pipe"}
    outcome = bitswap(*arguments, "--force", "--strict")
    assert outcome.code == 3 and "it is a pipe" in outcome.error_line()
    (folder / "a\npipe").unlink()
    (folder / "link").symlink_to("../../x")
    outcome = bitswap(*arguments, "--force")
    assert outcome.code == 0
    assert f"note: {output} is to be written: it is left out\n" in outcome.err
    assert "outside of what is archived" in outcome.err
    assert bitswap("decompress", output, "-o", tmp_path / "out").code == 6
    assert sorted(os.listdir(tmp_path / "out" / "in")) == ["a"]


def test_nothing_is_left_to_archive(bitswap: Bitswap, tiny_model: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    outcome = bitswap("compress", pipe, "-o", tmp_path / "a.bsw", "--model", tiny_model)
    assert outcome.code == 3 and "it is a pipe" in outcome.error_line()
    output = tmp_path / "b.bsw"
    output.write_text("old")
    outcome = bitswap("compress", output, "-o", output, "--force", "--model", tiny_model)
    assert outcome.code == 3 and "is to be written" in outcome.error_line()
    assert output.read_text() == "old"
