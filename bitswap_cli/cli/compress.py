"""``bitswap compress``: files and folders become one archive."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bitswap_cli.cli.common import (
    DEFAULT_MODEL,
    Console,
    check_new,
    escape,
    json_option,
    note_engine,
    say_json,
    verbosity,
    work_options,
)
from bitswap_cli.cli.fit import Duration, FitCommand, fit
from bitswap_cli.cli.model import AUTO, SCHEMES, decoder, encoders
from bitswap_cli.cli.progress import progress_bar
from bitswap_cli.cli.table import format_table, human_size
from bitswap_cli.errors import ArchiveError, BitswapError, InputError

if TYPE_CHECKING:
    from bitswap_cli.archive.format.sections import Header
    from bitswap_cli.archive.reading.unpack import CodecFor
    from bitswap_cli.archive.report import PackReport
    from bitswap_cli.contract import TileCodec


@click.command(cls=FitCommand)
@click.argument("sources", metavar="SRC...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="Archive to write.")
@click.option(
    "--model",
    metavar="NAME|PATH",
    default=DEFAULT_MODEL,
    show_default=True,
    help="Model, see `bitswap models list`; auto tries the installed ones on a sample.",
)
@click.option(
    "--scheme",
    type=click.Choice(SCHEMES),
    help="How latents are coded; as the model is coded best by default.",
)
@click.option(
    "--fit",
    "duration",
    type=Duration(),
    metavar="[DURATION]",
    help="Fit the model to the pictures for so long first (90s, 10m; 5m if none is given), and"
    " store it in the archive if that makes it smaller.",
)
@click.option("--fit-steps", "steps", type=click.IntRange(min=0), help="Fit for so many steps.")
@click.option(
    "--save-model",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Write the fitted model to a file of its own, too.",
)
@work_options
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@click.option("--no-verify", is_flag=True, help="Do not decode the archive to check it.")
@json_option
@verbosity
def compress(
    console: Console,
    sources: tuple[str, ...],
    output: str,
    model: str,
    scheme: str | None,
    duration: float | None,
    steps: int | None,
    save_model: Path | None,
    threads: int,
    batch: int,
    force: bool,
    no_verify: bool,
    as_json: bool,
) -> None:
    """Compress files and folders into one archive.

    The archive is decoded and compared with checksums before success is reported; if it does not
    verify it is removed.
    """
    note_engine()
    for source in sources:  # before the seconds it takes to load a model
        if not Path(source).exists() and not Path(source).is_symlink():
            raise InputError(f"there is no file or folder {source}")
    check_new(output, "-o", force=force)
    fitting = duration is not None or steps is not None
    if save_model is not None and not fitting:
        raise InputError("--save-model writes the model that --fit makes: give --fit as well")
    if save_model is not None:
        check_new(save_model, "--save-model", force=force)
        if os.path.abspath(save_model) == os.path.abspath(output):
            raise InputError(f"-o and --save-model both name {output}")
    starts = encoders(console, model, scheme, batch, sources, fitting=fitting)
    codec, header = starts[0]
    fitted = None
    if fitting:
        fitted = fit(
            console, starts, sources,
            seconds=duration, steps=steps, threads=threads, save=save_model,
        )  # fmt: skip
    started = time.perf_counter()
    report = _write(console, sources, output, codec, header, force=force, threads=threads)
    saved = 0
    if fitted is not None and fitted[1] != header:
        report, saved = _write_fitted(
            output,
            report,
            lambda path: _write(console, sources, path, *fitted, force=True, threads=threads),
        )
        header = fitted[1] if saved else header
    seconds = time.perf_counter() - started
    if not no_verify:
        codec_for = decoder(console, None if model == AUTO else model, batch)
        _verify(console, output, codec_for if saved else lambda header: codec, threads)
    for note in report.notes:
        if not console.quiet:
            click.echo(f"bitswap: note: {escape(note)}", err=True)
    result = {
        "archive": output,
        **_figures(report, header, seconds),
        "seconds": round(seconds, 3),
        "model": header.model,
        "sha256": header.sha256,
        "scheme": header.scheme,
        "fitted": header.fitted_bytes or None,
        "saved": saved if fitting else None,
        "verified": not no_verify,
    }
    if as_json:
        say_json(result)
        return
    console.say(_summary(result))
    if saved:
        share = saved / (saved + report.bytes_after)
        how = f"fitted from {header.model}" if header.fitted else "small pictures turned"
        model = f"{human_size(header.fitted_bytes)} of model included"
        model = model if header.fitted else f"with {header.model} as it is"
        console.say(f"{how}: {human_size(saved)} ({share:.1%}) smaller than without, {model}")
    elif fitting:
        console.say(f"fitting did not pay: the archive has {header.model} as it is")


def _write(
    console: Console,
    sources: tuple[str, ...],
    output: str,
    codec: "TileCodec",
    header: "Header",
    *,
    force: bool,
    threads: int,
) -> "PackReport":
    from bitswap_cli.archive.writing.pack import pack

    with progress_bar(console, "compress") as progress:
        return pack(sources, output, codec, header, force=force, threads=threads, progress=progress)


def _write_fitted(
    output: str, report: "PackReport", write: "Callable[[str], PackReport]"
) -> "tuple[PackReport, int]":
    """Replace an archive by one with a fitted model if that is smaller, and by how many bytes."""
    from bitswap_cli.atomic import temporary_name

    other = os.fsdecode(temporary_name(os.path.dirname(os.fsencode(output))))
    try:
        fitted = write(other)
        saved = report.bytes_after - fitted.bytes_after
        if saved > 0:
            os.replace(other, output)
            return fitted, saved
    finally:
        Path(other).unlink(missing_ok=True)
    return report, 0


def _verify(console: Console, output: str, codec_for: "CodecFor", threads: int) -> None:
    from bitswap_cli.archive.reading.reader import ArchiveReader
    from bitswap_cli.archive.reading.unpack import verify

    try:
        with ArchiveReader(output) as reader, progress_bar(console, "verify") as progress:
            verify(reader, codec_for, threads=threads, progress=progress)
    except Exception as error:
        Path(output).unlink(missing_ok=True)
        if isinstance(error, BitswapError):
            raise ArchiveError(f"{output} did not verify and was removed: {error}") from error
        raise


def _figures(report: "PackReport", header: "Header", seconds: float) -> dict[str, Any]:
    """Sizes in bytes, rates in bits/dim; None where there is nothing to divide by."""
    raw = report.samples + report.bytes_before - report.tile_bytes_before
    samples = report.samples
    return {
        "entries": report.entries,
        "kinds": dict(sorted(report.kinds.items())),
        "before": report.bytes_before,
        "after": report.bytes_after,
        "ratio": round(report.bytes_after / report.bytes_before, 4)
        if report.bytes_before
        else None,
        "pictures": report.tile_entries,
        "samples": samples,
        "bpd": round((report.tile_bytes + header.fitted_bytes) * 8 / samples, 4)
        if samples
        else None,
        "net_bpd": round(report.net_bits / samples, 4) if samples else None,
        "mb_per_s": round(raw / 1e6 / seconds, 3),
    }


def _summary(result: dict[str, Any]) -> str:
    ratio, bpd = result["ratio"], result["bpd"]
    return format_table(
        [
            ("files", "before", "after", "ratio", "bpd", "MB/s", "model"),
            (
                str(result["entries"]),
                human_size(result["before"]),
                human_size(result["after"]),
                "-" if ratio is None else f"{ratio:.3f}",
                "-" if bpd is None else f"{bpd:.3f}",
                f"{result['mb_per_s']:.2f}",
                str(result["model"]),
            ),
        ]
    )
