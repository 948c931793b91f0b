"""What was described and proved is given back without another search, as long as that is asked."""

import threading
import zlib

import pytest

from bitswap_cli.images.deflate import (
    describe,
    describing,
    engine,
    once,
    reference,
    remembering,
    restore,
    restoring,
)
from bitswap_cli.images.deflate.inflated import Bytes, Inflated
from tests.images.deflate.streams import RAW

STREAM = zlib.compress(RAW["rows"](), 6)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Descriptions by which streams are made by a search."""
    descriptions: list[bytes] = []

    def noted(data: Bytes, description: bytes, make: restoring.Deflate) -> bytes:
        descriptions.append(description)
        return rebuild(data, description, make)

    rebuild = restoring.rebuild
    monkeypatch.setattr(restoring, "rebuild", noted)
    return descriptions


def test_what_is_remembered_is_not_made(made: list[bytes]) -> None:
    with remembering():
        described = describe(STREAM, 1 << 20)
        assert described is not None
        assert restore(*described) == restore(*described) == STREAM
        assert not made
        assert restore(described.inflated[::-1], described.description) != STREAM
        assert len(made) == 1


def test_nothing_is_remembered_behind_or_elsewhere(made: list[bytes]) -> None:
    with remembering():
        described = describe(STREAM, 1 << 20)
        assert described is not None
        thread = threading.Thread(target=restore, args=described)
        thread.start()
        thread.join()
        assert len(made) == 1
    assert restore(*described) == STREAM
    assert len(made) == 2


def test_a_description_that_does_not_hold_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    other = describe(zlib.compress(RAW["rows"](), 1), 1 << 20)
    assert other is not None
    monkeypatch.setattr(describing, "pack", lambda *_: other.description)
    assert describe(STREAM, 1 << 20) is None


def test_each_engine_proves(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for kernel in (engine.compiled(), reference):
        if kernel is not None:
            with monkeypatch.context() as patch:
                for room in (describing, restoring):
                    patch.setattr(room, "engine", lambda kernel=kernel: kernel)
                found.add(describe(STREAM, 1 << 20))
    assert len(found) == 1 and None not in found


def test_a_file_is_read_once_while_it_is_remembered() -> None:
    files: list[bytes] = []

    def read(data: bytes) -> int:
        files.append(data)
        return len(files)

    first, second = b"a file", bytes(bytearray(b"a file"))
    assert [once(read, first), once(read, first)] == [1, 2]
    with remembering():
        assert [once(read, first), once(read, first)] == [3, 3]
        assert [once(read, second), once(read, first)] == [4, 5]
        assert once(lambda data: 99, first) == 99
        assert once(read, first) == 5
    assert once(read, first) == 6


def test_it_is_read_again_if_it_is_asked_otherwise() -> None:
    files: list[int] = []

    def read(data: bytes, limit: int) -> int:
        files.append(limit)
        return len(files)

    first = b"a file"
    with remembering():
        assert [once(read, first, limit) for limit in (7, 7, 8)] == [1, 1, 2]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """With which limits streams are inflated, each time that one is."""
    limits: list[int] = []
    inflate = describing._inflate

    def noted(stream: bytes, limit: int) -> Inflated | None:
        limits.append(limit)
        return inflate(stream, limit)

    monkeypatch.setattr(describing, "_inflate", noted)
    return limits


def test_a_stream_is_inflated_once(asked: list[int]) -> None:
    raw = RAW["rows"]()
    with remembering():
        assert describing.inflate(STREAM, len(raw)) is not None
        assert describe(STREAM, len(raw)) is not None
    assert asked == [len(raw)]


def test_large_streams_are_not_kept_inflated(asked: list[int]) -> None:
    large = describing._KEPT + 1
    with remembering():
        assert describe(STREAM, large) == describe(STREAM, large)
    assert asked == [large, large]
