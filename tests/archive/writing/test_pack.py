"""What is packed is compared before it is coded, as long as it is small."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bitswap_cli.archive.writing.coders.asking import ALL, Best, Limits, Look
from bitswap_cli.archive.writing.coders.register import Coders
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.contract import EncodedTiles, Integers, Samples
from tests.archive.support import ZlibCodec, encoded, header_for, smooth, write

_LOTS = 8  # of 16 pictures


class _Watched(ZlibCodec):
    """Notes when something is coded."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def encode(self, tiles: Samples, sizes: Integers, payload: bytes) -> EncodedTiles:
        self._told.append("coded")
        return super().encode(tiles, sizes, payload)


@pytest.mark.parametrize("threads", [1, 2])
def test_chunks_of_small_pictures_begin_when_all_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """Else one thread would compare and the other code, and in the end one would wait."""
    told, best = list[str](), Coders.best

    def noted(self: Coders, looks: Sequence[Look], limits: Limits = ALL) -> list[Best]:
        told.append("compared")
        return best(self, looks, limits)

    monkeypatch.setattr(Coders, "best", noted)
    for number in range(16 * _LOTS):
        write(tmp_path / "in" / f"{number:03}.ppm", encoded(smooth(8, 8, seed=number), "PPM"))
    codec = _Watched(told)
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec), threads=threads)
    assert told[:_LOTS] == ["compared"] * _LOTS
    assert "coded" in told
