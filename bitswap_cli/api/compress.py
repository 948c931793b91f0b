"""Files and folders become one archive: packed, maybe twice; verified; and only then there."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bitswap_cli.api.arguments import (
    AUTO,
    BATCH,
    Notes,
    PathLike,
    Progress,
    as_paths,
    check_new,
    ignore,
    stage,
    thread_count,
)
from bitswap_cli.api.codecs import Start, best, decoder, named
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import CodecFor
from bitswap_cli.archive.reading.unpack import verify as check
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.writing.catalogue import Catalogue
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.contract import TileCodec
from bitswap_cli.errors import ArchiveError, BitswapError, InputError

if TYPE_CHECKING:
    from bitswap_cli.api.race import FitProgress


def compress(
    sources: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    model: str = AUTO,
    scheme: str | None = None,
    fit: float | None = None,
    fit_steps: int | None = None,
    save_model: PathLike | None = None,
    threads: int | None = None,
    batch: int = BATCH,
    force: bool = False,
    verify: bool = True,
    progress: Progress | None = None,
    notes: Notes | None = None,
    fitting: "Callable[[FitProgress], None] | None" = None,
    stopped: Callable[[], bool] = lambda: False,
) -> PackReport:
    """Compress files and folders into one archive.

    It appears under its name only after it was decoded and compared with checksums. Whatever
    happens before, an interruption as well as a failure, leaves nothing behind, and what was there
    as it was.

    Parameters
    ----------
    sources : path, or sequence of paths
        Files and folders. A folder's entries are named from the folder's own name on.
    output : path
        The archive.
    model : str
        Name or path of a model; ``"auto"`` tries the installed ones on a sample of the pictures.
    scheme : {'bitswap', 'bbans', 'topdown'}, optional
        How latents are coded; as the model is coded best by default.
    fit : float, optional
        Fit the model to the pictures for so many seconds first, and store it in the archive if that
        makes it smaller.
    fit_steps : int, optional
        Fit for so many steps, which gives the same archive on every machine.
    save_model : path, optional
        Write the fitted model to a file of its own, too.
    threads : int, optional
        Chunks that are coded at the same time; by default as many as the process may use.
    batch : int
        Tiles that the networks see at a time. Neither this nor `threads` changes a byte.
    force : bool
        Replace what is there.
    verify : bool
        Decode the archive and check it.
    progress : callable, optional
        Called with ``"compress"``, ``"compress fitted"`` or ``"verify"``, the bytes done, and the
        bytes in all; and with ``"fit", 0, 1`` before fitting and ``"fit", 1, 1`` after it.
    notes : callable, optional
        Called with lines of details: which models are tried, what they come to.
    fitting : callable, optional
        Called with a `FitProgress` every few seconds of fitting.
    stopped : callable
        Asked often while fitting: when it returns True, fitting ends with what there is.

    Returns
    -------
    PackReport

    Raises
    ------
    InputError
        If a source cannot be read, the archive or the model cannot be written, or there is nothing
        to fit.
    ModelError
        If there is no such model, or it cannot be used on this machine.
    ArchiveError
        If the archive does not come back as it should: a fault of this machine, or of bitswap.

    Examples
    --------
    >>> report = compress("photos", "photos.bsw", model="photo")
    >>> report.entries, report.kinds["png"], report.verified
    (3, 2, True)
    >>> report.bytes_after < report.bytes_before
    True
    """
    paths = as_paths(sources)
    fits = fit is not None or fit_steps is not None
    saved = None if save_model is None else Path(save_model)
    _check_places(Path(output), saved, fits=fits, force=force)
    threads, notes = thread_count(threads), notes or ignore
    starts: list[Start] = []
    if model != AUTO:
        starts.append(named(model, scheme, batch, fitting=fits, notes=notes))
    wide = fits or any(start.header.wide for start in starts)
    catalogue = Catalogue(paths, wide=wide)
    starts = starts or best(catalogue, scheme, batch, fitting=fits, notes=notes)
    ways = starts[:1]
    if fits:
        from bitswap_cli.api.fit import fit as fitted_to
        from bitswap_cli.api.race import Fitter

        fitter = Fitter(catalogue, threads, notes, fitting, stopped)
        if progress:
            progress("fit", 0, 1)
        ways.append(fitted_to(starts, fitter, seconds=fit, steps=fit_steps, save=saved))
        if progress:
            progress("fit", 1, 1)
        ways = ways if ways[1].header != ways[0].header else ways[:1]
    with ExitStack() as stack:
        report, writer, codec = _smallest(
            stack, ways, catalogue, output, force=force, threads=threads, progress=progress
        )
        codec_for: CodecFor = lambda header: codec  # noqa: E731 (a name for its type)
        if report.saved:  # the model is read from the archive, as every reader will
            codec_for = decoder(None if model == AUTO else model, batch, notes=notes)
        if verify:
            _verify(writer, output, codec_for, threads, progress)
        writer.commit()
    report.verified = verify
    report.saved = report.saved if fits else None
    return report


class _Packed(NamedTuple):
    """An archive that is finished, and does not appear yet."""

    report: PackReport
    writer: ArchiveWriter
    codec: TileCodec


def _check_places(output: Path, saved: Path | None, *, fits: bool, force: bool) -> None:
    """Refuse, before the work is done, what could not be written after it."""
    check_new(output, "-o", force=force)
    if saved is None:
        return
    if not fits:
        raise InputError("--save-model writes the model that --fit makes: give --fit as well")
    check_new(saved, "--save-model", force=force)
    if os.path.abspath(saved) == os.path.abspath(output):
        raise InputError(f"-o and --save-model both name {output}")


def _smallest(
    stack: ExitStack,
    ways: Sequence[Start],
    catalogue: Catalogue,
    output: PathLike,
    *,
    force: bool,
    threads: int,
    progress: Progress | None,
) -> _Packed:
    """Pack in one way, or two; return the smaller archive, the first of equals.

    It is finished, but does not appear yet; the stack removes what does not.
    """
    began = time.perf_counter()
    packed: list[_Packed] = []
    for number, (codec, header) in enumerate(ways):
        writer = stack.enter_context(ArchiveWriter(output, header, force=force))
        shown = stage(progress, "compress fitted" if number else "compress")
        again = number + 1 < len(ways)
        report = pack_into(writer, catalogue, codec, again=again, threads=threads, progress=shown)
        packed.append(_Packed(report, writer, codec))
    smallest = min(packed, key=lambda one: one.report.bytes_after)
    smallest.report.saved = packed[0].report.bytes_after - smallest.report.bytes_after
    smallest.report.seconds = time.perf_counter() - began
    return smallest


def _verify(
    writer: ArchiveWriter,
    output: PathLike,
    codec_for: CodecFor,
    threads: int,
    progress: Progress | None,
) -> None:
    """Decode what is to become the archive."""
    try:
        with ArchiveReader(os.fsdecode(writer.temporary)) as reader:
            check(reader, codec_for, threads=threads, progress=stage(progress, "verify"))
    except BitswapError as error:
        raise ArchiveError(
            f"{output} was not written, because it did not verify: {error}"
        ) from error
