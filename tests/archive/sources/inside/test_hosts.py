"""Which files are looked into, and what is found in them."""

import os
import zlib
from pathlib import Path

import pytest

from bitswap_cli.archive.format.names import depth_of, file_of, host_of, member_name, number_of
from bitswap_cli.archive.sources import source
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.copies import Copy
from bitswap_cli.archive.sources.inside import hosts, spans
from bitswap_cli.archive.sources.source import read, read_if
from bitswap_cli.errors import InputError
from bitswap_cli.images.inside import pictures
from tests.archive.support import bad_png, encoded, smooth, write

PNG, OTHER = bad_png(40, 40), bad_png(41, 40, seed=1)
JPEG = encoded(smooth(60, 60), "JPEG")


def test_names_of_members_are_those_of_no_file() -> None:
    assert host_of(member_name(b"a/b.tar", 7)) == b"a/b.tar" and b"//" in member_name(b"x", 0)
    for name in (b"a/b.tar", b"a//b", b"a//", b"//1", b"a//1/2", b"a//b//2", b"a//-1", b""):
        assert host_of(name) is None
    deep = member_name(member_name(b"a/b", 1), 22)
    assert host_of(deep) == member_name(b"a/b", 1) and host_of(b"a///1") is None
    assert (file_of(deep), depth_of(deep), number_of(deep)) == (b"a/b", 2, 22)


def test_members_are_sources_that_lie_in_files(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.tar", b"head" + PNG + JPEG + b"tail", 77)
    catalogue = Catalogue([tmp_path / "in"])
    assert [one.name for one in catalogue.sources] == [
        b"in", b"in/a.tar", b"in/a.tar//000000", b"in/a.tar//000001",
    ]  # fmt: skip
    first, second = (part.members[0].source for part in catalogue.hosts[b"in/a.tar"])
    assert (first.offset, first.size, second.offset, second.size) == (
        4, len(PNG), 4 + len(PNG), len(JPEG),
    )  # fmt: skip
    assert (read(first), read(second), first.mtime) == (PNG, JPEG, 77)
    assert list(source.read_parts(first, 500)) == [
        PNG[k : k + 500] for k in range(0, len(PNG), 500)
    ]
    assert source.beginning(second, 1 << 20) == JPEG
    assert read_if(second, lambda start: start == JPEG[:10], 10) == JPEG
    assert catalogue.size == len(PNG + JPEG) + 8
    assert catalogue.jpegs == {b"in/a.tar//000001"}


def test_pictures_themselves_are_no_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are files by strips, small ones, or such of whose other bytes no block has room."""
    for name, data in {
        "a.jpg": JPEG + PNG,
        "b.png": PNG + JPEG,
        "c.bmp": encoded(smooth(90, 90), "BMP"),
        "d.tif": encoded(smooth(64, 64), "TIFF", compression="jpeg"),
        "small": PNG[: pictures.SMALLEST],
        "text": b"no picture at all" * 99,
        "cut off": b"x" + PNG[: len(PNG) // 2],
    }.items():
        write(tmp_path / "in" / name, data)
    # neither of these is a picture by itself, but has one inside
    write(tmp_path / "in" / "e.ico", encoded(smooth(64, 64), "ICO", bitmap_format="png"))
    assert list(Catalogue([tmp_path / "in"]).hosts) == [b"in/d.tif", b"in/e.ico"]
    monkeypatch.setattr(spans, "_SHARE", 0)  # no sections
    monkeypatch.setattr(spans, "MAX_BLOCK", 17)
    assert not Catalogue([tmp_path / "in"]).hosts
    write(tmp_path / "in" / "f", b"12345" + PNG)  # and 12 to say so
    assert Catalogue([tmp_path / "in"]).hosts
    monkeypatch.setattr(spans, "LARGEST", len(PNG))
    assert not Catalogue([tmp_path / "in"]).hosts


@pytest.mark.parametrize("pixels", [False, True])
def test_equal_ones_are_copies(tmp_path: Path, pixels: bool) -> None:
    """Of a file, if there is one that comes back byte for byte; those in copies are not looked
    for."""
    write(tmp_path / "in" / "a", b"a" + PNG + OTHER)
    write(tmp_path / "in" / "b", b"bb" + OTHER + PNG + OTHER)
    write(tmp_path / "in" / "copy", b"a" + PNG + OTHER)
    write(tmp_path / "in" / "z.png", PNG)
    catalogue = Catalogue([tmp_path / "in"], pixels=pixels)
    a, b = ([b"in/%s//00000%d" % (name, k) for k in range(3)] for name in (b"a", b"b"))
    first = a[0] if pixels else b"in/z.png"
    expected = {b[0]: a[1], b[1]: first, b[2]: a[1], b"in/copy": b"in/a"}
    expected |= {} if pixels else {a[0]: first}
    assert catalogue.copies == {name: Copy("copy", original) for name, original in expected.items()}
    assert catalogue.hosts.keys() == {b"in/a", b"in/b"}


def test_members_in_streams_are_sources_of_their_own(tmp_path: Path) -> None:
    """Numbered in order; of parts of what is inflated, or all of it, whatever its format."""
    bmp = encoded(smooth(50, 60), "BMP")
    inside = b"head" + PNG + b"between" * 9 + JPEG + b"tail"
    text = bytes(k * k % 251 for k in range(25344))
    streams = [zlib.compress(one) for one in (inside, bmp, text)]
    data = b"x".join([streams[0], OTHER, *streams[1:]])
    write(tmp_path / "in" / "a", data, 77)
    catalogue = Catalogue([tmp_path / "in"])
    parts = catalogue.hosts[b"in/a"]
    members = [member.source for part in parts for member in part.members]
    assert [one.name for one in members] == [member_name(b"in/a", k) for k in range(4)]
    assert [read(one) for one in members] == [PNG, JPEG, OTHER, bmp]
    assert {(one.mtime, one.crc is None) for one in members} == {(77, False)}
    assert [[member.place for member in part.members] for part in parts] == [
        [4, 4 + len(PNG) + 63], [0], [0], [],
    ]  # fmt: skip
    assert [part.pays for part in parts] == [True, False, False, True]
    assert source.beginning(members[3], 9) == bmp[:9]
    assert read_if(members[0], lambda start: start == PNG[:10], 10) == PNG
    assert list(source.read_parts(members[1], 500))[1] == JPEG[500:1000]
    assert catalogue.jpegs == {members[1].name} and catalogue.size == len(data)


def test_streams_without_room_cost_no_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where hardly anything lies in a file, which is no reason to cut it."""
    texts = [b"".join(b"%d %d\n" % (k, k * n) for n in range(200)) for k in range(40)]
    data = b"head" + PNG + b"".join(map(zlib.compress, texts)) + JPEG
    write(tmp_path / "in" / "a", data)
    monkeypatch.setattr(spans, "MAX_BLOCK", len(data) + 1)
    monkeypatch.setattr(spans, "_SHARE", 0)
    parts = Catalogue([tmp_path / "in"]).hosts[b"in/a"]
    assert [part.length for part in parts] == [len(PNG), len(JPEG)]


def test_of_files_that_cannot_be_read_nothing_is_known(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a", b"a" + PNG, 7)
    catalogue = Catalogue([tmp_path / "in"])
    member = catalogue.hosts[b"in/a"][0].members[0].source
    write(tmp_path / "in" / "a", b"a" + PNG, 8)
    with pytest.raises(InputError, match="changed while it was read"):
        read(member)
    write(tmp_path / "in" / "a", b"a" + PNG.replace(b"IDAT", b"IDAX"), 7)
    with pytest.raises(InputError, match="changed while it was read"):
        read(member)
    os.unlink(tmp_path / "in" / "a")
    assert not hosts.look_into(catalogue.sources[:2], {}, pixels=False).hosts
    assert catalogue.look(member) is None and catalogue.skipped
