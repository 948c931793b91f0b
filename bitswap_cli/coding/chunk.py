"""Chunks: the tiles of one message, in groups, over a virtual bottom.

Groups follow one another on one stack. A group's initial bits are what the groups before it left,
so groups grow as the stack does, to a share of the tiles below them that the model names, and at
most `GROUP` tiles: only the first tiles' latents cost initial bits, and those carry payload. What
the tiles of a group have in common, where a model tells it, is pushed last (common.py).

A chunk's words are one byte, the number of lanes, and the flattened message in little-endian
32-bit words. Normative: docs/format.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import LANES, Damaged, Message, NoEngine, engine_name
from bitswap_cli.coding import bbans, bitswap, common, topdown
from bitswap_cli.coding.group import Group
from bitswap_cli.contract import Alphabet, EncodedTiles, Integers, Samples, TileModel
from bitswap_cli.errors import ArchiveError, InputError, ModelError

GROUP = 64
Family = Callable[[int], TileModel | None]
SCHEMES: dict[str, ModuleType] = {"bitswap": bitswap, "bbans": bbans, "topdown": topdown}


def groups(count: int, growth: Fraction, factor: int = 1) -> Iterator[slice]:
    """Yield the groups of `count` tiles: so many of the tiles before, 1 to `GROUP` / factor^2."""
    done = 0
    while done < count:
        largest = max(GROUP // factor**2, 1)
        size = min(max(math.floor(done * growth), 1), largest, count - done)
        yield slice(done, done + size)
        done += size


def lane_count(sizes: NDArray[np.int32]) -> int:
    """Lanes of a chunk: a lane costs 4 to 6 bytes, so small chunks take few."""
    samples = int(np.prod(sizes.astype(np.int64), axis=1).sum())
    return LANES[(samples >= 1 << 13) + (samples >= 1 << 20)]


class ChunkCodec:
    """The `TileCodec` of a model under a scheme: what the archive is handed.

    Parameters
    ----------
    model : TileModel
    scheme : str, optional
        One of the model's schemes; its first by default.
    batch : int
        Tiles that the networks see at a time; it changes no byte.
    family : callable, optional
        Gives the model of pictures with so many channels, neither 1 nor the model's, or None.

    Raises
    ------
    InputError
        If BITSWAP_ENGINE asks for an engine that is not there.
    ModelError
        If the model has no such scheme.
    """

    chunk_tiles = 1024

    def __init__(
        self, model: TileModel, scheme: str | None, batch: int, family: Family | None = None
    ) -> None:
        name = scheme or model.schemes[0]
        if name not in model.schemes:
            raise ModelError(
                f"this model cannot be coded with scheme {name!r}: give one of"
                f" {', '.join(model.schemes)}"
            )
        try:
            engine_name()
        except NoEngine as error:
            raise InputError(str(error)) from None
        model.batch = batch
        self.model, self.name, self.scheme = model, name, SCHEMES[name]
        self.tile_height = self.tile_width = model.tile
        self.channels, self.alphabet = model.channels, Alphabet(model.low, model.high)
        self.factors, self.slack = model.factors, model.slack
        layers = [f"kl{layer}" for layer in range(1, model.depth + 1)]
        self.tells_common = common.of(model) is not None
        self.terms = ("likelihood", *layers, *(["common"] if self.tells_common else []))
        self._family = family
        self._others: dict[int, ChunkCodec | None] = {1: self, self.channels: self}

    def of(self, channels: int) -> ChunkCodec | None:
        """See `TileCodec.of`."""
        if channels not in self._others:
            model = self._family(channels) if self._family else None
            batch = self.model.batch or GROUP
            self._others[channels] = ChunkCodec(model, self.name, batch) if model else None
        return self._others[channels]

    def encode(self, tiles: Samples, sizes: NDArray[np.int32], payload: bytes) -> EncodedTiles:
        """See `TileCodec.encode`."""
        words, used, bits = self.encode_by_term(tiles, sizes, payload)
        return EncodedTiles(words, used, bits.sum(1))

    def encode_by_term(
        self, tiles: Samples, sizes: NDArray[np.int32], payload: bytes
    ) -> EncodedTiles:
        """`encode`, but for the bits: those of pixels, of each latent layer and of what tiles have
        in common are told apart, (N, `terms`).

        That is the negative ELBO of the discrete model, with the posterior's samples that the
        message gave.
        """
        message = Message.with_bottom(payload, lane_count(sizes))
        bits = np.zeros((len(tiles), len(self.terms)))
        tile = tiles.shape[1]
        for where in groups(len(tiles), self.model.growth, tile // self.model.tile):
            group = Group(message, self.model, sizes[where], tile, bits[where])
            x = self._extended(group, tiles[where])
            common.choose(group, x)
            self.scheme.push(group, x)
            common.push(group)
        words, used = message.finish()
        return EncodedTiles(bytes([message.lanes]) + words.astype("<u4").tobytes(), used, bits)

    def decode(
        self, words: bytes, sizes: NDArray[np.int32], factor: int = 1
    ) -> tuple[Samples, bytes]:
        """See `TileCodec.decode`."""
        if not words or words[0] != lane_count(sizes) or len(words) % 4 != 1:
            raise ArchiveError("the compressed data is damaged: its lanes or length are wrong")
        tile = self.model.tile * factor
        tiles = np.empty((len(sizes), tile, tile, self.channels), self.alphabet.dtype)
        try:
            message = Message.from_words(np.frombuffer(words, "<u4", offset=1), words[0])
            for where in reversed(list(groups(len(sizes), self.model.growth, factor))):
                group = Group(message, self.model, sizes[where], tile)
                common.pop(group)
                tiles[where] = self.scheme.pop(group).transpose(0, 2, 3, 1)
            return tiles, message.check_bottom()
        except Damaged as error:
            raise ArchiveError(str(error)) from None

    def _extended(self, group: Group, tiles: Samples) -> Integers:
        x = tiles.transpose(0, 3, 1, 2).astype(np.int32)
        for plane in self.model.planes:
            for channel in range(self.channels):
                group.geometry.extend(x, plane, channel)
        return x
