"""JPEG files of equal coefficients are found before any is coded."""

import io
import itertools
from pathlib import Path

import pytest

import bitswap_cli as bitswap
from benchmarks.data.kinds import encoded, photo
from bitswap_cli.archive.sources.walk import collect
from bitswap_cli.archive.writing.coders import alike
from bitswap_cli.images.formats.jpeg.head import head

PHOTOS = [photo(48, 64, seed=k) for k in range(2)]
FIRST, SECOND = (encoded(one, "JPEG", quality=90) for one in PHOTOS)
# The same coefficients with codes of their own, in the scans of progressive files.
ANEW = [encoded(one, "JPEG", quality=90, progressive=True) for one in PHOTOS]


def commented(data: bytes, text: bytes = b"rated") -> bytes:
    """The same picture with a comment before its tables."""
    return data[:2] + b"\xff\xfe" + (2 + len(text)).to_bytes(2, "big") + text + data[2:]


def laid(where: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(data)
    return where


def found(where: Path) -> dict[str, str]:
    sources = [one for one in collect([where]).sources if one.kind == "file"]
    return {a.decode(): b.decode() for a, b in alike.find(sources).items()}


def test_what_is_found(tmp_path: Path) -> None:
    """Other metadata under any name; scans written anew under the same one."""
    files = {
        "a/1.jpg": FIRST, "a/2.jpg": SECOND, "b/1.JPEG": ANEW[0], "b/3.jpg": commented(SECOND),
        "b/4.jpg": ANEW[1], "c/1.jpg": SECOND[:-9], "c/2.jpg": b"\xff\xd8\xff", "c/5.jpg": b"",
    }  # fmt: skip
    # whatever is longer before its scans comes first
    twins = {"in/b/1.JPEG": "in/a/1.jpg", "in/a/2.jpg": "in/b/3.jpg"}
    assert found(laid(tmp_path / "in", files)) == twins


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_chains_join(tmp_path: Path, order: tuple[int, ...]) -> None:
    """A has the scans of B under another name, B the coefficients of C; whichever comes first."""
    names = ["b/1.jpg", "a/2.jpg", "c/1.jpg"]
    for (where, own), more in zip(
        {names[0]: FIRST, names[1]: FIRST, names[2]: ANEW[0]}.items(), order, strict=True
    ):
        laid(tmp_path / "in", {where: commented(own, bytes(1 + 400 * more))})
    (first,) = {*found(tmp_path / "in").values()}
    assert found(tmp_path / "in").keys() | {first} == {f"in/{name}" for name in names}


def test_tables_tell(tmp_path: Path) -> None:
    """Equal scans under other steps are other pictures."""
    place = FIRST.index(b"\xff\xdb") + 5
    other = FIRST[:place] + bytes([FIRST[place] + 1]) + FIRST[place + 1 :]
    assert found(laid(tmp_path / "in", {"1.jpg": FIRST, "2.jpg": other})) == {}


def test_they_are_coded_once(tmp_path: Path) -> None:
    """In a folder of JPEG files alone, and all come back."""
    files = {"a/1.jpg": FIRST, "a/2.jpg": SECOND, "b/1.jpg": ANEW[0], "c.jpg": commented(FIRST)}
    one = laid(tmp_path / "one", {"a/1.jpg": FIRST, "a/2.jpg": SECOND})
    every = laid(tmp_path / "in", files)
    once = bitswap.compress(one, tmp_path / "once.bsw").bytes_after
    report = bitswap.compress(every, tmp_path / "a.bsw")
    assert report.verified and report.bytes_after < once + 600
    with bitswap.open(tmp_path / "a.bsw") as archive:
        for name, data in files.items():
            assert archive[f"in/{name}"] == data


@pytest.mark.parametrize("cut", [*range(12), 200, 500])
def test_heads_that_end(cut: int) -> None:
    assert head(io.BytesIO(FIRST[:cut])) is None


def test_a_head() -> None:
    """It begins wherever the file stands; what other programs tell is no part of it."""
    file = io.BytesIO(b"xyz" + commented(FIRST))
    file.seek(3)
    told, plain = head(file), head(io.BytesIO(FIRST))
    assert told and plain and told.tables == plain.tables and len(told.tables) == 32
    assert told.size == plain.size == bytes([0, 48, 0, 64])
    assert told.scan == plain.scan + 9 and FIRST[plain.scan :][:2] == b"\xff\xda"
