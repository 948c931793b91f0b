"""``bitswap decompress``: an archive becomes files again."""

import click

import bitswap_cli
from bitswap_cli.cli.common import (
    Console,
    attribute_options,
    json_option,
    model_file_option,
    note_engine,
    say_json,
    verbosity,
    work_options,
)
from bitswap_cli.cli.progress import progress_bar
from bitswap_cli.cli.spool import readable
from bitswap_cli.cli.table import human_size


@click.command("decompress")
@click.argument("archive")
@click.argument("entries", metavar="[ENTRY]...", nargs=-1)
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder to restore into.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option(
    "--keep-going", is_flag=True, help="Restore what is whole of a damaged archive (exit code 6)."
)
@click.option(
    "--pixels", is_flag=True, help="Make PNG files of the same pixels sooner, not the same files."
)
@click.option(
    "--as-jpeg",
    is_flag=True,
    help="Write pictures that were JPEGs as NAME.jpg, where that has the same pixels.",
)
@attribute_options
@model_file_option
@work_options
@json_option
@verbosity
def command(
    console: Console,
    archive: str,
    entries: tuple[str, ...],
    output: str,
    force: bool,
    keep_going: bool,
    pixels: bool,
    as_jpeg: bool,
    xattrs: bool,
    owners: bool,
    model: str | None,
    threads: int,
    batch: int,
    as_json: bool,
) -> None:
    """Restore an archive, or only some entries (files or folders) of it, below DIR.

    An ARCHIVE of - is what comes from stdin.
    """
    note_engine()
    with readable(archive) as path, progress_bar(console) as progress:
        report = bitswap_cli.decompress(
            path, output, entries or None,
            model=model, force=force, keep_going=keep_going, pixels=pixels, as_jpeg=as_jpeg,
            xattrs=xattrs, owners=owners,
            threads=threads, batch=batch, progress=progress, notes=console.note,
        )  # fmt: skip
    for note in report.notes:
        console.remark(note)
    if as_json:
        say_json(
            {
                "archive": archive,
                "directory": output,
                "entries": report.entries,
                "bytes": report.bytes,
                "samples": report.samples,
                "jpegs": report.jpegs,
                "seconds": round(report.seconds, 3),
            }
        )
    else:
        size = human_size(report.bytes)
        made = f", {report.jpegs} of them as the JPEGs they were" if report.jpegs else ""
        console.say(f"restored {report.entries} entries{made}, {size}, in {report.seconds:.1f} s")
