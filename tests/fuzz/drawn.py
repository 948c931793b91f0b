"""Chunks of whole pictures whose words are sound, whatever their tables and extras say.

Words tell damage by where they end, and samples by their checksum: what a reader makes of a table
that was spoilt is seen only where both are right.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from bitswap_cli.archive.format.chunks import parts
from bitswap_cli.archive.format.drawn import encode_pictures
from bitswap_cli.archive.format.register import read_table
from bitswap_cli.archive.format.sections import DRAW, NAMED_VERSION
from bitswap_cli.archive.format.segments import WholeSegment, WholeTable
from bitswap_cli.archive.format.tables import unpack_extras
from bitswap_cli.contract import Palette, PictureCodec
from bitswap_cli.errors import BitswapError
from bitswap_cli.images.inspection import palette_of
from bitswap_cli.images.picture import Picture, Recipe
from tests.fuzz.nodes import Node, Plain

_MOST = 1 << 15  # samples of a chunk


def redrawn(nodes: Sequence[Node], chance: random.Random) -> list[Node]:
    """Return the nodes of a chunk with words of pictures as its table and extras tell them; as they
    are where no picture is like that."""
    body = b"".join(node.pack() for node in nodes)
    try:
        table = read_table(DRAW, body, NAMED_VERSION)
        assert isinstance(table, WholeTable)
        extras = unpack_extras(parts(body)[0], len(table.segments), mixed=table.mixed)
        if sum(s.height * s.width * s.channels for s in table.segments) > _MOST:
            return list(nodes)
        pictures = [
            _picture(segment, Recipe(segment.kind, *extra[1:]), chance)
            for segment, extra in zip(table.segments, extras, strict=True)
        ]
        sound, _ = encode_pictures(_codec(), table.segments, pictures)
    except (BitswapError, ValueError):
        return list(nodes)
    return [*nodes[:-1], Plain(data=parts(sound)[1])]


def _picture(segment: WholeSegment, recipe: Recipe, chance: random.Random) -> Picture:
    """A picture of few colours, most of them of its palette."""
    numbers = np.random.default_rng(chance.randrange(1 << 32))
    shape = segment.height, segment.width
    palette: Palette = palette_of(recipe)
    if palette is None:
        palette = numbers.integers(0, 256, (chance.choice((1, 2, 9)), segment.channels), np.uint8)
    pixels = palette[numbers.integers(0, len(palette), shape)]
    if chance.random() < 0.2:
        pixels[: chance.randrange(1 + shape[0])] = 0  # it may be a flat area's, if no colour
    return Picture(pixels, recipe)


@cache
def _codec() -> PictureCodec:
    from bitswap_models import zoo
    from bitswap_models.stored import model_file

    codec: Any = model_file.load(zoo.find("drawn"))
    return codec  # type: ignore[no-any-return]
