"""`compress`: nothing appears before it is verified, and what was there stays until then."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import bitswap_cli
from bitswap_cli.api import compress as job
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources import seen as seen_module
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.coding import ChunkCodec
from bitswap_cli.contract import Integers, Samples
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_models import zoo
from tests.api.conftest import waves
from tests.archive.opened import opened

pytestmark = pytest.mark.skipif("photo" not in zoo.embedded(), reason="no model is installed")


@pytest.fixture
def predecessor(photos: Path) -> Path:
    path = photos.parent / "photos.bsw"
    path.write_bytes(b"precious")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("stage", ["compress", "verify"])
def test_an_interruption_leaves_what_was_there(photos: Path, predecessor: Path, stage: str) -> None:
    def interrupt(now: str, done: int, total: int) -> None:
        assert predecessor.read_bytes() == b"precious"
        if now == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bitswap_cli.compress("photos", predecessor, model="photo", force=True, progress=interrupt)
    assert predecessor.read_bytes() == b"precious"
    assert names(photos.parent) == ["photos", "photos.bsw"]


def test_an_archive_that_does_not_verify_never_appears(
    photos: Path, predecessor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ChunkCodec.decode

    def wrong(
        self: ChunkCodec, words: bytes, sizes: Integers, factor: int = 1
    ) -> tuple[Samples, bytes]:
        tiles, payload = real(self, words, sizes, factor)
        return tiles ^ 1, payload

    monkeypatch.setattr(ChunkCodec, "decode", wrong)
    with pytest.raises(ArchiveError, match=r"photos\.bsw was not written, .* verify: .*checksum"):
        bitswap_cli.compress("photos", predecessor, model="photo", force=True)
    assert predecessor.read_bytes() == b"precious"
    assert names(photos.parent) == ["photos", "photos.bsw"]
    report = bitswap_cli.compress("photos", predecessor, model="photo", force=True, verify=False)
    assert not report.verified and predecessor.read_bytes() != b"precious"


def test_refusals(photos: Path, predecessor: Path) -> None:
    with pytest.raises(InputError, match="exists"):
        bitswap_cli.compress("photos", predecessor, model="photo")
    with pytest.raises(InputError, match="nothing to compress"):
        bitswap_cli.compress([], "a.bsw")
    with pytest.raises(InputError, match="--fit"):
        bitswap_cli.compress("photos", "a.bsw", save_model="m.safetensors")
    assert names(photos.parent) == ["photos", "photos.bsw"]


def test_a_model_that_is_a_candidate_is_read_once_and_others_never(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    read: list[str] = []
    real = zoo.read

    def reading(path: Path, name: str) -> zoo.ModelFile:
        read.append(name)
        return real(path, name)

    monkeypatch.setattr(zoo, "read", reading)
    bitswap_cli.compress(photos, "a.bsw", notes=notes.append)
    loaded = [line.split()[1].rstrip(",") for line in notes if "SHA-256" in line]
    assert read == loaded == ["large"]


def test_fast_takes_its_model_without_a_trial(photos: Path) -> None:
    notes: list[str] = []
    report = bitswap_cli.compress(photos, "a.bsw", speed="fast", notes=notes.append)
    assert report.model == "fast" and report.verified
    assert [line.split()[1].rstrip(",") for line in notes] == ["fast"]
    Image.fromarray(waves(140, 130, 2)[:, :, 0]).save(photos / "gray.png")
    report = bitswap_cli.compress(photos / "gray.png", "b.bsw", speed="fast")
    assert (report.model, report.tile_entries) == ("fast", 1)


def test_fast_can_be_fitted(photos: Path) -> None:
    Image.fromarray(waves(64, 64, 4)).convert("RGBA").save(photos / "alpha.png")
    report = bitswap_cli.compress(photos, "a.bsw", speed="fast", fit_steps=20)
    assert report.model == "fast" and report.verified
    assert report.saved is not None and report.saved >= 0


def test_fast_squeezes_other_files_less(photos: Path) -> None:
    text = b"".join(b"%d bottles of beer on the wall\n" % (k * k) for k in range(20_000))
    (photos / "notes.txt").write_bytes(text)
    sizes = {
        speed: bitswap_cli.compress(photos / "notes.txt", f"{speed}.bsw", speed=speed).bytes_after
        for speed in ("fast", "balanced", "small")
    }
    assert sizes["balanced"] == sizes["small"] < sizes["fast"] < len(text) / 2
    bitswap_cli.decompress("fast.bsw", "back")
    assert Path("back/notes.txt").read_bytes() == text


def test_balanced_is_the_default(photos: Path) -> None:
    notes: list[str] = []
    bitswap_cli.compress(photos, "a.bsw", notes=notes.append)
    bitswap_cli.compress(photos, "b.bsw", speed="balanced", model="auto")
    assert Path("a.bsw").read_bytes() == Path("b.bsw").read_bytes()
    assert {line.split()[1] for line in notes if line.startswith("model")} == {"large,"}


def test_small_turns_small_pictures(photos: Path) -> None:
    for name in ("a.png", "b.png"):  # of light from the other side
        with Image.open(photos / name) as image:
            image.transpose(Image.Transpose.ROTATE_180).save(photos / f"turned-{name}")
    sizes = {
        speed: bitswap_cli.compress(photos, f"{speed}.bsw", speed=speed).bytes_after
        for speed in ("balanced", "small")
    }
    assert sizes["small"] < sizes["balanced"]
    with ArchiveReader("small.bsw") as small, ArchiveReader("balanced.bsw") as balanced:
        assert small.header.oriented and not balanced.header.oriented
    bitswap_cli.decompress("small.bsw", "back")
    for path in photos.glob("*.png"):
        with Image.open(path) as one, Image.open(Path("back/photos") / path.name) as other:
            assert one.tobytes() == other.tobytes()


def test_small_leaves_large_pictures_as_they_are(photos: Path) -> None:
    Image.fromarray(waves(130, 140, 3)).save(photos / "large.png")
    source = photos / "large.png"
    reports = {
        speed: bitswap_cli.compress(source, f"{speed}.bsw", speed=speed)
        for speed in ("balanced", "small")
    }
    assert reports["small"].bytes_after <= reports["balanced"].bytes_after
    with ArchiveReader("small.bsw") as small:
        assert not small.header.oriented
        assert "common" in small.header.features
    bitswap_cli.decompress("small.bsw", "back")
    with Image.open(source) as one, Image.open("back/large.png") as other:
        assert one.tobytes() == other.tobytes()


def test_a_speed_and_a_model_are_refused_together(photos: Path) -> None:
    with pytest.raises(InputError, match="--speed .* --model .* give one"):
        bitswap_cli.compress(photos, "a.bsw", model="photo", speed="fast")
    with pytest.raises(InputError, match="'quick': give fast, balanced, small"):
        bitswap_cli.compress(photos, "a.bsw", speed="quick")
    assert not Path("a.bsw").exists()


def test_what_goes_missing_on_the_way_makes_no_archive_the_smallest(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "large").write_bytes(os.urandom(10_000))
    real = pack_into
    reports: list[PackReport] = []

    def then_lose_it(*arguments: Any, **options: Any) -> PackReport:
        reports.append(real(*arguments, **options))
        (photos / "large").unlink(missing_ok=True)
        return reports[-1]

    monkeypatch.setattr(job, "pack_into", then_lose_it)
    report = bitswap_cli.compress(photos, "a.bsw", model="photo", fit_steps=1)
    assert [one.entries for one in reports] == [4, 3]
    assert list(reports[1].skipped) == [str(photos / "large")]
    assert (report.entries, report.skipped, report.saved) == (4, {}, 0)


def test_the_report(photos: Path) -> None:
    stages: Counter[str] = Counter()
    notes: list[str] = []
    report = bitswap_cli.compress(
        photos, "a.bsw", fit_steps=2, notes=notes.append, threads=1,
        progress=lambda stage, done, total: stages.update([stage]),
    )  # fmt: skip
    assert report.bytes_after == (photos.parent / "a.bsw").stat().st_size
    assert report.model in zoo.embedded() and report.scheme == "bitswap"
    assert any("codes the sample" in line for line in notes)
    assert stages["fit"] == 2 and stages["verify"] and stages["compress"]
    assert report.saved is not None and report.saved >= 0
    assert report.net_bpd and report.bpd and report.ratio
    assert report.net_bpd < report.bpd and report.ratio < 1


@pytest.mark.parametrize(
    "options", [{"model": "photo"}, {}, {"fit_steps": 3}], ids=["plain", "auto", "fit"]
)
def test_a_command_reads_inflates_and_proves_each_picture_once(
    photos: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    for seed in range(30):
        Image.fromarray(waves(30, 31, seed)).save(photos / f"{seed}.png")
        os.utime(photos / f"{seed}.png", (seed, seed))  # which decide what bits come first
    calls: Counter[tuple[str, bytes]] = Counter()
    for name in ("describe", "inspect_exact", "decode"):
        real = getattr(seen_module, name)

        def counted(
            data: bytes,
            *more: str,
            name: str = name,
            real: Callable[..., object] = real,
            **options: bool,
        ) -> object:
            calls[name, data] += 1
            return real(data, *more, **options)

        monkeypatch.setattr(seen_module, name, counted)
    with opened() as opens:
        report = bitswap_cli.compress(photos, "a.bsw", threads=1, **options)
    assert (report.kinds, report.skipped) == ({"png-exact": 32, "file": 1}, {})
    # it may be opened before, to see whether it begins as a JPEG, or other pictures may lie in it,
    # and where another file has its size, whether they are equal
    assert max(count for name, count in opens.items() if name.endswith(".png")) <= 4
    assert set(calls.values()) == {1}
    assert {name for name, _ in calls} == {"describe", "inspect_exact"}
