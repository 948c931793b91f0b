"""JPEG files in an archive: what went in comes out, in whatever messages it was coded."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import EQUAL, JPEGS, Header, Named
from bitswap_cli.archive.format.sections import JPEG
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.coders import jpegs
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, PartialError
from bitswap_cli.images import bands
from tests.archive.blocks import DEAR, Memory
from tests.archive.support import tree
from tests.images.formats.jpeg.files import photograph, pillow

MODEL = Named(JPEGS, "memory", "00" * 32, "bitswap", 1)
HEADER = Header.without_model().with_others([MODEL])


def with_thumbnail(data: bytes, thumbnail: bytes) -> bytes:
    """A JPEG that has another one in a segment."""
    body = b"Exif\0\0" + thumbnail
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def dear(pixels: np.ndarray) -> bytes:
    """A file that the codec says it codes badly."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", qtables=[[DEAR] * 64] * 2)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """JPEG files of all kinds, and what only looks like one."""
    where = tmp_path / "in"
    where.mkdir()
    for seed in range(6):
        pixels = photograph(30 + 9 * seed, 50, 1 if seed == 2 else 3, seed)
        kind = {"progressive": seed == 1, "quality": 60 + 6 * seed, "subsampling": seed % 3}
        (where / f"{seed}.jpg").write_bytes(pillow(pixels, **kind))
    small, large = (pillow(photograph(8 * k, 16 * k)) for k in (1, 9))
    (where / "thumbnail.jpg").write_bytes(with_thumbnail(large, small))
    (where / "dear.jpg").write_bytes(dear(photograph(40, 40)))
    (where / "broken.jpg").write_bytes(large[:40])
    (where / "text").write_bytes(b"no picture")
    return where


def packed(folder: Path, path: Path, codec: Memory, header: Header = HEADER) -> PackReport:
    catalogue = Catalogue([folder])
    with ArchiveWriter(path, header, catalogue.sources) as writer:
        codecs = Codecs({}, codec if header.others else None)
        report = pack_into(writer, catalogue, codecs, threads=2)
        writer.commit()
    return report


@pytest.mark.parametrize(("together", "chunk"), [(1 << 14, 1 << 16), (40, 100), (1, 1)])
def test_jpeg_files_come_back(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int, chunk: int
) -> None:
    monkeypatch.setattr(bands, "BLOCKS", together)
    monkeypatch.setattr(jpegs, "_BLOCKS", chunk)
    codec = Memory()
    report = packed(folder, tmp_path / "a", codec)
    assert report.kinds == {"jpeg": 7, "file": 3} and report.entries == 10
    assert report.jpeg_bytes_before == sum(
        (folder / name).stat().st_size
        for name in ("thumbnail.jpg", *map("{}.jpg".format, range(6)))
    )
    with ArchiveReader(tmp_path / "a") as reader:
        verify(reader, lambda header, tags: Codecs({}, codec))
        unpack(reader, lambda header, tags: Codecs({}, codec), tmp_path / "out", threads=2)
        kinds = {entry.name: (entry.kind, entry.exact, entry.shape) for entry in reader.entries()}
        tags = [one.tag for one in reader.chunks]
    assert tree(tmp_path / "out" / "in") == tree(folder)
    assert kinds[b"in/2.jpg"] == ("jpeg", True, (48, 50, 1))
    assert kinds[b"in/dear.jpg"] == ("file", True, None)
    assert tags.count(JPEG) == {1 << 16: 1, 100: tags.count(JPEG), 1: 7}[chunk]
    assert max(codec.messages) > 1 or together == 1


def test_files_that_the_model_codes_badly_leave_the_others_together(
    folder: Path, tmp_path: Path
) -> None:
    for name in folder.iterdir():
        if name.name != "dear.jpg":
            name.unlink()
    assert packed(folder, tmp_path / "a", Memory()).kinds == {"file": 1}


def test_without_the_feature_they_are_bytes(folder: Path, tmp_path: Path) -> None:
    assert packed(folder, tmp_path / "a", Memory(), Header.without_model()).kinds == {"file": 10}


@pytest.mark.parametrize("features", [[EQUAL], []])
def test_files_of_the_same_coefficients_share_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features: list[str]
) -> None:
    """However full the chunk is; an archive without the feature has them twice."""
    monkeypatch.setattr(jpegs, "_BLOCKS", 1)
    (where := tmp_path / "in").mkdir()
    first, second = (pillow(photograph(40, 56, 3, seed)) for seed in range(2))
    comment = b"\xff\xfe\0\x06same"
    for name, data in (
        ("a1", first), ("a2", first + b"behind"), ("a3", first[:2] + comment + first[2:]),
        ("b1", second), ("b2", second + b"behind"), ("b3", with_thumbnail(second, first)),
    ):  # fmt: skip
        (where / name).write_bytes(data)
    codec = Memory()
    packed(where, tmp_path / "a", codec, HEADER.using(features))
    # b3, which has a thumbnail, comes before b1; b2, whose end differs, is in a chunk before that
    twins = {b"in/a1": b"in/a2", b"in/a3": b"in/a2", b"in/b1": b"in/b3"}
    with ArchiveReader(tmp_path / "a") as reader:
        found = {one.name: one.twin for one in reader.entries() if one.twin}
        assert found == (twins if features else {})
        unpack(reader, lambda header, tags: Codecs({}, codec), tmp_path / "out")
        assert tree(tmp_path / "out" / "in") == tree(where)
        reader.header = HEADER
        if features:
            with pytest.raises(ArchiveError, match="does not announce"):
                list(reader.entries())


def test_a_damaged_message_loses_the_files_of_its_chunk(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "BLOCKS", 1)
    monkeypatch.setattr(jpegs, "_BLOCKS", 1)
    codec = Memory()
    packed(folder, tmp_path / "a", codec)
    del codec.told[next(iter(codec.told))]
    with ArchiveReader(tmp_path / "a") as reader, pytest.raises(ArchiveError, match="damaged"):
        verify(reader, lambda header, tags: Codecs({}, codec))
    with ArchiveReader(tmp_path / "a") as reader, pytest.raises(PartialError, match="in/0.jpg"):
        unpack(reader, lambda header, tags: Codecs({}, codec), tmp_path / "out", keep_going=True)
    assert tree(tmp_path / "out" / "in").keys() == tree(folder).keys() - {b"0.jpg"}


def test_the_header_announces_jpeg_files(folder: Path, tmp_path: Path) -> None:
    packed(folder, tmp_path / "a", Memory())
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.header.other(JPEGS) == MODEL and JPEGS in reader.header.features
        reader.header = Header.without_model()
        with pytest.raises(ArchiveError, match="does not announce"):
            list(reader.entries())
