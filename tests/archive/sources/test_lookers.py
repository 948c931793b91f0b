"""Processes see in files what this one sees, and are gone when nobody asks any more.

Of three that look in turn, two are processes beside this one.
"""

import os
import pickle
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import bitswap_cli
from bitswap_cli.archive.sources import lookers as module
from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.lookers import Look, here, lookers
from bitswap_cli.archive.sources.source import Source, SourceError
from tests.archive.support import write
from tests.images.formats.rasters.test_strides import image
from tests.images.formats.samples import files

ALL = 3
BLAS = "OPENBLAS_NUM_THREADS"
FILES = files() | {"no picture": b"text", "like one": b"\x89PNG\r\n\x1a\n"}


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    """Small files, as many as are worth processes."""
    monkeypatch.setattr(module, "MANY", 10)
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return Catalogue([folder]).sources


@pytest.fixture(params=["copies", "others"])
def started(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[module._Process]]:
    """The processes that a test starts; each has ended by the end of it."""
    found = list[module._Process]()
    if request.param == "copies" and not hasattr(os, "fork"):
        pytest.skip("no process can be copied")
    monkeypatch.setattr(module, "_is_alone", lambda: request.param == "copies")

    def start() -> module._Process:
        found.append(own())
        return found[-1]

    own = module._started
    monkeypatch.setattr(module, "_started", start)
    yield found
    assert all(process.returncode is not None for process in found)


def seen_by(look: Look, sources: list[Source]) -> list[tuple[object, ...]]:
    """What is known of each file, pixels as bytes."""
    every = [one.result() for one in look(sources, wide=True, pixels=False)]
    return [
        (*known._replace(pictures=None), [(p.pixels.tobytes(), p.recipe) for p in known.pictures])
        for known in every
        if known.pictures is not None
    ]


def test_pictures_in_streams_are_seen_as_well(
    sources: list[Source], tmp_path: Path, started: list[module._Process]
) -> None:
    """They lie in a file that no other process has."""
    joined = b"<".join(map(zlib.compress, FILES.values()))
    (tmp_path / "in" / "streams").write_bytes(joined)
    members = [one for one in Catalogue([tmp_path / "in"]).sources if one.spool]
    assert len(members) >= 10
    with lookers(members, ALL) as look:
        assert look is not here
        for _ in range(ALL):
            assert seen_by(look, members) == seen_by(here, members)
    assert len(started) == 2


def test_processes_see_what_this_one_sees(
    sources: list[Source], started: list[module._Process]
) -> None:
    with lookers(sources, ALL) as look:
        assert look is not here
        for _ in range(ALL):
            assert seen_by(look, sources) == seen_by(here, sources) != []
    assert len(started) == 2


def test_nothing_is_run_that_lies_in_the_folder_at_hand(
    sources: list[Source],
    started: list[module._Process],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("numpy", "pickle", "subprocess"):
        (tmp_path / f"{name}.py").write_text("open('run', 'w')\n")
    monkeypatch.chdir(tmp_path)
    with lookers(sources, ALL) as look:
        for _ in range(ALL):
            seen_by(look, sources)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("mixing", [True, False])
def test_they_are_told_whether_files_are_mixed(
    sources: list[Source], tmp_path: Path, started: list[module._Process], mixing: bool
) -> None:
    """Which is asked of pixels without a header."""
    write(tmp_path / "raw" / "a", image(120, 90, 3).tobytes())
    raw = [source for source in Catalogue([tmp_path / "raw"]).sources if source.kind == "file"]
    own = seen.look(*raw, wide=True, pixels=False, mixing=mixing)
    assert own.limit != seen.look(*raw, wide=True, pixels=False, mixing=not mixing).limit
    with lookers(sources, ALL) as look:
        for _ in range(ALL):
            found = look(raw, wide=True, pixels=False, mixing=mixing)[0].result()
            assert found.kinds == own.kinds and found.limit == own.limit


def test_errors_are_told(sources: list[Source], started: list[module._Process]) -> None:
    gone = next(source for source in sources if source.name.endswith(b"tga"))
    os.unlink(gone.path)
    with pytest.raises(SourceError) as own:
        seen.look(gone, wide=True, pixels=False)
    with lookers(sources, ALL) as look:
        for _ in range(ALL):
            with pytest.raises(SourceError) as error:
                look([gone], wide=True, pixels=False)[0].result()
            assert str(error.value) == str(own.value) and error.value.why == own.value.why


def test_what_a_process_cannot_do_is_done_here(
    sources: list[Source], started: list[module._Process]
) -> None:
    with lookers(sources, ALL) as look:
        for process in started:
            process.kill()
        for _ in range(ALL):
            assert seen_by(look, sources) == seen_by(here, sources)


def test_where_no_process_can_be_had_there_is_none(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start() -> module._Process:
        raise BlockingIOError

    monkeypatch.setattr(module, "_started", start)
    with lookers(sources, 2) as look:
        assert look is here


def test_processes_end_with_an_error(sources: list[Source], started: list[module._Process]) -> None:
    with pytest.raises(KeyError), lookers(sources, ALL):
        raise KeyError
    assert len(started) == 2


@pytest.mark.parametrize(("count", "many", "size"), [(1, 2, 9), (2, 1 << 20, 9), (2, 2, 1 << 17)])
def test_few_or_large_files_need_none(
    count: int, many: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY", many)
    with lookers(9 * [Source(b"a", b"a", "file", size, 0)], count) as look:
        assert look is here


def test_archives_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[module._Process]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    archives = []
    for many in (1 << 20, 10):
        monkeypatch.setattr(module, "MANY", many)
        bitswap_cli.compress(folder, tmp_path / "a.bsw", threads=2, force=True)
        archives.append((tmp_path / "a.bsw").read_bytes())
    assert archives[0] == archives[1] and started


def test_a_process_of_several_threads_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one might be about to change what a copy would have half changed for ever."""
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    assert not module._is_alone()
    done.set()
    other.join()
    monkeypatch.setattr(module, "_TASKS", "no such folder")
    assert not module._is_alone()


def test_a_process_of_one_thread_is_copied(tmp_path: Path) -> None:
    if not os.path.isdir(module._TASKS):
        pytest.skip("the system does not tell threads")
    command = f"from {module.__name__} import _is_alone; raise SystemExit(_is_alone())"
    own = subprocess.run([sys.executable, "-c", command], env=os.environ | {BLAS: "1"}, check=False)
    assert own.returncode == 1


KILLED = """
import os, pickle, signal, sys
from bitswap_cli.archive.sources.lookers import _Copy
copy = _Copy()
print(copy._number, flush=True)
with open(sys.argv[1], "rb") as file:
    pickle.dump((pickle.load(file), True, False), copy.stdin)
copy.stdin.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_copy_ends_though_nobody_reads_what_it_sees(
    sources: list[Source], tmp_path: Path
) -> None:
    """It is more than a pipe holds."""
    if not os.path.isdir(module._TASKS):
        pytest.skip("the system does not tell processes")
    with open(tmp_path / "sources", "wb") as file:
        pickle.dump(40 * sources, file)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "sources")]
    told = subprocess.run(command, capture_output=True, check=False, timeout=60)
    number, end = int(told.stdout), time.monotonic() + 60
    while _runs(number):
        assert time.monotonic() < end
        time.sleep(0.02)


def _runs(number: int) -> bool:
    """Tell whether there is a process of a number that has not ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
