"""``bitswap compress``: files and folders become one archive."""

from typing import Any

import click

import bitswap_cli
from bitswap_cli.api.arguments import AUTO, SCHEMES, SPEEDS
from bitswap_cli.cli.common import (
    Console,
    attribute_options,
    escape,
    json_option,
    note_engine,
    say_json,
    verbosity,
    work_options,
)
from bitswap_cli.cli.fit import Duration, FitCommand, Watcher
from bitswap_cli.cli.progress import progress_bar
from bitswap_cli.cli.spool import DASH, writable
from bitswap_cli.cli.table import format_table, human_size
from bitswap_cli.errors import PartialError


@click.command("compress", cls=FitCommand)
@click.argument("sources", metavar="SRC...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="Archive to write; - is stdout.")
@click.option(
    "--model",
    metavar="NAME|PATH",
    default=AUTO,
    show_default=True,
    help="Model, see `bitswap models list`; auto tries the installed ones on a sample.",
)
@click.option(
    "--speed",
    type=click.Choice(SPEEDS),
    help="What --model auto does: fast takes the model that is, small tries more; balanced is the"
    " default.",
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
    help="Write the fitted model to a file of its own, too.",
)
@work_options
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@click.option(
    "--strict", is_flag=True, help="Refuse what cannot be archived, instead of skipping it."
)
@click.option("--dereference", is_flag=True, help="Archive what links point to.")
@click.option(
    "--pixels", is_flag=True, help="Let PNG files come back pixel for pixel only: a bit sooner."
)
@attribute_options
@click.option("--no-verify", is_flag=True, help="Do not decode the archive to check it.")
@json_option
@verbosity
def command(
    console: Console,
    sources: tuple[str, ...],
    output: str,
    model: str,
    speed: str | None,
    scheme: str | None,
    duration: float | None,
    steps: int | None,
    save_model: str | None,
    threads: int,
    batch: int,
    force: bool,
    strict: bool,
    dereference: bool,
    pixels: bool,
    xattrs: bool,
    owners: bool,
    no_verify: bool,
    as_json: bool,
) -> None:
    """Compress files and folders into one archive.

    The archive is decoded and compared with checksums before it appears under its name. What cannot
    be archived is named and skipped (exit code 6): sockets, pipes, devices, files that cannot be
    read or that change meanwhile.
    """
    note_engine()
    with progress_bar(console) as bar, Watcher(console) as watcher:

        def progress(stage: str, done: int, total: int) -> None:
            if stage != "fit":
                bar(stage, done, total)
            elif done:
                watcher.end()
            else:
                watcher.begin()

        with writable(output) as path:
            report = bitswap_cli.compress(
                sources, path,
                model=model, speed=speed, scheme=scheme,
                fit=duration, fit_steps=steps, save_model=save_model,
                threads=threads, batch=batch, force=force, verify=not no_verify,
                strict=strict, dereference=dereference, pixels=pixels, xattrs=xattrs, owners=owners,
                progress=progress, notes=console.note,
                fitting=watcher.shown, stopped=watcher.stopped,
            )  # fmt: skip
    for note in report.notes:
        console.remark(note)
    if as_json:
        say_json(_figures(output, report), err=output == DASH)
    else:
        console.say(_summary(report), err=output == DASH)
    if report.skipped:
        for lost, why in report.skipped.items():
            click.echo(f"bitswap: skipped: {escape(lost)}: {why}", err=True)
        left = f"{len(report.skipped)} skipped, as named above"
        raise PartialError(f"{output} holds everything else: {left}")


def _figures(output: str, report: "bitswap_cli.PackReport") -> dict[str, Any]:
    """What ``--json`` prints (docs/scripting.md)."""
    ratio, bpd, net_bpd = (x and round(x, 4) for x in (report.ratio, report.bpd, report.net_bpd))
    return {
        "archive": output,
        "entries": report.entries,
        "kinds": dict(sorted(report.kinds.items())),
        "before": report.bytes_before,
        "after": report.bytes_after,
        "ratio": ratio,
        "pictures": report.tile_entries,
        "samples": report.samples,
        "bpd": bpd,
        "net_bpd": net_bpd,
        "mb_per_s": round(report.raw_bytes / 1e6 / report.seconds, 3),
        "seconds": round(report.seconds, 3),
        "model": report.model,
        "sha256": report.sha256,
        "scheme": report.scheme,
        "models": [{"model": own.name, "sha256": own.sha256} for own in report.models],
        "fitted": report.fitted_bytes or None,
        "saved": report.saved,
        "verified": report.verified,
        "skipped": report.skipped,
    }


def _summary(report: "bitswap_cli.PackReport") -> str:
    text = format_table(
        [
            ("files", "before", "after", "ratio", "bpd", "MB/s", "model"),
            (
                str(report.entries),
                human_size(report.bytes_before),
                human_size(report.bytes_after),
                "-" if report.ratio is None else f"{report.ratio:.3f}",
                "-" if report.bpd is None else f"{report.bpd:.3f}",
                f"{report.raw_bytes / 1e6 / report.seconds:.2f}",
                "+".join(report.names) or "none",
            ),
        ]
    )
    if not report.saved:
        return text
    share = report.saved / (report.saved + report.bytes_after)
    how, with_ = "small pictures turned", f"with {report.model} as it is"
    if report.fitted:
        how = f"fitted from {report.model}"
        with_ = f"{human_size(report.fitted_bytes)} of model included"
    smaller = f"{human_size(report.saved)} ({share:.1%}) smaller than without"
    return f"{text}\n{how}: {smaller}, {with_}"
