"""Damaged archives: an error that names the trouble, all that is whole, and never a wrong byte."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter, methodcaller
from pathlib import Path

import pytest

from bitswap_cli.archive.format import chunks
from bitswap_cli.archive.format.sections import (
    BYTE,
    MODL,
    TILE,
    TRAILER,
    section,
)
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.sources.inside import streams
from bitswap_cli.archive.writing.blocks import Keeping
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import ArchiveError, InputError, ModelError, PartialError
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    bad_png,
    check,
    header_for,
    rescue,
    smooth,
    tree,
    write,
)


@dataclass
class Damage:
    """An archive, and the file that it is damaged in."""

    good: bytes
    bad: Path

    def __call__(self, change: Callable[[bytearray], bytes | bytearray | None]) -> Path:
        """Write the archive as a function alters it, in place or by what it returns."""
        data = bytearray(self.good)
        changed = change(data)
        self.bad.write_bytes(data if changed is None else changed)
        return self.bad


@pytest.fixture
def damaged(tmp_path: Path, codec: ZlibCodec) -> Damage:
    """A small archive of several chunks of both kinds."""
    for number in range(12):
        write(tmp_path / "in" / f"{number}.png", bad_png(24, 24, seed=number))
        write(tmp_path / "in" / f"{number}.dat", os.urandom(700))
    write(tmp_path / "in" / "wide.ppm", b"P6 90 40 255\n" + smooth(40, 90).tobytes())
    pack([tmp_path / "in"], tmp_path / "good", codec, header_for(codec), keeping=Keeping(3000))
    good = (tmp_path / "good").read_bytes()
    with ArchiveReader(tmp_path / "good") as reader:
        assert {chunk.tag for chunk in reader.chunks} == {TILE, BYTE}
        assert len(reader.chunks) > 6

    return Damage(good, tmp_path / "bad")


def assert_rescued(tmp_path: Path, out: Path, least: int = 0) -> None:
    before, after = tree(tmp_path / "in"), {}
    if out.exists():
        after = tree(out / "in") if (out / "in").exists() else {}
    assert_same({name: before[name] for name in after}, after)
    assert len(after) >= least


def test_truncated_archives(tmp_path: Path, codec: ZlibCodec, damaged: Damage) -> None:
    length = len(damaged.good)
    places = {round(k * (length - 1) / 19) for k in range(20)} | {9, 10, length - 16, length - 17}
    for number, place in enumerate(sorted(places)):
        path = damaged(itemgetter(slice(place)))
        with pytest.raises(ArchiveError, match="truncated|damaged"):
            check(path, codec)
        out = tmp_path / f"out{number}"
        with pytest.raises((ArchiveError, PartialError)):
            rescue(path, codec, out)
        assert_rescued(tmp_path, out, least=20 if place > 0.99 * length else 0)


def test_random_byte_flips(tmp_path: Path, codec: ZlibCodec, damaged: Damage) -> None:
    rng = random.Random(1)
    for number in range(1000):
        place = rng.randrange(len(damaged.good))

        def flip(data: bytearray, place: int = place) -> None:
            data[place] ^= rng.randrange(1, 256)

        path = damaged(flip)
        with pytest.raises((ArchiveError, ModelError)) as caught:
            check(path, codec)
        assert "\n" not in str(caught.value)
        if number % 50 == 0:
            out = tmp_path / f"out{number}"
            with pytest.raises((ArchiveError, ModelError, PartialError)):
                rescue(path, codec, out)
            # One chunk of eight tiles' pictures, or one of few files, is lost at most.
            assert_rescued(tmp_path, out, least=15 if out.exists() else 0)


@pytest.mark.parametrize("place", [8 * 3, 12, -3, -30], ids=["header", "id", "trailer", "index"])
def test_rescue_without_header_trailer_or_index(
    tmp_path: Path, codec: ZlibCodec, damaged: Damage, place: int
) -> None:
    def flip(data: bytearray) -> None:
        data[place] ^= 4

    with pytest.raises(PartialError, match="whole chunks by scanning"):
        rescue(damaged(flip), codec, tmp_path / "out")
    # Large archives repeat their header before the index; this one is too small for that.
    before = tree(tmp_path / "in")
    assert_rescued(tmp_path, tmp_path / "out", least=12 if place == 24 else len(before))


def test_large_archive_survives_the_loss_of_its_header(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "in" / "a.png", bad_png(30, 30))
    write(tmp_path / "in" / "b", os.urandom(20_000))
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    data = bytearray((tmp_path / "a").read_bytes())
    data[30] ^= 1
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(PartialError):
        rescue(tmp_path / "a", codec, tmp_path / "out")
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_damage_is_named(tmp_path: Path, codec: ZlibCodec, damaged: Damage) -> None:
    with ArchiveReader(damaged(lambda data: None)) as reader:
        chunk = next(chunk for chunk in reader.chunks if chunk.tag == BYTE)
        segments = reader.table(chunk).segments
        names = [segment.name.decode() for segment in segments]

    def flip(data: bytearray) -> None:
        data[chunk.offset + chunk.length] ^= 1

    with pytest.raises(PartialError) as caught:
        rescue(damaged(flip), codec, tmp_path / "out")
    assert all(name in str(caught.value) for name in names)
    lost = sum(segment.kind == "file" for segment in segments)
    assert len(tree(tmp_path / "out")) == len(tree(tmp_path / "in")) - lost


def test_what_is_no_archive(tmp_path: Path, codec: ZlibCodec) -> None:
    for data in (b"", b"x", b"P6 1 1 255\nxyz", bytes(1000), os.urandom(1000)):
        write(tmp_path / "bad", data)
        for recover in (False, True):
            with pytest.raises(ArchiveError, match="is not a bitswap archive"):
                ArchiveReader(tmp_path / "bad", recover=recover)
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot read"):
            ArchiveReader(path)


def test_line_ends_changed_by_a_transfer(codec: ZlibCodec, damaged: Damage) -> None:
    for old, new in ((b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\x89", b"\x09")):
        path = damaged(methodcaller("replace", old, new))
        with pytest.raises(ArchiveError, match="is not a bitswap archive"):
            check(path, codec)


def test_newer_version(codec: ZlibCodec, damaged: Damage) -> None:
    def newer(data: bytearray) -> None:
        data[8] = 6

    with pytest.raises(ModelError, match="format version 6"):
        check(damaged(newer), codec)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_another_known_version(codec: ZlibCodec, damaged: Damage, version: int) -> None:
    """Their headers lie elsewhere, and are of another form."""

    def changed(data: bytearray) -> None:
        data[8] = version

    with pytest.raises(ArchiveError):
        check(damaged(changed), codec)


def test_a_model_inside_of_a_damaged_file_is_none_of_the_archive(
    tmp_path: Path, codec: ZlibCodec
) -> None:
    """What scanning finds in a file that was itself an archive does not cost the pictures."""
    inner = os.urandom(50) + section(MODL, os.urandom(50)) + os.urandom(50)
    write(tmp_path / "in" / "inner.bsw", inner)
    write(tmp_path / "in" / "a.png", bad_png(24, 24))
    pack([tmp_path / "in"], tmp_path / "bad", codec, header_for(codec))
    data = bytearray((tmp_path / "bad").read_bytes())
    data[data.index(inner)] ^= 1
    data[-20] ^= 1  # of the index
    (tmp_path / "bad").write_bytes(data)
    with pytest.raises(PartialError):
        rescue(tmp_path / "bad", codec, tmp_path / "out")
    assert_rescued(tmp_path, tmp_path / "out", least=1)
    assert (tmp_path / "out/in/a.png").exists()


def test_trailing_bytes(codec: ZlibCodec, damaged: Damage) -> None:
    with pytest.raises(ArchiveError):
        check(damaged(lambda data: data + b"more"), codec)


def test_bytes_between_chunks_and_index(codec: ZlibCodec, damaged: Damage) -> None:
    def insert(data: bytearray) -> bytearray:
        index = TRAILER.unpack(data[-16:])[0]
        return data[:index] + b"hidden" + data[index:-16] + TRAILER.pack(index + 6, data[-8:])

    with pytest.raises(ArchiveError, match="does not fit"):
        check(damaged(insert), codec)


def nested(tmp_path: Path, codec: ZlibCodec) -> tuple[bytes, bytes]:
    """Return an archive that holds another one as a file, and that one."""
    for name in ("gone", "kept"):
        write(tmp_path / "inner" / f"{name}.png", bad_png(24, 24, seed=9))
        write(tmp_path / "inner" / f"{name}.dat", os.urandom(3000))
    write(tmp_path / "inner" / "last.dat", b"in the outer one, too")
    pack([tmp_path / "inner"], tmp_path / "in" / "archive.bsw", codec, header_for(codec))
    inner = (tmp_path / "in" / "archive.bsw").read_bytes()
    write(tmp_path / "in" / "kept.png", bad_png(24, 24, seed=3))
    os.makedirs(tmp_path / "in" / "inner", exist_ok=True)
    pack([tmp_path / "in"], tmp_path / "outer", codec, header_for(codec))
    return (tmp_path / "outer").read_bytes(), inner


def test_nothing_comes_from_an_archive_inside_of_a_damaged_one(
    tmp_path: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "pack_blob", lambda data, level: b"\0" + data)
    monkeypatch.setattr(streams, "_PAYS", 0)  # as this codec's messages are zlib streams
    (tmp_path / "in").mkdir()
    good, inner = nested(tmp_path, codec)
    start = good.index(inner)
    index = TRAILER.unpack(good[-16:])[0]
    places = [start - 1, start, start + 3, start + 50, start + len(inner) - 3, index + 9]
    bad = [good[:k] for k in (start + len(inner) // 2, start + len(inner) - 1, index, -16, -1)]
    bad += [good[:k] + bytes([good[k] ^ 1]) + good[k + 1 : -3] + b"bad" for k in places]
    flips = random.Random(5)
    for _ in range(100):  # of the length of the chunk, too
        k = flips.randrange(start - 60, len(good))
        bad.append(good[:k] + bytes([good[k] ^ 1 << flips.randrange(8)]) + good[k + 1 :])
    for number, data in enumerate(bad):
        (tmp_path / "bad").write_bytes(data)
        out = tmp_path / f"out{number}"
        with pytest.raises((ArchiveError, PartialError)):
            rescue(tmp_path / "bad", codec, out)
        found = tree(out) if out.exists() else {}
        assert {name for name in found if not name.startswith(b"in/")} == set()
        assert_rescued(tmp_path, out)
