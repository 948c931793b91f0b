"""Files and folders become one archive: packed, maybe twice; verified; and only then there.

Examples
--------
>>> report = compress("photos", "photos.bsw", model="photo")
>>> report.entries, report.kinds["png-exact"], report.verified
(3, 2, True)
>>> report.bytes_after < report.bytes_before
True
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bitswap_cli.api.arguments import (
    AUTO,
    BATCH,
    FAST,
    SMALL,
    SPEEDS,
    Notes,
    PathLike,
    Progress,
    as_paths,
    check_new,
    ignore,
    stage,
    thread_count,
)
from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.api.codecs.installed import FAST_MODEL, Installed
from bitswap_cli.api.codecs.others import wanted
from bitswap_cli.api.codecs.tiles import Start, named, refining, turning
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import (
    CORRECTED,
    DECODERS,
    DECODINGS,
    EQUAL,
    LAID,
    LEARNING,
    MIXED,
    MIXED_3,
    RECIPES,
    REPEATS,
    VP8,
    Named,
)
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import verify as check
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.system.telling import Teller
from bitswap_cli.archive.writing.blocks import PATIENT, QUICK, THOROUGH, Keeping
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, BitswapError, InputError
from bitswap_cli.images.formats.format import WIDE

if TYPE_CHECKING:
    from bitswap_cli.api.race import FitProgress


def compress(
    sources: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    model: str = AUTO,
    speed: str | None = None,
    scheme: str | None = None,
    fit: float | None = None,
    fit_steps: int | None = None,
    save_model: PathLike | None = None,
    threads: int | None = None,
    batch: int = BATCH,
    force: bool = False,
    verify: bool = True,
    strict: bool = False,
    dereference: bool = False,
    pixels: bool = False,
    xattrs: bool = True,
    owners: bool = False,
    progress: Progress | None = None,
    notes: Notes | None = None,
    fitting: "Callable[[FitProgress], None] | None" = None,
    stopped: Callable[[], bool] = lambda: False,
) -> PackReport:
    """Compress files and folders into one archive, which appears when it is complete and verified.

    Parameters
    ----------
    sources, output : path, or sequence of paths; path
        A folder's entries are named from the folder's own name on; the archive. What is there stays
        until then, whatever happens.
    model, speed, scheme : str, optional
        Name or path (``"auto"`` suits the speed); 'fast', 'balanced' or 'small', see docs/api.md;
        'bitswap', 'bbans' or 'topdown', by default as the model is coded best.
    fit, fit_steps, save_model : number, number, path, optional
        Fit the model to the pictures for so many seconds or steps, and let it go with the archive
        if that makes it smaller; write it to a file of its own, too.
    threads, batch : int
        Chunks coded at a time, by default as many as the process may use; tiles that the networks
        see at a time. Neither changes a byte.
    force, verify : bool
        Replace what is there; decode the archive and compare before it appears.
    strict, dereference, pixels, xattrs, owners : bool
        Refuse what cannot be archived, instead of skipping it; archive what links point to; let PNG
        files come back pixel for pixel only; keep extended attributes; keep owners.
    progress, notes, fitting, stopped : callable, optional
        Who is told, and asked, on the way: see docs/api.md.

    Raises
    ------
    InputError, ModelError
        If a source or a place cannot be used; if the model cannot, or PyTorch is missing.
    ArchiveError
        If the archive does not verify: a fault of this machine, or of bitswap.
    """
    fits = _Fit(fit, fit_steps, None if save_model is None else Path(save_model), fitting, stopped)
    return _Job(
        Path(output), model, speed, scheme, batch, force, verify, strict, dereference, pixels,
        Teller(xattrs=xattrs, owners=owners), progress, notes or ignore,
    ).run(as_paths(sources), fits, thread_count(threads))  # fmt: skip


class _Fit(NamedTuple):
    """Whether and how models are fitted."""

    seconds: float | None
    steps: int | None
    save: Path | None
    shown: "Callable[[FitProgress], None] | None"
    stopped: Callable[[], bool]

    @property
    def wanted(self) -> bool:
        """Whether they are."""
        return self.seconds is not None or self.steps is not None


class _Packed(NamedTuple):
    """An archive that is finished, and does not appear yet."""

    report: PackReport
    writer: ArchiveWriter
    codecs: Codecs


@dataclass(frozen=True)
class _Job:
    """One call of `compress`."""

    output: Path
    model: str
    speed: str | None
    scheme: str | None
    batch: int
    force: bool
    verify: bool
    strict: bool
    dereference: bool
    pixels: bool
    teller: Teller
    progress: Progress | None
    notes: Notes

    def run(self, paths: Sequence[PathLike], fit: _Fit, threads: int) -> PackReport:
        """Do all of it."""
        self._check(fit)
        self._check_speed()
        plain = self._named(fitting=False)
        catalogue = Catalogue(
            paths,
            wide=self.model == AUTO or fit.wanted or any(start.header.wide for start in plain),
            pixels=self.pixels,
            threads=threads,
            dereference=self.dereference,
            without=[self.output] if fit.save is None else [self.output, fit.save],
            strict=self.strict,
            teller=self.teller,
            level=self._keeping.level,
            mixing=bool(self._keeping.mixed),
        )
        # the first way is that of a call without `fit`, to the byte
        installed = Installed(catalogue, self.scheme, self.batch, notes=self.notes, threads=threads)
        others = wanted(catalogue, named=self.model != AUTO, notes=self.notes)
        ways = plain or [installed.best(others[0].pictures, self._keeping.haste)]
        if self.speed == SMALL:
            ways = [refining(turning(ways[0], catalogue))]
        if fit.wanted:
            ways += self._fitted(ways[0], installed, catalogue, fit, threads)
        with ExitStack() as stack:
            report, writer, codecs = self._smallest(stack, ways, others, catalogue, threads)
            if not report.entries and report.skipped:
                path, why = next(iter(report.skipped.items()))
                raise InputError(f"nothing can be archived; {path}: {why}")
            if self.verify:
                self._verify(report, writer, codecs, threads)
            writer.commit()
        report.verified = self.verify
        report.saved = report.saved if fit.wanted else None
        if report.saved == 0:
            report.notes.append("fitting did not pay: the archive is as without it")
        return report

    def _check(self, fit: _Fit) -> None:
        """Refuse, before the work is done, what could not be fitted or written after it."""
        check_new(self.output, "-o", force=self.force)
        if fit.wanted:
            from bitswap_models.families.family import need_torch

            need_torch("fitting")
        if fit.save is None:
            return
        if not fit.wanted:
            raise InputError("--save-model writes the model that --fit makes: give --fit as well")
        check_new(fit.save, "--save-model", force=self.force)
        if os.path.abspath(fit.save) == os.path.abspath(self.output):
            raise InputError(f"-o and --save-model both name {self.output}")

    @property
    def _keeping(self) -> Keeping:
        """How files are kept byte for byte."""
        return {FAST: QUICK, SMALL: PATIENT}.get(self.speed or "", THOROUGH)

    def _check_speed(self) -> None:
        """Refuse a speed that is none, and one beside a model, which has its own."""
        if self.speed is not None and self.speed not in SPEEDS:
            raise InputError(f"there is no speed {self.speed!r}: give {', '.join(SPEEDS)}")
        if self.speed is not None and self.model != AUTO:
            raise InputError("--speed chooses a model, and --model names one: give one of them")

    def _named(self, *, fitting: bool) -> list[Start]:
        """Return the codec that was asked for; none if it is to be chosen."""
        name = FAST_MODEL if self.speed == FAST else self.model
        if name == AUTO:
            return []
        return [named(name, self.scheme, self.batch, fitting=fitting, notes=self.notes)]

    def _fitted(
        self, plain: Start, installed: Installed, catalogue: Catalogue, fit: _Fit, threads: int
    ) -> list[Start]:
        """Fit a model; return none if there is nothing to fit, or it stays as it is."""
        from bitswap_cli.api.fit import fit as fitted_to
        from bitswap_cli.api.race import Fitter, NothingToFit

        starts = self._named(fitting=True) or installed.rivals()
        # drawn pictures go to a model of their own, unless another one was asked for
        drawn = self.model != AUTO
        fitter = Fitter(catalogue, threads, self.notes, fit.shown, fit.stopped, drawn)
        if self.progress:
            self.progress("fit", 0, 1)
        try:
            own = fitted_to(starts, fitter, seconds=fit.seconds, steps=fit.steps, save=fit.save)
        except NothingToFit as error:
            catalogue.notes.append(f"{error}" + (", and none is saved" if fit.save else ""))
            own = plain
        if catalogue.jpegs:
            catalogue.notes.append(
                "--fit: JPEG files are not fitted to: the model jpeg learns while it codes"
            )
        if self.progress:
            self.progress("fit", 1, 1)
        return [own] if own.header != plain.header else []

    def _smallest(
        self,
        stack: ExitStack,
        ways: Sequence[Start],
        told: tuple[Codecs, list[Named]],
        catalogue: Catalogue,
        threads: int,
    ) -> _Packed:
        """Pack in one way, or two; return the smaller archive, the first of equals. It has the
        `told` codecs of other chunks and models of these, too.

        The stack removes what does not appear.
        """
        began = time.perf_counter()
        packed: list[_Packed] = []
        others, models = told
        keeping = self._keeping
        for number, start in enumerate(ways):
            codecs, header = start.put(others), start.header.with_others(models)
            if others.coefficients:
                decoded = [DECODINGS, LAID, DECODERS, CORRECTED] if catalogue.decoded else []
                header = header.using([LEARNING, EQUAL, *decoded])
            if others.pictures or (self.model == AUTO and catalogue.wide):
                header = header.using([WIDE])
            if keeping.mixed:
                header = header.using([MIXED, RECIPES, MIXED_3, VP8, REPEATS])
            writer = stack.enter_context(
                ArchiveWriter(
                    self.output,
                    header.using(catalogue.features(keeping.block)),
                    catalogue.sources,
                    force=self.force,
                    narrows=True,
                )
            )
            report = pack_into(
                writer,
                catalogue,
                codecs,
                again=number + 1 < len(ways),
                keeping=keeping,
                threads=threads,
                progress=stage(self.progress, "compress fitted" if number else "compress"),
            )
            packed.append(_Packed(report, writer, codecs))
        # a file that could no longer be read must not make a way the smallest
        smallest = min(packed, key=lambda one: (-one.report.entries, one.report.bytes_after))
        smallest.report.saved = packed[0].report.bytes_after - smallest.report.bytes_after
        smallest.report.seconds = time.perf_counter() - began
        return smallest

    def _verify(
        self, report: PackReport, writer: ArchiveWriter, codecs: Codecs, threads: int
    ) -> None:
        """Decode what is to become the archive."""
        name = None if self.model == AUTO else self.model
        read = decoder(name, self.batch, notes=self.notes)
        shown = stage(self.progress, "verify")
        try:
            with ArchiveReader(os.fsdecode(writer.temporary)) as reader:
                # fitted models are read from the archive, as every reader will
                codecs_for = read if report.saved else lambda header, tags: codecs
                check(reader, codecs_for, threads=threads, progress=shown)
        except BitswapError as error:
            raise ArchiveError(
                f"{self.output} was not written, because it did not verify: {error}"
            ) from error
