"""Files <-> pictures: which files can be restored from their samples, and how."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np

from bitswap_cli.contract import Palette, Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import unheaded
from bitswap_cli.images.deflate import remembering
from bitswap_cli.images.deflate.makers import noting
from bitswap_cli.images.formats.format import Format, Kind
from bitswap_cli.images.formats.register import START, beginning, find
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe

Sooner = Callable[[str], bool]
"""Tells of which kinds files of the right pixels are enough, as they are made sooner."""


def never(kind: str) -> bool:
    """Tell that no file is to be made sooner."""
    return False


def looks_like_picture(start: bytes) -> bool:
    """Tell from a file's first `START` bytes whether it may be a picture."""
    return bool(beginning(start))


def inspect(data: bytes) -> Picture | None:
    """Split a file into samples and recipe, if it can be restored from them.

    The content decides, not a name: 8-bit gray or RGB without transparency in PNG (one frame), and
    what other formats have that may be gray or RGB. The file is rebuilt and compared before it is
    called a picture.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    Picture or None
        Of a kind that is not wide; None if the file should be kept byte for byte, be it broken,
        foreign or too large.
    """
    return next(_found(data, lambda kind: not kind.wide and not kind.described), None)


def inspect_wide(data: bytes) -> list[Picture]:
    """Split a file into samples and recipe in every way that only models of such pictures code.

    These are PNG of one frame with any depth and colour type that `inspect` has no kind for, PGM
    and PPM of two bytes a sample, and palette images of all formats. A palette image is seen by its
    indices and, where they can be found again, by the colours they stand for. Each way is proved as
    in `inspect`.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    list of Picture
        Of different kinds, all of them wide, in the order of `Format.KINDS`.
    """
    return list(_found(data, lambda kind: kind.wide and not kind.described))


def at_once() -> AbstractContextManager[None]:
    """Within it, `inspect_exact` does not do again what `describe` proved on this thread."""
    return remembering()


def naming() -> AbstractContextManager[set[str]]:
    """Within it, the makers which descriptions name that this thread makes; see deflate/makers."""
    return noting()


def describe(data: bytes) -> bytes | None:
    """Say what the samples of a file do not tell of it, if its format can; the dear part of
    `inspect_exact`."""
    for form in beginning(data[:START]):
        for kind in form.KINDS:
            if kind.describe is not None:
                return kind.describe(data)
    return None


def inspect_exact(data: bytes, description: bytes | None) -> Iterator[Picture]:
    """Split a file into samples and recipe in every way in which it comes back byte for byte.

    These are the files of `inspect` and `inspect_wide`, by the same samples; PNG has kinds with a
    description for that, which take gray or RGB with a transparent colour or a palette to suggest,
    too. The file is rebuilt and compared byte for byte.

    Parameters
    ----------
    data : bytes
        The whole file.
    description : bytes or None
        What `describe` said of it.

    Yields
    ------
    Picture
        Of different kinds, in the order of `Format.KINDS`.
    """

    def wanted(kind: Kind) -> bool:
        return kind.exact and (not kind.described or description is not None)

    return _found(data, wanted, description or b"")


def _found(
    data: bytes, wanted: Callable[[Kind], bool], description: bytes = b""
) -> Iterator[Picture]:
    """Yield a file as a picture of each kind that is wanted and that it can be restored from."""
    for form in beginning(data[:START]):
        for kind in form.KINDS:
            picture = decode(data, kind.name, description) if wanted(kind) else None
            if picture is not None and _comes_back(form, kind, picture, data):
                yield picture
    if unheaded.is_unheaded(data) and (picture := unheaded.split(data)) is not None:
        form, kind = find(picture.recipe.kind)
        if wanted(kind) and _comes_back(form, kind, picture, data):
            yield picture


def decode(data: bytes, kind: str, description: bytes) -> Picture | None:
    """Split a file into samples and recipe as a picture of a kind, without the proof that it can be
    restored from them; None if it is no such picture.

    The description is that of the file; it becomes a part of recipes that have one.
    """
    form, described = find(kind)
    if unheaded.is_unheaded(data):
        seen = unheaded.split(data)
        return seen if seen and seen.recipe.kind == kind else None
    picture = form.split(data, kind) if form in beginning(data[:START]) else None
    if picture is None or not described.described:
        return picture
    return picture._replace(recipe=picture.recipe._replace(description=description))


def _comes_back(form: Format, kind: Kind, picture: Picture, data: bytes) -> bool:
    """Tell whether a recipe is short enough and the file it leads to is as good as this one."""
    pixels, recipe = picture
    if len(recipe.prefix) + len(recipe.suffix) + len(recipe.description) > MAX_RECIPE:
        return False
    if kind.exact:
        try:
            return form.join(recipe, pixels) == data
        except ArchiveError:  # of a description that does not hold
            return False
    twin = form.split(form.join(recipe, pixels, quick=True), kind.name)
    return twin is not None and twin.recipe == recipe and np.array_equal(twin.pixels, pixels)


def rebuild(recipe: Recipe, pixels: Samples, *, quick: bool = False) -> bytes:
    """Put samples back into a file.

    Parameters
    ----------
    recipe : Recipe
        Of `inspect`, `inspect_wide` or `inspect_exact`.
    pixels : array (H, W, C) of the kind's alphabet
    quick : bool
        Make the file sooner, and maybe larger: only its pixels and what prefix and suffix hold are
        right.

    Returns
    -------
    bytes
        The file: equal to the original if the kind is exact, and it is not made `quick`; else equal
        in its pixels and in all that the recipe holds.

    Raises
    ------
    ArchiveError
        If recipe and samples do not belong together.
    """
    return find(recipe.kind)[0].join(recipe, pixels, quick=quick)


def palette_of(recipe: Recipe) -> Palette:
    """Return all colours that a picture may have, where its recipe tells them.

    Raises
    ------
    ArchiveError
        If it should, and does not.
    """
    kind = find(recipe.kind)[1]
    if kind.palette is None:
        return None
    palette = kind.palette(recipe)
    if palette is None or not len(palette):
        raise ArchiveError("the archive holds a picture whose palette is malformed")
    return palette
