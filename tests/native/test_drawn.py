"""Plain C codes pictures as every set of instructions does, and needs no optimizer to be linked."""

from pathlib import Path

import numpy as np
import pytest

from bitswap_models.families.drawn import kernel
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.model import keys
from bitswap_models.families.drawn.state import untrained
from tests.models.families.drawn.pictures import KINDS, palette
from tests.native.compiler import DRAWN, compile, needs_compiler, sources

INSTALLED = kernel.compiled()


@needs_compiler
@pytest.mark.skipif(INSTALLED is None, reason="the kernel is not compiled")
@pytest.mark.parametrize("config", [Config(12, 2), Config(12, 2, 6, 128)])
def test_plain_c_gives_the_same_words(config: Config, tmp_path: Path) -> None:
    assert INSTALLED
    options = ("-O0", "-shared", "-fPIC", "-DPORTABLE")
    compile(tmp_path / "plain.so", *sources(DRAWN), options=options)
    random = np.random.default_rng(1)
    shapes = [(25, 31, channels) for channels in (1, 2, 3, 4)] * len(KINDS)
    pictures = [KINDS[k // 4](*shape, random) for k, shape in enumerate(shapes)]
    told = [keys(palette(picture, random)) for picture in pictures]
    words = []
    for own in (INSTALLED, kernel.Kernel(tmp_path / "plain.so")):
        chunk = own.open(config, untrained(config), [*shapes, shapes[0]], 12, None)
        for picture, colours in zip(pictures, told, strict=True):
            chunk.hold()
            chunk.picture(pictures[0], told[0])
            assert chunk.undo()
            chunk.picture(picture, colours)
        words.append(chunk.words().tolist())
    assert words[0] == words[1]
