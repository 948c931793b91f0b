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

import os
import stat
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bitswap_cli.api.archive import Archive
from bitswap_cli.api.arguments import (
    BATCH,
    Notes,
    PathLike,
    Progress,
    ignore,
    stage,
    thread_count,
)
from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.archive.format.names import check_name
from bitswap_cli.archive.reading import unpack
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.report import UnpackReport
from bitswap_cli.archive.system.giving import Giver
from bitswap_cli.errors import InputError
from bitswap_cli.images.shown import read_samples

SAME = "same"
ALIKE = frozenset((SAME, "pixels"))  # outcomes of `compare` that lose nothing


def decompress(
    archive: PathLike,
    folder: PathLike,
    entries: Sequence[str] | None = None,
    *,
    model: str | None = None,
    force: bool = False,
    keep_going: bool = False,
    pixels: bool = False,
    as_jpeg: bool = False,
    xattrs: bool = True,
    owners: bool = False,
    threads: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> UnpackReport:
    """Restore an archive below a folder, which is made if need be, and write nothing outside of it.

    Parameters
    ----------
    archive, folder : path
    entries, model : sequence of str, str, optional
        Restore only these: names as `Archive` has them, or folders of them. Name or path of the
        archive's model, if it is none that is installed or known.
    force, keep_going, pixels, as_jpeg, xattrs, owners : bool
        Replace files that exist; restore what is whole of a damaged archive before raising; be
        content with PNG files of the same pixels; write what was a JPEG as NAME.jpg, where one
        decodes to the same pixels; restore extended attributes; owners, as root.
    threads, batch : int
        See `compress`.
    progress, notes : callable, optional
        Called with ``"decompress"``, the bytes of the archive done, and all; with lines of details.

    Raises
    ------
    InputError
        If the folder cannot be written, a file exists, or an entry of `entries` does not.
    ArchiveError
        If the archive is damaged, or holds a name that would leave the folder.
    ModelError
        If the archive's model is not here, or cannot be used on this machine.
    PartialError
        If something was lost, or a link points out of the folder; everything else is restored.
    """
    began, codecs_for = time.perf_counter(), decoder(model, batch, notes=notes or ignore)
    with ArchiveReader(archive, recover=keep_going) as reader:
        report = unpack.unpack(
            reader, codecs_for, folder,
            force=force,
            keep_going=keep_going,
            pixels=pixels,
            as_jpeg=as_jpeg,
            giver=Giver(xattrs=xattrs, owners=owners),
            threads=thread_count(threads),
            select=entries,
            progress=stage(progress, "decompress"),
        )  # fmt: skip
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


def compare(
    archive: PathLike,
    folder: PathLike,
    *,
    model: str | None = None,
    batch: int = BATCH,
    notes: Notes | None = None,
) -> Iterator[tuple[str, str]]:
    """Compare an archive with the folder that it was restored into, or made in; the folder that it
    holds will do, too.

    Where the archive tells length and CRC-32 of a file, nothing is decoded for it. What it does not
    hold is not looked at.

    Parameters
    ----------
    archive, folder : path
    model, batch, notes
        See `decompress`.

    Yields
    ------
    name : str
    outcome : str
        ``'same'``; ``'pixels'``: another file, of the same pixels, which is what an archive keeps
        of some pictures; ``'differs'``; ``'missing'``; or ``'unreadable'``.

    Raises
    ------
    ArchiveError
        If the archive is damaged, or holds a name that would leave the folder.
    ModelError
        If the archive's model is needed, and not here.
    """
    with Archive(archive, model=model, batch=batch, notes=notes) as opened:
        base = _base(opened, folder)
        for name in opened:
            check_name(os.fsencode(name))
            try:
                yield name, _outcome(opened, name, os.path.join(base, name))
            except FileNotFoundError:
                yield name, "missing"
            except OSError:
                yield name, "unreadable"


def _base(opened: Archive, folder: PathLike) -> str:
    """Return the folder in which names lie: that above, if all of them are of the one given."""
    base = os.path.abspath(folder)
    above, own = os.path.split(base)
    inside = all(name == own or name.startswith(f"{own}/") for name in opened)
    return above if inside and not os.path.lexists(os.path.join(base, own)) else base


def _outcome(opened: Archive, name: str, path: str) -> str:
    info = opened.info(name)
    kind, exact, size, crc = info.kind, info.exact, info.size, info.crc
    mode = os.lstat(path).st_mode
    if kind == "dir" or stat.S_ISDIR(mode):
        return SAME if kind == "dir" and stat.S_ISDIR(mode) else "differs"
    if kind == "link" or stat.S_ISLNK(mode):
        alike = stat.S_ISLNK(mode) and os.fsencode(os.readlink(path)) == opened[name]
        return SAME if kind == "link" and alike else "differs"
    if not stat.S_ISREG(mode):
        return "differs"
    if crc is not None:
        return SAME if _told(path) == (size, crc) else "differs"
    data = Path(path).read_bytes()
    if data == opened[name]:
        return SAME
    return "pixels" if not exact and _same_pixels(opened, name, data) else "differs"


def _told(path: str) -> tuple[int, int]:
    """Return length and CRC-32 of a file."""
    size = crc = 0
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            size, crc = size + len(part), zlib.crc32(part, crc)
    return size, crc


def _same_pixels(opened: Archive, name: str, data: bytes) -> bool:
    try:
        return np.array_equal(opened.pixels(name), read_samples(data))
    except InputError:
        return False
