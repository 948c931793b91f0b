"""A header that narrows names what chunks have need of, and nothing else."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import bitswap_cli as bitswap
from benchmarks.data.kinds import encoded, photo
from bitswap_cli.api.describe import describe
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import (
    COMMON,
    COPIES,
    CORRECTED,
    DECODERS,
    DECODINGS,
    DRAWN,
    JPEGS,
    LAID,
    LEARNING,
    MODELS,
    PIECES,
    SAMPLES,
    STREAMS,
    TURNED,
    Header,
    Named,
    Tiled,
    known_features,
)
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, HEAD_COPY_FROM
from bitswap_cli.archive.format.segments import COPY, ByteSegment
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.images.deflate.makers import MAKERS
from bitswap_cli.images.formats.format import DESCRIBED, WIDE

TILES = tuple(Tiled(f"m{k}", bytes([k] * 32).hex(), "bitswap", 1, (32, 32, 3)) for k in range(3))
OTHERS = tuple(Named(feature, feature, bytes(32).hex(), "bitswap", 1) for feature in (JPEGS, DRAWN))
EVERYTHING = Header(TILES, frozenset(known_features()), OTHERS)


def file(name: bytes, data: bytes) -> tuple[ByteSegment, bytes]:
    return ByteSegment(name, "file", len(data), 0, len(data), 0, 0), data


def written(path: Path, header: Header, files: Sequence[tuple[ByteSegment, bytes]]) -> Path:
    """Write an archive of files, a chunk each."""
    with ArchiveWriter(path, header, narrows=True) as writer:
        for segment, data in files:
            writer.add(BYTE, encode_bytes([segment], data), 1)
        writer.finish(Totals(len(files), 0, 0, 0))
        assert writer.size == Path(str(writer.temporary, "ascii")).stat().st_size
        writer.commit()
    return path


@pytest.mark.parametrize("size", [0, HEAD_COPY_FROM, 3 << 20])
def test_chunks_move_to_a_shorter_header(tmp_path: Path, size: int) -> None:
    """However many bytes these are: the archive is as one of the shorter header."""
    files = [file(b"%d" % k, np.random.default_rng(k).bytes(size)) for k in range(2)]
    own = written(tmp_path / "a", EVERYTHING, files)
    short = written(tmp_path / "b", Header.without_model(), files)
    assert own.stat().st_size == short.stat().st_size
    with ArchiveReader(own) as reader, ArchiveReader(short) as other:
        assert reader.header == other.header == Header()
        assert [reader.body(c) for c in reader.chunks] == [other.body(c) for c in other.chunks]
        assert list(reader.tables()) == list(other.tables())


def test_what_was_taken_back_is_not_named(tmp_path: Path) -> None:
    one, copy = file(b"a", b"a"), ByteSegment(b"b", COPY, 0, 0, 0, 0, 0, original=b"a")
    for kept in (False, True):
        with ArchiveWriter(tmp_path / "a", EVERYTHING, narrows=True, force=True) as writer:
            writer.add(BYTE, encode_bytes([one[0]], one[1]), 1)
            mark = writer.mark()
            writer.add(BYTE, encode_bytes([copy], b""), 1)
            if not kept:
                writer.rewind(mark)
            writer.finish(Totals(1, 1, 0, 0))
            assert writer.header.features == ({COPIES} if kept else set())


@pytest.mark.parametrize(
    ("told", "models", "others", "named"),
    [
        (set(), 0, [], set()),
        ({TURNED}, 1, [], {TURNED, COMMON}),
        ({WIDE, TURNED, MODELS}, 2, [], {WIDE, TURNED, COMMON, MODELS, *MAKERS}),
        ({MODELS}, 3, [], {COMMON, MODELS}),
        ({DESCRIBED}, 1, [], {DESCRIBED, COMMON, *MAKERS}),
        ({JPEGS}, 0, [JPEGS], {JPEGS, LEARNING}),
        ({DRAWN, WIDE}, 0, [DRAWN], {DRAWN, WIDE, *MAKERS}),
        ({DRAWN, "tiff"}, 0, [DRAWN], {DRAWN, "tiff", *MAKERS}),
    ],
)
def test_what_is_named(told: set[str], models: int, others: list[str], named: set[str]) -> None:
    """What tables tell, and what comes with it."""
    narrow = EVERYTHING.narrowed(told, models)
    assert narrow.models == TILES[:models] and narrow.features == named
    assert [one.feature for one in narrow.others] == others
    assert Header.from_bytes(narrow.to_bytes(), 5) == (narrow, [0] * models)


@pytest.mark.parametrize(
    "hiding", [{SAMPLES}, {JPEGS, DECODINGS}, {STREAMS}, {PIECES}, {"lattice"}, {"frames"}]
)
def test_what_tables_hide_stays(hiding: set[str]) -> None:
    """Kinds of pictures, and makers of descriptions."""
    named = EVERYTHING.narrowed(hiding, 0).features
    assert named > hiding | MAKERS | {DESCRIBED, "tiff"} and COPIES not in named
    for own in (LAID, DECODERS, CORRECTED):
        assert (own in named) == (DECODINGS in hiding)


def test_a_folder_of_jpeg_files(tmp_path: Path) -> None:
    """It names no model of tiles, and is read without any."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(encoded(photo(96, 96), "JPEG", quality=90))
    report = bitswap.compress(tmp_path / "in", tmp_path / "a.bsw", xattrs=False)
    assert report.verified and report.names == ["jpeg"] and report.model is None
    assert describe(tmp_path / "a.bsw")["models"] == []
    bitswap.decompress(tmp_path / "a.bsw", tmp_path / "out")
    came = (tmp_path / "out" / "in" / "a.jpg").read_bytes()
    assert came == (tmp_path / "in" / "a.jpg").read_bytes()
