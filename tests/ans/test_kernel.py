"""Which engine codes."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest

from bitswap_cli.ans import Message, NoEngine, kernel, reference

needs_kernel = pytest.mark.skipif(kernel.compiled() is None, reason="the kernel is not compiled")


def compiled() -> kernel.Kernel:
    """The kernel, where a test needs it."""
    found = kernel.compiled()
    assert found is not None
    return found


def choose(monkeypatch: pytest.MonkeyPatch, wanted: str) -> kernel.Engine:
    monkeypatch.setenv("BITSWAP_ENGINE", wanted)
    return kernel.engine.__wrapped__()


@needs_kernel
def test_the_kernel_is_chosen_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, "").NAME == choose(monkeypatch, "c").NAME == "c"


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, "reference") is reference
    with pytest.raises(NoEngine, match="choose"):
        choose(monkeypatch, "fortran")


def test_without_a_kernel_numpy_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernel, "compiled", lambda: None)
    assert choose(monkeypatch, "") is reference
    with pytest.raises(NoEngine, match="not compiled"):
        choose(monkeypatch, "c")
    assert choose(monkeypatch, "reference") is reference
    assert capsys.readouterr() == ("", "")  # to say that it is slow is the command line's


@needs_kernel
def test_a_kernel_of_another_version_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "ABI", kernel.ABI + 1)
    assert kernel.compiled.__wrapped__() is None


def test_the_engine_is_named() -> None:
    code = "from bitswap_cli.ans import engine_name; print(engine_name())"
    environment = {**os.environ, "BITSWAP_ENGINE": "reference"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("reference\n", "")


@needs_kernel
def test_both_engines_give_the_same_intervals() -> None:
    rng = np.random.default_rng(0)
    symbols = rng.integers(-8, 300, 1000, dtype=np.int32)
    mean = rng.integers(-5000, 9000, (1000, 3), dtype=np.int32)
    scale = rng.integers(0, 128, (1000, 3), dtype=np.int32)
    cuts = np.sort(rng.integers(0, 257, (1000, 2), dtype=np.int32))
    weight = np.diff(cuts, axis=1, prepend=0, append=256).astype(np.int32)
    engines: list[kernel.Engine] = [compiled(), reference]
    mixtures = (weight, mean, scale)
    for w, m, s in (mixtures, (None, mean[:, 0].copy(), scale[:, 0].copy())):
        c, numpy = (e.intervals_logistic(symbols, w, m, s, -8, 308) for e in engines)
        for a, b in zip(c, numpy, strict=True):
            assert a.dtype == b.dtype == np.uint32
            assert np.array_equal(a, b)
        for e in engines:
            with pytest.raises(ValueError, match="symbols"):
                e.intervals_logistic(symbols, w, m, s, -8, 307 - 8)
    for e in engines:
        with pytest.raises(ValueError, match="256"):
            e.intervals_logistic(symbols, weight + 1, mean, scale, -8, 308)


@needs_kernel
@pytest.mark.parametrize("lanes", [1, 8, 32])
def test_batches_are_pushed_so_that_the_first_is_popped_first(lanes: int) -> None:
    rng = np.random.default_rng(1)
    batches = np.array([40, 1, 33, 0, 7], np.int32)
    symbols = rng.integers(0, 256, batches.sum(), dtype=np.int32)
    mean = (16 * symbols + rng.integers(-99, 99, symbols.shape)).astype(np.int32)
    scale = rng.integers(0, 128, symbols.shape, dtype=np.int32)
    messages = []
    engines: list[kernel.Engine] = [compiled(), reference]
    for engine in engines:
        message = Message.with_bottom(b"", lanes)
        start, freq = engine.intervals_logistic(symbols, None, mean, scale, 0, 256)
        engine.push_batches(message, start, freq, batches)
        messages.append(message.copy())
        at = 0
        for size in batches:
            part = slice(at, at + size)
            popped = engine.pop_logistic(message, None, mean[part], scale[part], 0, 256)
            assert np.array_equal(popped, symbols[part])
            at += size
        assert message == Message.with_bottom(b"", lanes)
    assert messages[0] == messages[1]
    with pytest.raises(ValueError, match="batches"):
        compiled().push_batches(messages[0], start, freq, batches + 1)


@needs_kernel
def test_decisions_are_pushed_so_that_the_first_is_popped_first() -> None:
    rng = np.random.default_rng(2)
    ones, which = rng.integers(1, 1 << 16, 500), rng.integers(0, 2, 500)
    messages = []
    engines: list[kernel.Engine] = [compiled(), reference]
    for engine in engines:
        message = Message.with_bottom(b"", 1)
        engine.push_decisions(message, (which << 16 | ones).astype(np.uint32))
        messages.append(message.copy())
        for one, bit in zip(ones, which, strict=True):
            table = np.array([0, one << reference.DECISION_SHIFT, 1 << 20], np.uint32)
            assert engine.pop_table(message, 1, table)[0] == 1 - bit
        assert message == Message.with_bottom(b"", 1)
    assert messages[0] == messages[1]


@needs_kernel
@pytest.mark.parametrize(("low", "high"), [(0, 255), (-2048, 2047)])
def test_another_kernel_pops_by_itself(low: int, high: int) -> None:
    """What `Native` names pops as the codec does, whatever the alphabet."""
    rng = np.random.default_rng(2)
    weight = np.tile(np.array([200, 56], np.int32), (500, 1))
    mean = rng.integers(16 * low, 16 * high, (500, 2), dtype=np.int32)
    scale = rng.integers(0, 128, (500, 2), dtype=np.int32)
    parameters = (weight, mean, scale)
    size = high - low + 1
    engine = compiled()
    message = Message.with_bottom(b"payload", 8)
    expected = engine.pop_logistic(message.copy(), *parameters, low, size)
    symbols = np.empty(500, np.int32)
    pointer, word = ctypes.c_void_p, ctypes.c_int64
    kinds = (pointer, word, pointer, word, word, pointer, word, *[pointer] * 3, word, word, word)

    def work(native: kernel.Native) -> str:
        pop = ctypes.CFUNCTYPE(word, *kinds)(native.function)
        held = (native.head, native.lanes, native.words, native.top, native.end)
        arrays = [array.ctypes.data for array in parameters]
        native.top = pop(*held, symbols.ctypes.data, 500, *arrays, 2, low, size)
        return "done"

    assert engine.pop_natively(message, work, low, size) == "done"
    assert np.array_equal(symbols, expected)
    engine.push_logistic(message, symbols, *parameters, low, size)
    assert np.array_equal(message.head, Message.with_bottom(b"payload", 8).head)
