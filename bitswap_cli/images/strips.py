"""Pictures whose files are rows between prefix and suffix, had by strips: never as a whole.

A strip is some rows in the order of the file, of which the samples are those of the picture as it
lies in its tiles: the right way up, or upside down where the file begins with the last row.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.register import START, beginning, kind_of
from bitswap_cli.images.formats.rows import Layout, samples_of, to_rows
from bitswap_cli.images.orientation import UPSIDE_DOWN
from bitswap_cli.images.picture import MAX_PIXELS, MAX_RECIPE, MAX_ROW, Recipe


class Strips(NamedTuple):
    """A picture that is had so."""

    recipe: Recipe
    layout: Layout

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the picture."""
        left_out = len(self.recipe.description)
        return self.layout.height, self.layout.width, self.layout.channels - left_out

    @property
    def orientation(self) -> int:
        """How it lies in its tiles (see orientation.py), so that its rows come as in the file."""
        return UPSIDE_DOWN if self.layout.bottom_up else 0

    def samples(self, rows: bytes | memoryview) -> Samples:
        """Return the samples, (h, W, C), of h whole rows of the file."""
        stored = np.frombuffer(rows, np.uint8).reshape(-1, self.layout.stride)
        return samples_of(stored, self._strip(len(stored)))[..., : self.shape[2]]

    def rows(self, samples: Samples) -> bytes:
        """Invert `samples`.

        Raises
        ------
        ArchiveError
            If they are none of this picture.
        """
        return to_rows(self.recipe, samples, self._strip(len(samples))).tobytes()

    def _strip(self, height: int) -> Layout:
        return self.layout._replace(height=height, bottom_up=False)


class Proof:
    """Shows that a file comes back, and finds out whether its last channel is the same everywhere.

    Parameters
    ----------
    begun : Strips
        As `begin` returns it.
    """

    def __init__(self, begun: Strips) -> None:
        self._begun = begun
        layout = begun.layout
        self._flat = layout.channels in (2, 4) and not layout.deep
        self._values: set[int] = set()
        self._digest = hashlib.sha256(repr((begun.shape, begun.orientation)).encode())

    @property
    def digest(self) -> bytes:
        """Of the samples so far, their shape and orientation."""
        return self._digest.digest()

    def comes_back(self, rows: bytes) -> bool:
        """Tell whether whole rows of the file, the next ones, come back."""
        samples = np.ascontiguousarray(self._begun.samples(rows))
        self._digest.update(samples.data)
        if self._flat:
            last = samples[..., -1]
            self._values |= {int(last.min()), int(last.max())}
            self._flat = len(self._values) == 1
        return self._begun.rows(samples) == rows

    def strips(self, suffix: bytes) -> Strips:
        """Return how the file is had, now that all rows are known to come back."""
        description = bytes(self._values) if self._flat else b""
        recipe = self._begun.recipe._replace(suffix=suffix, description=description)
        return self._begun._replace(recipe=recipe)


def begin(head: bytes, size: int) -> Strips | None:
    """Return how a file is had that is too large to be held; nothing is proved by it.

    Parameters
    ----------
    head : bytes
        Its first `register.HEAD` bytes.
    size : int
        Of the file.

    Returns
    -------
    Strips or None
        Without suffix, and with all channels. None of a file that is no such picture, or that has
        no more pixels than one that is held.
    """
    for form in beginning(head[:START]):
        for kind in form.KINDS:
            layout = kind.rows(head) if kind.rows else None
            if layout is None or not layout.sound or layout.start > len(head):
                continue
            behind = size - layout.start - layout.height * layout.stride
            few = 0 <= behind <= MAX_RECIPE - layout.start
            if few and layout.pixels > MAX_PIXELS and layout.width * layout.channels <= MAX_ROW:
                return Strips(Recipe(kind.name, head[: layout.start], b""), layout)
    return None


def of(recipe: Recipe) -> Strips | None:
    """Return how a picture of a recipe is had by strips; None if it cannot be."""
    kind = kind_of(recipe.kind)
    layout = kind.rows(recipe.prefix) if kind.rows else None
    if layout is None or not layout.sound or layout.start != len(recipe.prefix):
        return None
    left_out = len(recipe.description)
    fits = not left_out or (left_out == 1 and layout.channels in (2, 4) and not layout.deep)
    return Strips(recipe, layout) if fits else None
