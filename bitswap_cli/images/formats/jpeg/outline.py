"""What a model is told of the pictures of a JPEG before their coefficients."""

import numpy as np

from bitswap_cli.coefficients import Component
from bitswap_cli.images.formats.jpeg.frame import Frame


def outline(frame: Frame, steps: dict[int, tuple[int, ...]]) -> list[Component]:
    """Return the components of a picture.

    Parameters
    ----------
    frame : Frame
    steps : dict
        Quantization tables by their numbers, 64 steps each in zigzag order.
    """
    first = frame.components[0]
    return [
        Component(
            c.rows,
            c.columns,
            (max(1, first.vertical // c.vertical), max(1, first.horizontal // c.horizontal)),
            np.array(steps[c.quantization], np.int32),
        )
        for c in frame.components
    ]
