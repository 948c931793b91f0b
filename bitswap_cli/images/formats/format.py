"""What a format of files says of itself: how they begin, which pictures they hold, and how."""

from collections.abc import Callable, Sequence, Set
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import BYTES, Alphabet, Palette, Samples
from bitswap_cli.images.formats.rows import Layout
from bitswap_cli.images.picture import Picture, Recipe

Shape = tuple[int, int, int]
"""Height, width and channels."""
Pixels = NDArray[np.uint8] | NDArray[np.uint16]

DESCRIBED = "described"
"""The feature of archives that can hold kinds whose recipes have a description."""

WIDE = "wide"
"""The feature of archives whose wide pictures may go through a model, and the first such kinds."""


class Kind(NamedTuple):
    """A kind of pictures: what their samples are, and how their files come back."""

    name: str
    number: int
    """In archives: part of their format (docs/format.md), never changed and never used again."""
    exact: bool
    """Whether files come back byte for byte; else pixel for pixel, with all else verbatim."""
    plain: bool
    """Whether every archive can hold its samples; else only those that use its feature, or are of
    format version 3 or 4 if that is `WIDE`."""
    alphabet: Alphabet = BYTES
    """Of the samples."""
    feature: str = WIDE
    """Of archives that can hold it, if it is not plain: in archives of version 5, by this name."""
    common: bool = False
    """Whether files are looked at as such pictures though not every archive can hold them, whatever
    channels the models at hand are for: it is no palette, and may be gray or RGB."""
    palette: Callable[[Recipe], Palette] | None = None
    """Of kinds whose samples are colours of a palette: reads that from a recipe; None if it is
    malformed."""
    describe: Callable[[bytes], bytes | None] | None = None
    """Of kinds whose recipes have a description that takes time to make: says what a file's samples
    do not tell, or None. `Format.split` leaves it out; it is the same for all kinds of a format."""
    rows: Callable[[bytes], Layout | None] | None = None
    """Of kinds whose files may be nothing but rows between prefix and suffix: reads how they lie
    from a file's first `register.HEAD` bytes; None if they do not. Such pictures may be larger than
    others (see images/strips.py)."""
    shows: Callable[[Shape], Shape] | None = None
    """Of kinds whose samples lie otherwise than what they show: gives the shape of that, for one of
    samples."""
    middle: Callable[[Samples, int], Samples] | None = None
    """Of these kinds: gives the samples of the middle, at most so many pixels of each side, an even
    number, laid likewise."""
    parts: bool = False
    """Whether descriptions may be longer than a recipe, and are told in parts: one in each chunk
    that holds tiles of the picture."""
    large: Callable[[bytes, int], bool] | None = None
    """Of kinds that may be large though they are held as a whole: whether a file of so many bytes
    may be such a picture, told by its first `register.HEAD` bytes."""

    @property
    def described(self) -> bool:
        """Whether its recipes have a description that `Format.split` leaves out."""
        return self.describe is not None

    @property
    def wide(self) -> bool:
        """Whether files are looked at as such pictures only where there may be models of them."""
        return not (self.plain or self.common)

    def fits(self, features: Set[str]) -> bool:
        """Tell whether an archive that uses these features can hold it."""
        told = not self.described or DESCRIBED in features
        return told and (self.plain or self.feature in features)

    def storable(self, features: Set[str]) -> bool:
        """Tell whether an archive that uses these features can hold it by its samples under zstd,
        where no model needs to know it."""
        own = self.plain or self.feature == WIDE or self.feature in features
        return own and self.exact and self.alphabet == BYTES


class Format(Protocol):
    """A format; a module will do."""

    @property
    def MAGIC(self) -> Sequence[bytes]:  # noqa: N802
        """How its files begin, one or the other; at most `register.START` bytes."""

    @property
    def KINDS(self) -> Sequence[Kind]:  # noqa: N802
        """The kinds of pictures that its files are split into, in the order of trials."""

    def split(self, data: bytes, kind: str) -> Picture | None:
        """Split a file into samples and recipe.

        Parameters
        ----------
        data : bytes
            The whole file, which begins as one of the format.
        kind : str
            The name of one of `KINDS`.

        Returns
        -------
        Picture or None
            Samples are an array (H, W, C) of the kind's alphabet, in its dtype. If the kind is
            `described`, the recipe has no description yet. None if the file is no picture of this
            kind: of another one, damaged, foreign or too large.
        """

    def join(self, recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
        """Make a file of a recipe and samples (inverse of `split`).

        Parameters
        ----------
        recipe : Recipe
            Of one of `KINDS`.
        samples : array (H, W, C) of the kind's alphabet
        quick : bool
            The file may be larger, if it is made sooner, and only its pixels and all else that
            prefix and suffix hold have to be right: descriptions are not looked at.

        Raises
        ------
        ArchiveError
            If they do not belong together.
        """

    def shown(self, recipe: Recipe, samples: Samples) -> Pixels:
        """Return what a picture shows, as far as its samples and recipe tell.

        Returns
        -------
        uint8 or uint16 array (H, W, 1, 2, 3 or 4)
            Gray or RGB, with alpha if there is any.

        Raises
        ------
        ArchiveError
            If recipe and samples do not belong together.
        """
