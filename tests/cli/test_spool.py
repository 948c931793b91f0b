"""``-``: archives from stdin and to stdout, whole and verified, and never to a terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome

BITSWAP = (sys.executable, "-m", "bitswap_cli")


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files; nothing may be left there."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def piped(*words: str | Path, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Run the command line as a process between pipes."""
    command = [*BITSWAP, *map(str, words)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def test_through_pipes(
    photos: Path, tiny_model: Path, made_archive: Path, spool: Path, tmp_path: Path,
    same_content: Callable[[Path, Path], None],
) -> None:  # fmt: skip
    code, archive, err = piped("compress", photos, "-o", "-", "--model", tiny_model, "--json")
    assert code == 0 and archive == made_archive.read_bytes()
    assert json.loads(err)["archive"] == "-" and json.loads(err)["verified"]
    code, out, err = piped(
        "decompress", "-", "-o", tmp_path / "out", "--model", tiny_model, stdin=archive
    )
    assert (code, err) == (0, "") and b"restored" in out
    same_content(photos, tmp_path / "out" / "photos")
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("verb", ["list", "info", "test"])
def test_what_reads_a_file_reads_stdin(
    verb: str, made_archive: Path, tiny_model: Path, spool: Path, bitswap: Callable[..., Outcome]
) -> None:
    model = ("--model", tiny_model) if verb == "test" else ()
    code, out, err = piped(verb, "-", *model, "--json", stdin=made_archive.read_bytes())
    expected = json.loads(bitswap(verb, made_archive, *model, "--json").out)
    assert (code, err) == (0, "")
    assert json.loads(out) == expected | {"archive": "-"}
    code, out, err = piped(verb, "-", *model, stdin=made_archive.read_bytes()[:-9])
    assert code == 4 and err.startswith("bitswap: error: stdin ") and err.count("\n") == 1
    assert list(spool.iterdir()) == []


def test_errors_name_no_temporary_file(spool: Path, tmp_path: Path) -> None:
    code, out, err = piped("compress", tmp_path / "none", "-o", "-")
    assert (code, out) == (3, b"") and str(spool) not in err
    assert list(spool.iterdir()) == []


def test_terminals_are_spared(
    bitswap: Callable[..., Outcome], photos: Path, tmp_path: Path
) -> None:
    controller, terminal = os.openpty()
    for words, message in (
        (("compress", photos, "-o", "-"), "no archive is written to a terminal"),
        (("list", "-"), "no archive on stdin"),
    ):
        done = subprocess.run(
            [*BITSWAP, *map(str, words)],
            stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        assert done.returncode == 2 and message in done.stderr.decode()
    os.close(terminal)
    os.close(controller)


def test_a_reader_that_goes_away_and_a_full_disk(
    photos: Path, tiny_model: Path, spool: Path
) -> None:
    command = [*BITSWAP, "compress", str(photos), "-o", "-", "--model", str(tiny_model)]
    reading, writing = os.pipe()
    os.close(reading)
    with open("/dev/full", "wb") as full:
        for stdout, message in ((writing, "Broken pipe"), (full, "No space left on device")):
            done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 3
            assert done.stderr.decode() == f"bitswap: error: cannot write to stdout: {message}\n"
    os.close(writing)
    assert list(spool.iterdir()) == []


def test_what_is_spooled_is_in_no_archive(photos: Path, tiny_model: Path, spool: Path) -> None:
    (spool / "a").write_text("1")
    code, archive, err = piped("compress", spool, "-o", "-", "--model", tiny_model)
    assert code == 0 and "unfinished" in err
    code, out, _ = piped("list", "-", "--json", stdin=archive)
    assert [entry["name"] for entry in json.loads(out)["entries"]] == ["spool/a"]
