"""Files with holes are what they would be without."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.system.sparse import SparseFile
from bitswap_cli.errors import InputError

PAGE = 4096
lengths = st.integers(1, 3 * PAGE)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([b"\0", b"x"]), lengths), max_size=6),
    st.lists(lengths, max_size=6),
    lengths,
)
def test_bytes_are_the_same_wherever_holes_are_told(
    runs: list[tuple[bytes, int]], holes: list[int], part: int
) -> None:
    """Even where there are no zeros, or no bytes at all; in parts of any length."""
    data = b"".join(byte * length for byte, length in runs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        file = SparseFile(path, force=False, dress=None, holes=holes)
        for start in range(0, len(data), part):
            file.write(memoryview(data)[start : start + part])
        file.commit(7)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (data, 7)


def test_a_place_that_cannot_be_gone_to_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SparseFile(tmp_path / "x", force=False, dress=None, holes=[1, PAGE])
    file.write(b"1")
    file.file.close()
    end, other = os.pipe()
    monkeypatch.setattr(file, "file", os.fdopen(other, "wb"))
    with pytest.raises(InputError, match="cannot write"):
        file.write(bytes(PAGE))
    os.close(end)
    assert list(tmp_path.iterdir()) == []
