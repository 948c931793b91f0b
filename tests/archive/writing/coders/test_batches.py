"""Pictures as one chunk: who loses by bad luck gets a second chance, and nobody else."""

from pathlib import Path

import numpy as np

from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.contract import EncodedTiles, Integers, Samples
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    bad_png,
    encoded,
    header_for,
    rescue,
    tree,
    write,
)

PICTURES = 30


class Unlucky(ZlibCodec):
    """Says that a tile costs a lot where it stands in its first place in a chunk of many."""

    def __init__(self, places: set[int]) -> None:
        super().__init__(tile=32, factors=(1,), chunk_tiles=100)
        self.first: dict[int, bytes] = dict.fromkeys(places, b"")

    def encode(self, tiles: Samples, sizes: Integers, payload: bytes) -> EncodedTiles:
        told = super().encode(tiles, sizes, payload)
        for place, first in self.first.items() if len(tiles) > 1 else ():
            self.first[place] = first or tiles[place].tobytes()
            told.bits[place] += 1e6 * (tiles[place].tobytes() == self.first[place])
        return told


def packed(where: Path, codec: ZlibCodec) -> tuple[list[str], list[str]]:
    """Names of the pictures in the one chunk of tiles, and of what is kept otherwise."""
    for number in range(PICTURES):
        write(where / "in" / f"{number:02}", bad_png(20, 30, seed=number))
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    write(where / "in" / "noise", encoded(noise))
    pack([where / "in"], where / "a", codec, header_for(codec))
    rescue(where / "a", codec, where / "out")
    assert_same(tree(where / "in"), tree(where / "out" / "in"))
    with ArchiveReader(where / "a") as reader:
        told = [(chunk.tag == TILE, reader.table(chunk).segments) for chunk in reader.chunks]
    coded, kept = (
        [one.name.decode()[3:] for tiles, own in told if tiles == wanted for one in own]
        for wanted in (True, False)
    )
    return coded, [name for name in kept if name]


def test_bad_luck_is_no_reason_to_be_kept_as_a_file(tmp_path: Path) -> None:
    codec = Unlucky({3, 7})
    coded, kept = packed(tmp_path, codec)
    others = [f"{number:02}" for number in range(PICTURES) if number not in (3, 7)]
    assert coded == [*others, "03", "07"] and kept == ["noise"]
    # all, three that lost alone, and all but one
    assert codec.coded_tiles == [PICTURES + 1, 1, 1, 1, PICTURES]


def test_where_many_lose_it_is_no_bad_luck(tmp_path: Path) -> None:
    codec = Unlucky({3, 7, 11, 12})
    coded, kept = packed(tmp_path, codec)
    assert set(kept) == {"noise", "03", "07", "11", "12"}
    assert len(coded) == PICTURES - 4 and coded == sorted(coded)
    assert codec.coded_tiles == [PICTURES + 1, PICTURES - 4]
