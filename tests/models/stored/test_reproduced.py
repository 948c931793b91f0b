"""Known answers that were reproduced are remembered, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bitswap_cli.errors import ModelError
from bitswap_models import exact
from bitswap_models.exact import kernel
from bitswap_models.exact.model import ExactModel
from bitswap_models.stored import model_file, reproduced
from bitswap_models.stored.known_answer import known_answer
from tests.conftest import started
from tests.models.stored.test_model_file import altered


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty folder, and a processor that says what it is."""
    monkeypatch.setenv("BITSWAP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cpuinfo").write_text("model : 1\ncpu MHz : 1000\n\nmodel : 2\n")
    monkeypatch.setattr(reproduced, "_CPUINFO", tmp_path / "cpuinfo")
    forget(monkeypatch)
    yield tmp_path / "cache"
    reproduced._machine.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    model_file.write(started("markov_vae"), path, recipe="", metrics={})
    return path


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be another process."""
    monkeypatch.setattr(reproduced, "_here", set())
    reproduced._machine.cache_clear()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The models whose known answers were computed."""
    models: list[object] = []

    def answer(model: ExactModel) -> str:
        models.append(model)
        return known_answer(model)

    monkeypatch.setattr(model_file, "known_answer", answer)
    return models


def test_an_answer_is_computed_once_on_a_machine(
    cache: Path, file: Path, computed: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        model_file.load(file)
        forget(monkeypatch)
    assert len(computed) == 1
    assert len((cache / reproduced.NAME).read_text().splitlines()) == 1
    model_file.load(file, afresh=True)
    assert len(computed) == 2
    (cache / reproduced.NAME).unlink()
    forget(monkeypatch)
    model_file.load(file)
    assert len(computed) == 3


def test_another_model_that_fails_is_refused_each_time(
    cache: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_file.load(file)
    other = altered(file, {"known_answer": "0" * 64})
    for _ in range(2):
        with pytest.raises(ModelError, match="known answer"):
            model_file.load(other)
        forget(monkeypatch)
    assert len((cache / reproduced.NAME).read_text().splitlines()) == 1


def test_whatever_may_compute_otherwise_is_asked_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reproduced.remember("a")

    def known(name: str = "a") -> bool:
        forget(monkeypatch)
        return reproduced.known(name)

    assert known() and not known("b")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model : 1\ncpu MHz : 2000\n\nmodel : 3\n")
    assert known(), "a clock is no other processor"
    cpuinfo.write_text("model : 2\n")
    assert not known()
    cpuinfo.write_text("model : 1\n")
    assert known()
    with monkeypatch.context() as patch:
        patch.setattr(np, "__version__", "0.1")
        assert not known()
    other = None if kernel.engine() else SimpleNamespace(variant="a", binary_variant="b")
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "engine", lambda: other)
        assert not known()
    (tmp_path / "room").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(exact, "__path__", [str(tmp_path / "room")])
        assert not known()
    assert known()


def test_nothing_is_remembered_of_a_processor_that_cannot_be_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PROCESSOR_IDENTIFIER", raising=False)
    monkeypatch.setattr(reproduced, "_CPUINFO", tmp_path / "none")
    reproduced.remember("a")
    assert reproduced.known("a")  # in this process
    assert not cache.exists()


def test_nothing_is_remembered_of_a_program_that_cannot_be_read(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "room" / "folder.py").mkdir(parents=True)
    monkeypatch.setattr(exact, "__path__", [str(tmp_path / "room")])
    reproduced.remember("a")
    assert not cache.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\x00" * 99, b"0" * 10**6, b"a\n", b"{}\n\n"])
def test_damaged_files_are_as_good_as_none(
    cache: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reproduced.remember("a")
    place = cache / reproduced.NAME
    place.write_bytes(content)
    forget(monkeypatch)
    assert not reproduced.known("a")
    reproduced.remember("a")
    forget(monkeypatch)
    assert reproduced.known("a")
    assert len(place.read_bytes()) == 65


def test_what_cannot_be_read_or_written_is_no_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / reproduced.NAME).mkdir(parents=True)  # a folder of this name
    (cache / "file").touch()
    for folder in (cache, cache / "file" / "below", Path("~/.cache/bitswap")):
        monkeypatch.setenv("BITSWAP_CACHE", str(folder))
        reproduced.remember("a")
        forget(monkeypatch)
        assert not reproduced.known("a")
    assert sorted(path.name for path in cache.iterdir()) == [reproduced.NAME, "file"]
    assert not Path("~").exists()


def test_the_file_stays_small(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduced, "MOST", 3)
    for name in "abcdb":
        reproduced.remember(name)
    forget(monkeypatch)
    assert [reproduced.known(name) for name in "abcde"] == [False, True, True, True, False]
    assert len((cache / reproduced.NAME).read_text().splitlines()) == 3
