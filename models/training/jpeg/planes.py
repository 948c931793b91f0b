"""Files as training sees them: their planes, which other processes make of drawn files.

This knows no torch, which would take those processes long to load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bitswap_cli.coefficients import Coefficients, Frame
from bitswap_models.families.jpeg_vae.features import statistics_of
from bitswap_models.families.jpeg_vae.network import VALUES
from bitswap_models.families.jpeg_vae.planes import Plane, planes_of, ranks
from bitswap_models.training.jpeg.files import Drawer

File = Sequence[Plane]
Split = Callable[[bytes], tuple[Frame, Coefficients] | None]
"""Splits a JPEG file into its frame and coefficients, if it can: training reads no files itself."""


def planes(frame: Frame, x: Coefficients) -> list[Plane]:
    """The planes of a file, which know all of it."""
    told = planes_of([frame], [[statistics_of(part).astype(np.int32) for part in x]])
    for plane in told:
        plane.x = x[plane.place]
    list(ranks(told))  # chroma sees luma
    return told


def read(split: Split, content: bytes) -> File | None:
    """The planes of a JPEG file, gray or of three components."""
    told = split(content)
    if told is None or len(told[0]) not in (1, 3):
        return None
    frame, x = told
    return planes(frame, [part.clip(*VALUES) for part in x])


def drawn(drawer: Drawer, split: Split, turn: int) -> list[File]:
    """What is drawn in a turn; raises as `Drawer.draw` does."""
    files = (read(split, content) for content in drawer.draw(turn))
    return [file for file in files if file is not None]
