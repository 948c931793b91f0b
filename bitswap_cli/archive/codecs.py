"""The codecs that an archive asks for."""

from collections.abc import Callable, Set
from typing import NamedTuple

from bitswap_cli.archive.format.header import Header
from bitswap_cli.coefficients import BlockCodec
from bitswap_cli.contract import PictureCodec, TileCodec


class Codecs(NamedTuple):
    """Those that its header names, as far as its chunks need them."""

    tiles: TileCodec | None = None
    coefficients: BlockCodec | None = None
    """Of JPEG files."""
    pictures: PictureCodec | None = None
    """Of whole pictures, as are drawn ones."""


CodecsFor = Callable[[Header, Set[bytes]], Codecs]
"""Gives the codecs that a header asks for; those that chunks of some tags need are among them."""
