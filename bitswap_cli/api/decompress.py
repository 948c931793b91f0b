"""An archive becomes files again, or is checked.

Examples
--------
>>> decompress("photos.bsw", "restored").entries
3
>>> decompress("photos.bsw", "some", ["photos/notes.txt"]).bytes
19
>>> verify("photos.bsw").entries
3
"""

import time
from collections.abc import Sequence

from bitswap_cli.api.arguments import (
    BATCH,
    Notes,
    PathLike,
    Progress,
    ignore,
    stage,
    thread_count,
)
from bitswap_cli.api.codecs import decoder
from bitswap_cli.archive.reading import unpack
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.report import UnpackReport


def decompress(
    archive: PathLike,
    folder: PathLike,
    entries: Sequence[str] | None = None,
    *,
    model: str | None = None,
    force: bool = False,
    keep_going: bool = False,
    threads: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> UnpackReport:
    """Restore an archive below a folder; nothing is written outside of it.

    Parameters
    ----------
    archive, folder : path
        The folder is made if it is not there.
    entries : sequence of str, optional
        Restore only these: names as `Archive` has them, or folders of them.
    model : str, optional
        Name or path of the archive's model, if it is none that is installed or known.
    force, keep_going : bool
        Replace files that exist; restore what is whole of a damaged archive before raising.
    threads, batch : int
        See `compress`.
    progress : callable, optional
        Called with ``"decompress"``, the bytes of the archive done, and those in all.
    notes : callable, optional
        Called with lines of details.

    Raises
    ------
    InputError
        If the folder cannot be written, a file exists, or an entry of `entries` does not.
    ArchiveError
        If the archive is damaged, or holds a name that would leave the folder.
    ModelError
        If the archive's model is not here, or cannot be used on this machine.
    PartialError
        If something was lost, or a link was refused because it points out of the folder; everything
        else is restored.
    """
    began = time.perf_counter()
    with ArchiveReader(archive, recover=keep_going) as reader:
        report = unpack.unpack(
            reader,
            decoder(model, batch, notes=notes or ignore),
            folder,
            force=force,
            keep_going=keep_going,
            threads=thread_count(threads),
            select=entries,
            progress=stage(progress, "decompress"),
        )
    report.seconds = time.perf_counter() - began
    return report


def verify(
    archive: PathLike,
    *,
    model: str | None = None,
    threads: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> UnpackReport:
    """Decode an archive and check everything in it; write nothing.

    Parameters
    ----------
    archive : path
    model, threads, batch, notes
        See `decompress`.
    progress : callable, optional
        Called with ``"verify"``, the bytes of the archive done, and those in all.

    Returns
    -------
    UnpackReport

    Raises
    ------
    ArchiveError
        If the archive is damaged.
    ModelError
        If the archive's model is not here, or cannot be used on this machine.
    PartialError
        If all is whole, but `decompress` could not restore some of it on this system: a name is too
        long for it, a link points out of the folder.
    """
    began = time.perf_counter()
    with ArchiveReader(archive) as reader:
        report = unpack.verify(
            reader,
            decoder(model, batch, notes=notes or ignore),
            threads=thread_count(threads),
            progress=stage(progress, "verify"),
        )
        unpack.whole(reader.path, "to be restored on this system", report)
    report.seconds = time.perf_counter() - began
    return report
