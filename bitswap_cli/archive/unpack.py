"""An archive back into files."""

import os
from collections.abc import Callable, Sequence

from bitswap_cli.archive.codec import TileCodec
from bitswap_cli.archive.format import Header
from bitswap_cli.archive.reader import ArchiveReader
from bitswap_cli.archive.report import Progress, UnpackReport


def unpack(
    reader: ArchiveReader,
    codec_for: Callable[[Header], TileCodec],
    directory: str | os.PathLike[str],
    *,
    force: bool = False,
    keep_going: bool = False,
    threads: int = 1,
    select: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> UnpackReport:
    """Restore the entries of an archive below a folder.

    Parameters
    ----------
    reader : ArchiveReader
        The archive; opened with ``recover=True`` to make the most of `keep_going`.
    codec_for : callable
        Gives the decoder that a header asks for; called at most once, and only if some entry needs
        it. What it raises (`ModelError`) is passed on.
    directory : path
        Output folder, created if missing. Nothing is written outside of it.
    force : bool
        Replace existing files.
    keep_going : bool
        Restore what is undamaged, then raise `PartialError` naming what is lost.
    threads : int
        Chunks decoded at the same time.
    select : sequence of str, optional
        Restore only these entries (names as listed, or folders of them).
    progress : callable, optional
        Called with the archive bytes done and the archive bytes in all.

    Raises
    ------
    InputError
        If the folder cannot be written, an output exists, or a selected entry does not.
    ArchiveError
        If the archive is damaged, or holds a name that would leave the output folder.
    PartialError
        With `keep_going`, if something was lost; always, if a link was refused because it points
        outside of the output folder (everything else is restored first).
    """
    raise NotImplementedError


def verify(
    reader: ArchiveReader,
    codec_for: Callable[[Header], TileCodec],
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> UnpackReport:
    """Decode and check everything in an archive; write nothing.

    Parameters and errors are those of `unpack`.
    """
    raise NotImplementedError
