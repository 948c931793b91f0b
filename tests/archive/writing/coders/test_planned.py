"""Pictures that were JPEGs in an archive: coded as such where that pays, and refused elsewhere."""

import os
from pathlib import Path
from threading import Thread, current_thread, main_thread

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import CORRECTED, DECODERS, DECODINGS, JPEGS, LAID, Header
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources import catalogue
from bitswap_cli.archive.sources import seen as seen_module
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import SourceError
from bitswap_cli.archive.writing.coders.planned import of_picture
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.format import DESCRIBED, WIDE
from bitswap_cli.images.history import engine
from bitswap_cli.images.history import recipe as history
from bitswap_cli.images.history.decoder import Decoder
from bitswap_cli.images.history.finder import Found, find
from tests.archive.blocks import Memory
from tests.archive.support import tree
from tests.archive.writing.coders.test_jpegs import HEADER
from tests.images.history.jpegs import decoded, load, save, scene

pytestmark = pytest.mark.skipif(engine.compiled() is None, reason="no kernel finds them")
USED = HEADER.using([DECODINGS, DESCRIBED])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A JPEG file, pictures that were some, and one that was none."""
    where = tmp_path / "in"
    where.mkdir()
    data = save(scene(96, 128), 80)
    (where / "a.jpg").write_bytes(data)
    Image.fromarray(load(data)).save(where / "b.png")
    Image.fromarray(load(save(scene(96, 144, 1), 60, "4:2:0"))).save(where / "c.bmp")
    Image.fromarray(scene(40, 50, 2)).save(where / "none.png")
    return where


def packed(folder: Path, path: Path, codec: Memory, header: Header = USED) -> PackReport:
    found = Catalogue([folder])
    with ArchiveWriter(path, header, found.sources) as writer:
        report = pack_into(writer, found, Codecs({}, codec))
        writer.commit()
    return report


def test_they_come_back(folder: Path, tmp_path: Path) -> None:
    codec = Memory()
    report = packed(folder, tmp_path / "a", codec)
    assert report.kinds["decoded-exact"] == 2 and report.kinds["jpeg"] == 1
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, lambda header, tags: Codecs({}, codec), tmp_path / "out")
        assert tree(tmp_path / "out" / "in") == tree(folder)
        reader.header = HEADER
        with pytest.raises(ArchiveError, match="does not announce"):
            list(reader.entries())


def test_none_is_coded_as_such_where_the_header_does_not_name_it(
    folder: Path, tmp_path: Path
) -> None:
    report = packed(folder, tmp_path / "a", Memory(), HEADER.using([DESCRIBED]))
    assert report.kinds["decoded-exact"] == 0 and report.kinds["jpeg"] == 1


@pytest.mark.parametrize("pixels", [False, True])
def test_a_catalogue_tells_whether_there_are_any(folder: Path, pixels: bool) -> None:
    assert Catalogue([folder], pixels=pixels).decoded
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_FIRST", 0)
        assert Catalogue([folder], pixels=pixels).decoded
    assert not Catalogue([folder / "none.png", folder / "a.jpg"], pixels=pixels).decoded


def test_indices_of_colours_were_no_jpeg(tmp_path: Path) -> None:
    """Though they are what a decoder makes, as those of grays may be."""
    image = Image.fromarray(load(save(scene(96, 128, 1, gray=True), 75))[..., 0]).convert("P")
    for step, was in ((1, True), (3, False)):  # of green
        image.putpalette([v * k % 256 for v in range(256) for k in (1, step, 1)])
        image.save(tmp_path / "p.png")
        assert Catalogue([tmp_path / "p.png"], wide=True).decoded == was


@pytest.mark.parametrize("threads", [1, 3])
def test_those_who_look_tell(folder: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Of five that do not pay; one that goes missing before it is looked at is skipped."""
    asked = list[Thread]()

    def pays(found: Seen) -> bool:
        asked.append(current_thread())
        return False

    monkeypatch.setattr(seen_module, "pays_as_jpeg", pays)
    for number in range(3, 8):
        Image.fromarray(scene(40, 50, number)).save(folder / f"more{number}.png")
    names = [folder / f"more{number}.png" for number in range(3, 8)]
    gone = folder / "none.png"
    found, strict = (Catalogue([*names, gone], threads=threads, strict=s) for s in (False, True))
    gone.unlink()
    assert not found.decoded and len(asked) == 5 and main_thread() not in asked
    assert list(found.skipped) == [os.fsencode(gone)]
    with pytest.raises(SourceError, match="none.png"):
        _ = strict.decoded


def test_how_they_come_back(folder: Path) -> None:
    for pixels, kind, features in ((False, "decoded-exact", {DESCRIBED}), (True, "decoded", set())):
        found = Catalogue([folder / "b.png"], pixels=pixels)
        seen = found.look(found.sources[0])
        assert seen is not None
        planned = of_picture(seen, {DECODINGS, JPEGS} | features)
        assert planned is not None and planned.kind == kind and planned.shape == (96, 128, 3)
        assert (planned.crc is None) == pixels
        assert of_picture(seen, features) is None
        assert planned.cost() < seen.limit / 2


def test_what_a_picture_was_is_found_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[int, ...]]()

    def counted(pixels: NDArray[np.uint8]) -> Found | None:
        asked.append(pixels.shape)
        return find(pixels)

    monkeypatch.setattr(seen_module, "find", counted)
    found = Catalogue([folder / "b.png", folder / "none.png"])
    assert found.decoded
    for source in found.sources:
        seen = found.look(source)
        assert seen is not None
        planned = of_picture(seen, USED.features)
        assert (planned is None) == (source.name == b"none.png")
    assert sorted(asked) == [(40, 50, 3), (96, 128, 3)]


def test_laid_ones_need_their_feature(tmp_path: Path) -> None:
    pixels = load(save(scene(128, 160), 80, "4:2:0"))
    for name, laid in (
        ("turned.png", np.rot90(pixels)),
        ("alpha.png", np.dstack([pixels, np.full((128, 160), 9, np.uint8)])),
    ):
        Image.fromarray(laid).save(tmp_path / name)
        found = Catalogue([tmp_path / name], wide=True)
        seen = found.look(found.sources[0])
        assert seen is not None
        features = {DECODINGS, DESCRIBED, WIDE}
        assert of_picture(seen, features) is None
        planned = of_picture(seen, features | {LAID})
        assert planned is not None and planned.shape == laid.shape


def test_other_decoders_need_their_feature(tmp_path: Path) -> None:
    pixels = decoded(save(scene(128, 160), 80, "4:2:0"), Decoder.WIDE)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    found = Catalogue([tmp_path / "wide.png"], wide=True)
    seen = found.look(found.sources[0])
    assert seen is not None
    features = {DECODINGS, LAID, DESCRIBED, WIDE}
    assert of_picture(seen, features) is None
    planned = of_picture(seen, features | {DECODERS})
    assert planned is not None and planned.shape == pixels.shape


def test_corrections_need_their_feature(tmp_path: Path) -> None:
    pixels = load(save(scene(128, 160), 80, "4:2:0")).copy()
    pixels[40:43, 50:60] = 9
    Image.fromarray(pixels).save(tmp_path / "painted.png")
    found = Catalogue([tmp_path / "painted.png"], wide=True)
    seen = found.look(found.sources[0])
    assert seen is not None
    features = {DECODINGS, DESCRIBED, WIDE}
    assert of_picture(seen, features) is None
    planned = of_picture(seen, features | {CORRECTED})
    assert planned is not None and planned.recipe_by is not None


def test_damaged_recipes_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_corrections", lambda *told: bytes([9] * 6))
    codec = Memory()
    packed(folder, tmp_path / "a", codec)
    with ArchiveReader(tmp_path / "a") as reader, pytest.raises(ArchiveError) as raised:
        verify(reader, lambda header, tags: Codecs({}, codec))
    text = str(raised.value)
    assert "\n" not in text and "chunk at byte" in text and "malformed" in text


def test_nothing_is_named_without_a_model() -> None:
    assert DECODINGS not in Header.without_model().features
