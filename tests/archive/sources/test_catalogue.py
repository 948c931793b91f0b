"""Whatever is done with sources, each is opened, decoded and proved once."""

import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.sources import catalogue as catalogue_module
from bitswap_cli.archive.sources import seen as seen_module
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.lookers import Look, lookers
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.material import material
from bitswap_cli.archive.writing.pack import pack, pack_into
from bitswap_cli.archive.writing.probe import probes
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import InputError
from bitswap_cli.images.deflate.makers import MAKERS
from bitswap_cli.images.formats.format import Kind
from bitswap_cli.images.formats.png.chunks import Head
from bitswap_cli.images.formats.png.filters import PILLOW, least
from bitswap_cli.images.packings.filters import filtered, sums
from tests.archive.opened import opened
from tests.archive.support import (
    ZlibCodec,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)
from tests.images.deflate.streams import by_libdeflate, thrifty
from tests.images.formats.png.files import lines, png
from tests.images.formats.samples import files
from tests.images.png_files import write_png


class WideCodec(ZlibCodec):
    """Knows pictures of any number of channels."""

    def of(self, channels: int) -> ZlibCodec:
        return self if channels in (1, self.channels) else ZlibCodec(channels)


class Counts:
    """How often each picture was opened, decoded, and proved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inflates: dict[bytes, int] = {}
        self.proofs: dict[bytes, int] = {}
        self.descriptions: dict[bytes, int] = {}
        for name in ("describe", "inspect", "inspect_wide", "inspect_exact", "decode"):
            monkeypatch.setattr(seen_module, name, self._counted(name))

    def _counted(self, name: str) -> Callable[..., object]:
        real = getattr(seen_module, name)

        def call(data: bytes, *more: object, **options: bool) -> object:
            found = real(data, *more, **options)
            if found and name == "describe":
                self.descriptions[data] = self.descriptions.get(data, 0) + 1
            elif found:
                self.inflates[data] = self.inflates.get(data, 0) + 1
                self.proofs[data] = self.proofs.get(data, 0) + (name != "decode")
            return found

        return call

    def during(self, work: Callable[[], object]) -> tuple[dict[str, int], set[int], set[int]]:
        """Opens of each picture by name, inflates and proofs of any."""
        with opened() as opens:
            work()
        pictures = {n: count for n, count in opens.items() if n[-4:] in (".png", ".ppm")}
        return pictures, set(self.inflates.values()), set(self.proofs.values())


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return Counts(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        write(tmp_path / "in" / f"{number}.ppm", encoded(smooth(20, 31, seed=number), "PPM"))
    for number in range(4):
        pixels = smooth(20, 31, 4, seed=number)
        write(tmp_path / "in" / f"rgba{number}.png", write_png(pixels, 8, 6))
    write(tmp_path / "in" / "notes.txt", b"no picture")
    return tmp_path / "in"


def everything(folder: Path, out: Path, *, room: int = 1 << 30, rounds: int = 3) -> Catalogue:
    """Choose by a sample, fit three times, pack twice: the most that a command does."""
    codec = WideCodec()
    catalogue = Catalogue([folder], wide=True, room=room)
    probes(catalogue)
    for _ in range(rounds):
        material(catalogue, codec, threads=1)
    for again in (True, False):
        features = {"described", "samples", *(() if again else ("wide", "turned"))}
        header = header_for(codec).using(features)
        with ArchiveWriter(out, header, catalogue.sources, force=True) as writer:
            pack_into(writer, catalogue, Codecs({0: codec}), again=again)
            writer.commit()
    return catalogue


def test_once_a_command(folder: Path, tmp_path: Path, counts: Counts) -> None:
    opens, *others = counts.during(lambda: everything(folder, tmp_path / "a"))
    assert others == [{1}, {1}]
    assert set(counts.descriptions.values()) == {1} and len(counts.descriptions) == 4
    for name, count in opens.items():
        # twice to see how it begins, and if others lie in it; once more where another file has its
        # size; the first archive keeps wide pictures as files
        assert count == (3 + (".ppm" in name) if "rgba" not in name else 4), name


def test_once_for_a_plain_archive(folder: Path, tmp_path: Path, counts: Counts) -> None:
    codec = ZlibCodec()
    opens, *others = counts.during(lambda: pack([folder], tmp_path / "a", codec, header_for(codec)))
    assert others == [{1}, {1}]
    assert {opens[f"{number}.ppm"] for number in range(6)} == {4}


@pytest.mark.parametrize("pixels", [False, True])
def test_features_of_formats_are_named_where_a_file_may_need_them(
    tmp_path: Path, pixels: bool
) -> None:
    def named(*names: str) -> frozenset[str]:
        catalogue = Catalogue([tmp_path / name for name in names], pixels=pixels)
        return catalogue.features() - {"described"}

    found = {
        **files(),
        "plain.ppm": encoded(smooth(9, 9), "PPM"),
        "plain.bmp": encoded(smooth(9, 8), "BMP"),
        "plain.png": encoded(smooth(9, 7), "PNG"),
        "twin.bmp": encoded(smooth(9, 9), "BMP"),
        "tiff.txt": next(iter(found for name, found in files().items() if name.startswith("tiff")))[
            :99
        ],
    }
    for name, data in found.items():
        write(tmp_path / name, data)
    assert named("plain.ppm", "plain.bmp") == ({"samples"} if not pixels else set())
    assert named("pam", "plain.bmp") == {"pam", "samples"}
    assert named("bmp-32", "pnm-few", "npy") == {"bmp", "pnm", "npy", "samples"}
    assert named("plain.ppm", "twin.bmp") - {"samples"} == {"twins"}
    assert named("plain.png") == ({"samples"} if not pixels else set())
    assert named("tiff.txt") <= {"samples"}  # it is none


@pytest.mark.parametrize("pixels", [False, True])
def test_makers_are_named_where_a_description_names_them(tmp_path: Path, pixels: bool) -> None:
    def named(name: str) -> frozenset[str]:
        return Catalogue([tmp_path / name], pixels=pixels).features() & MAKERS

    head = Head(120, 133, 8, 0, False)
    noise = np.random.default_rng(2).integers(0, 32, (120, 133)).astype(np.uint8)  # averages suit
    raw = lines(head, "up")
    rows = filtered(noise, 1, least(sums(noise, 1), PILLOW)).tobytes()
    files = {
        "none.png": png(head, zlib.compress(raw)),
        "libdeflate.png": png(head, by_libdeflate(raw, 6)),
        "costs.png": png(head, thrifty(raw)),
        "pillow.png": png(head, zlib.compress(rows)),
        "both.png": png(head, by_libdeflate(rows, 9)),
    }
    for name, data in files.items():
        write(tmp_path / name, data)
        told = name.partition(".")[0]
        asked = (
            {"both": {"libdeflate", "pillow"}, "none": set()}.get(told, {told})
            if not pixels
            else set()
        )
        assert named(name) == asked, name


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize("codec", [None, ZlibCodec()])
def test_files_of_all_formats_come_back(
    tmp_path: Path, codec: ZlibCodec | None, pixels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a model if it takes them, else by their samples, or as files; hardly ever larger."""
    for name, data in files().items():
        write(tmp_path / "in" / name, data)
    for name, data in files(np.kron(smooth(19, 20), np.ones((2, 2, 1), np.uint8))).items():
        write(tmp_path / "in" / "smooth" / name, data)
    header = header_for(codec) if codec else Header.without_model()
    header = header if pixels else header.using(["described"])
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header)
    assert (report.kinds["npy"] > 0) == bool(codec) and report.kinds["picture"] > 0
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert tree(tmp_path / "in") == tree(tmp_path / "out" / "in")
    monkeypatch.setattr(Kind, "storable", lambda *_: False)
    kept = pack([tmp_path / "in"], tmp_path / "b", None, Header.without_model())
    assert not kept.kinds["picture"] and report.bytes_after <= 1.02 * kept.bytes_after


def test_without_room_they_are_decoded_again_but_not_proved(
    folder: Path, tmp_path: Path, counts: Counts
) -> None:
    opens, inflates, proofs = counts.during(lambda: everything(folder, tmp_path / "b", room=0))
    assert proofs == {1} and set(counts.descriptions.values()) == {1}
    # all of them, a sample, three times material, two archives
    assert inflates == {7}
    assert {opens[f"{number}.ppm"] for number in range(6)} == {10}
    everything(folder, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_some_room_is_used_and_never_more(folder: Path, tmp_path: Path) -> None:
    for room in (1, 2000, 5000, 10_000):
        catalogue = Catalogue([folder], wide=True, room=room)
        for again in (True, True, False):
            for source in catalogue.sources:
                catalogue.look(source, again=again)
                held = sum(entry.held for entry in catalogue._entries.values())
                assert held <= room
            assert bool(held) == (again and room > 1900)
        assert catalogue._room == room


def test_a_picture_that_changed_is_not_taken_unproved(folder: Path) -> None:
    catalogue = Catalogue([folder], room=0, strict=True)
    source = next(s for s in catalogue.sources if s.name.endswith(b".ppm"))
    seen = catalogue.look(source)
    assert seen and np.array_equal(seen.pictures[0].pixels, smooth(20, 31))
    write(source.path, encoded(smooth(20, 31, seed=77), "PPM"))
    with pytest.raises(InputError, match="changed while it was read"):
        catalogue.look(source)


def test_candidates_come_in_an_order_that_is_always_the_same(folder: Path) -> None:
    names = [source.name for source in Catalogue([folder]).candidates()]
    sources = Catalogue([folder]).sources
    assert sorted(names) == [source.name for source in sources if source.kind == "file"]
    assert names == [source.name for source in Catalogue([folder]).candidates()] != sorted(names)


def test_no_other_process_begins_where_one_of_the_first_pictures_tells(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would begin to look when all is known."""
    began: list[int] = []

    def begin(sources: Sequence[Source], count: int) -> AbstractContextManager[Look]:
        began.append(len(sources))
        return lookers(sources, count)

    monkeypatch.setattr(catalogue_module, "lookers", begin)
    assert not Catalogue([folder]).drawn and sum(began) == 0
    for number in range(100):
        pixels = smooth(20, 31, seed=number)
        write(folder / "more" / f"{number}.ppm", encoded(pixels, "PPM"))
    assert not Catalogue([folder]).drawn and sum(began) > 0
    began.clear()
    for number in range(40):
        flat = np.full((20, 31, 3), number, np.uint8)
        write(folder / "drawn" / f"{number}.ppm", encoded(flat, "PPM"))
    assert Catalogue([folder]).drawn and not began


def test_an_empty_archive_is_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    report = pack([tmp_path / "in"], tmp_path / "a", None, Header.without_model())
    assert (report.entries, report.kinds) == (1, {"dir": 1})
