"""The codecs that an archive asks for."""

from collections.abc import Callable, Mapping, Set
from types import MappingProxyType
from typing import NamedTuple

from bitswap_cli.archive.format.header import Header
from bitswap_cli.coefficients import BlockCodec
from bitswap_cli.contract import PictureCodec, TileCodec


class Need(NamedTuple):
    """Of which codec chunks have need."""

    tag: bytes
    """Of the chunks."""
    model: int = 0
    """Of tiles: the number of the model among those that the header names."""


class Codecs(NamedTuple):
    """Those that its header names, as far as its chunks need them."""

    tiles: Mapping[int, TileCodec] = MappingProxyType({})
    """By the number of their models."""
    coefficients: BlockCodec | None = None
    """Of JPEG files."""
    pictures: PictureCodec | None = None
    """Of whole pictures, as are drawn ones."""
    genres: Mapping[str, int] = MappingProxyType({})
    """Of a writer: the number of the model that codes the pictures of a genre, where it is not the
    first one."""


CodecsFor = Callable[[Header, Set[Need]], Codecs]
"""Gives the codecs that a header asks for; those that some chunks need are among them."""
