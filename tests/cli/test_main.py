"""What holds for every verb: start-up, one line for every error, exit codes, signals."""

import doctest
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bitswap_cli import __version__
from bitswap_cli.cli import common, table
from bitswap_cli.cli.common import Console
from bitswap_cli.cli.main import run
from bitswap_cli.errors import ArchiveError, InputError, ModelError, PartialError
from bitswap_cli.errors import ModelError as ZooError
from tests.cli.conftest import Bitswap
from tests.conftest import heed_ctrl_c

VERBS = ("compress", "decompress", "list", "info", "test", "models", "train", "doctor")
COMMAND = [sys.executable, "-m", "bitswap_cli"]


def test_help_names_every_verb(bitswap: Bitswap) -> None:
    outcome = bitswap("--help")
    assert outcome.code == 0
    assert all(f"  {verb} " in outcome.out for verb in VERBS)
    for verb in VERBS:
        assert bitswap(verb, "-h").code == 0


def test_help_answers_at_once() -> None:
    def seconds() -> float:
        """Processor time, because other programs may be running."""
        before = os.times()
        subprocess.run([*COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])  # of children

    assert min(seconds() for _ in range(3)) < 0.3


def test_nothing_heavy_is_imported_for_help() -> None:
    code = (
        "import sys; from bitswap_cli.cli.main import run; run(['compress', '--help']);"
        "heavy = {'torch', 'numpy', 'PIL', 'pooch', 'zstandard', 'tqdm'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_version(bitswap: Bitswap) -> None:
    assert bitswap("--version").out == f"bitswap, version {__version__}\n"


def test_no_verb_shows_help(bitswap: Bitswap) -> None:
    outcome = bitswap()
    assert outcome.code == 2
    assert "Commands:" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["--frobnicate"],
        ["compress"],
        ["compress", "x"],
        ["compress", "x", "-o", "y", "--scheme", "zip"],
        ["compress", "x", "-o", "y", "--threads", "-1"],
        ["decompress", "x"],
        ["models", "frobnicate"],
        ["list", "a", "b"],
    ],
)
def test_wrong_command_line(bitswap: Bitswap, arguments: list[str]) -> None:
    outcome = bitswap(*arguments)
    assert outcome.code == 2
    assert "--help" in outcome.error_line()
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("no"), 3, "no"),
        (ArchiveError("no"), 4, "no"),
        (ModelError("no"), 5, "no"),
        (ZooError("no"), 5, "no"),
        (PartialError("no"), 6, "no"),
        (InputError("odd\nname \x1b[0m\udcff"), 3, r"odd\nname \x1b[0m\xff"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "f"), 3, "f: No space left on device"),
        (
            PermissionError(errno.EACCES, "Permission denied", b"\xff"),
            3,
            r"\xff: Permission denied",
        ),
        (MemoryError(), 3, "out of memory: try --threads 1 or a smaller --batch"),
        (KeyError("x"), 1, "this is a bug: KeyError: 'x' (-v shows where)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_error_is_one_line_and_a_code(
    bitswap: Bitswap, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("bitswap_cli.archive.reading.reader.ArchiveReader.__init__", fail)
    outcome = bitswap("list", "any.bsw")
    assert outcome.code == code
    assert outcome.error_line() == line


def test_verbose_shows_where_a_bug_is(bitswap: Bitswap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bitswap_cli.archive.reading.reader.ArchiveReader.__init__", lambda *_: 1 / 0
    )
    for arguments in (["-v", "list", "x"], ["list", "-v", "x"]):
        outcome = bitswap(*arguments)
        assert outcome.code == 1
        assert "Traceback" in outcome.err


def test_reader_of_stdout_goes_away(made_archive: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "list", made_archive], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_nothing_behind(
    tmp_path: Path, photos: Path, tiny_model: Path, number: signal.Signals
) -> None:
    sources = tmp_path / "many"
    sources.mkdir()
    picture = (photos / "color.png").read_bytes()
    for i in range(3000):
        (sources / f"{i}.png").write_bytes(picture + bytes(i % 7))
    output = tmp_path / "out"
    output.mkdir()
    command: list[str | Path] = [*COMMAND, "compress", sources, "--model", tiny_model]
    command += ["-o", output / "a.bsw"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=heed_ctrl_c
    ) as process:
        deadline = time.monotonic() + 300
        while not list(output.iterdir()) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], err
    assert err in (b"bitswap: error: interrupted\n", b"")
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_second_signal_changes_nothing(number: str) -> None:
    """It comes while temporary files go."""
    program = f"""
import atexit, os, signal
from bitswap_cli.cli import main

def run(arguments, console):
    atexit.register(os.kill, os.getpid(), signal.{number})
    try:
        console.interrupt()
    except KeyboardInterrupt:
        return main.EXIT_INTERRUPTED

main.run = run
main.main([])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, preexec_fn=heed_ctrl_c, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("way, code", [("terminate", 143), ("interrupt", 130)])
def test_a_signal_that_python_swallowed(
    tmp_path: Path,
    photos: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    code: int,
) -> None:
    """Exceptions in callbacks of weak references are lost: work ends all the same."""
    console = Console()

    class Swallow:
        def __del__(self) -> None:
            getattr(console, way)()

    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    swallow = Swallow()
    del swallow
    command = ["compress", str(photos), "-o", str(tmp_path / "a.bsw"), "--model", str(tiny_model)]
    ended: object
    try:
        ended = run(command, console)
    except SystemExit as exit_:
        ended = exit_.code
    assert ended == code
    assert list(tmp_path.iterdir()) == []


def test_names_that_do_not_fit_the_encoding(made_archive: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    outcome = subprocess.run([*COMMAND, "list", "é.bsw"], env=environment, capture_output=True)
    assert outcome.returncode == 3
    assert rb"\xe9.bsw" in outcome.stderr


def test_examples_in_docstrings() -> None:
    for module in (common, table):
        assert doctest.testmod(module).failed == 0


def test_that_coding_is_slow_is_said_once(
    bitswap: Bitswap, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BITSWAP_ENGINE", raising=False)
    monkeypatch.setattr("bitswap_cli.api.engine.engine_name", lambda: "reference")
    common.note_engine.cache_clear()
    slow = "bitswap: no compiled kernel, coding with numpy (much slower)\n"
    assert bitswap("list", archive).err == ""
    assert bitswap("test", "missing.bsw").err.startswith(slow)
    assert "slower" not in bitswap("test", "missing.bsw").err
    common.note_engine.cache_clear()
    monkeypatch.setenv("BITSWAP_ENGINE", "reference")
    assert "slower" not in bitswap("test", "missing.bsw").err
