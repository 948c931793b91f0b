"""What is kept for a while comes back, whoever asks; and what if there is no room for it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bitswap_cli.archive.sources import spool
from bitswap_cli.archive.sources.spool import Spool
from bitswap_cli.atomic import Scratch
from bitswap_cli.errors import InputError


def test_many_may_keep_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept = Spool()
    assert kept.read(0, 9) == b"" and not os.listdir(tmp_path)

    def keep(number: int) -> bool:
        data = b"%d" % number * number
        place = kept.add(data)
        return kept.read(place, len(data)) == data and kept.read(place + 1, 1) == data[1:2]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(keep, range(2, 200)))
    assert not os.listdir(tmp_path)  # it has no name


def test_no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.file.close()
    scratch.file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115
    monkeypatch.setattr(spool, "Scratch", lambda folder: scratch)
    kept = Spool()
    with pytest.raises(InputError, match="cannot write a temporary file: No space left"):
        kept.add(b"some")
    scratch.file.close()
