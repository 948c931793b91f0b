"""What cannot be restored does not stop the rest, and is named."""

from pathlib import Path

import pytest

from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.errors import ArchiveError, InputError, PartialError
from tests.archive.reading.test_hostile import of_bytes
from tests.archive.support import check, rescue, tree, write


def test_an_entry_twice_and_names_that_are_too_long(tmp_path: Path) -> None:
    """The rest comes back, and both commands say which does not."""
    long = b"y" * 256
    segments = [(name, "file", 1, 0, 1, 0) for name in (b"a", b"a", b"a/b", long, b"z")]
    path = of_bytes(tmp_path / "a.bsw", segments, b"12345")
    with pytest.raises(ArchiveError, match="a twice"):
        check(path, None)
    with pytest.raises(PartialError, match="a twice.*a/b.*too long"):
        rescue(path, None, tmp_path / "out")
    found = tree(tmp_path / "out")
    assert {name: data for name, (_, data, _) in found.items()} == {b"a": b"1", b"z": b"5"}
    path = of_bytes(tmp_path / "long.bsw", segments[3:], b"45")
    with ArchiveReader(path) as reader, pytest.raises(InputError, match="too long"):
        unpack(reader, lambda _: None, tmp_path / "out2")
    assert not (tmp_path / "out2").exists()
    report = check(path, None)
    assert (report.entries, len(report.lost)) == (2, 1)


def test_what_cannot_be_written_does_not_stop_the_rest(tmp_path: Path) -> None:
    """A file where a folder should be, a folder where a file should be."""
    names = (b"d/x", b"f", b"good", b"link")
    segments = [(name, "link" if name == b"link" else "file", 1, 0, 1, 0) for name in names]
    path = of_bytes(tmp_path / "a", segments, b"1234")
    for folder in ("out/f", "out/link"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path / "out/d", b"a file")
    with ArchiveReader(path) as reader, pytest.raises(PartialError) as caught:
        unpack(reader, lambda _: None, tmp_path / "out", force=True, keep_going=True)
    assert all(f"{name} (" in str(caught.value) for name in ("d/x", "f", "link"))
    assert tree(tmp_path / "out")[b"good"][1] == b"3"
