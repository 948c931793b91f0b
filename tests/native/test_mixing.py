"""Plain C mixes as every set of instructions does, and needs no optimizer to be linked."""

from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.mixing import octets
from tests.native.compiler import MIXING, compile, needs_compiler, sources

INSTALLED = octets.compiled()
PLENTY = 1 << 14


@needs_compiler
@pytest.mark.skipif(INSTALLED is None, reason="the kernel is not compiled")
def test_plain_c_gives_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path(octets.__file__).read_bytes()
    words = octets.encode(text, PLENTY)
    assert words is not None
    options = ("-O0", "-shared", "-fPIC", "-DPORTABLE")
    compile(tmp_path / "plain.so", *sources(MIXING), options=options)
    plain = octets.Kernel(tmp_path / "plain.so")
    monkeypatch.setattr(octets, "compiled", lambda: plain)
    own = octets.encode(text, PLENTY)
    assert own is not None
    assert np.array_equal(own, words)
    assert octets.decode(words, len(text)) == text
