"""Files in which pixels lie of which no header tells how: rows, or planes of colours."""

from collections.abc import Iterator

import numpy as np

from bitswap_cli.images.formats.arrays import labelled, planar
from bitswap_cli.images.formats.arrays.planes import Planes
from bitswap_cli.images.formats.rasters import bare, strides
from bitswap_cli.images.formats.register import START, beginning
from bitswap_cli.images.formats.rows import Layout
from bitswap_cli.images.picture import Picture

_COLOURS = 3


def is_unheaded(data: bytes) -> bool:
    """Tell whether no header that is known tells how pixels lie in a file."""
    return all(form is bare for form in beginning(data[:START])) and not bare.is_headed(data)


def split(data: bytes) -> Picture | None:
    """Split such a file into samples and recipe, without the proof that it can be restored from
    them; None if there seem to be no pixels in it."""
    if (found := labelled.split(data, "labelled")) is not None:
        return found
    layout = strides.find(data)
    if layout is None:
        return None
    for start, planes in _planes(layout):
        count = (len(data) - start) // planes.size
        end = start + count * planes.size
        if planes.sound and planes.holds(np.frombuffer(data, np.uint8, end - start, start)):
            return planar.laid(data, start, end, planes)
    return bare.laid(data, layout)


def _planes(layout: Layout) -> Iterator[tuple[int, Planes]]:
    """Yield how rows of bytes may be planes of colours, and where the first one begins: of squares,
    or of one picture. A header may have been taken for a row or two."""
    if layout.stride != layout.width:
        return
    for height in (layout.width, layout.height // _COLOURS):
        planes = Planes(_COLOURS, height, layout.width)
        rows = layout.height % (_COLOURS * height) if height else _COLOURS
        if rows < _COLOURS:
            yield layout.start + rows * layout.stride, planes
