"""``bitswap decompress``: an archive becomes files again."""

import time

import click

from bitswap_cli.cli.common import (
    Console,
    json_option,
    model_file_option,
    note_engine,
    say_json,
    verbosity,
    work_options,
)
from bitswap_cli.cli.model import decoder
from bitswap_cli.cli.progress import progress_bar
from bitswap_cli.cli.table import human_size


@click.command()
@click.argument("archive")
@click.argument("entries", metavar="[ENTRY]...", nargs=-1)
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder to restore into.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option(
    "--keep-going", is_flag=True, help="Restore what is whole of a damaged archive (exit code 6)."
)
@model_file_option
@work_options
@json_option
@verbosity
def decompress(
    console: Console,
    archive: str,
    entries: tuple[str, ...],
    output: str,
    force: bool,
    keep_going: bool,
    model: str | None,
    threads: int,
    batch: int,
    as_json: bool,
) -> None:
    """Restore an archive, or only some entries (files or folders) of it, below DIR."""
    from bitswap_cli.archive.reading.reader import ArchiveReader
    from bitswap_cli.archive.reading.unpack import unpack

    note_engine()
    started = time.perf_counter()
    with (
        ArchiveReader(archive, recover=keep_going) as reader,
        progress_bar(console, "decompress") as progress,
    ):
        report = unpack(
            reader,
            decoder(console, model, batch),
            output,
            force=force,
            keep_going=keep_going,
            threads=threads,
            select=entries or None,
            progress=progress,
        )
    seconds = time.perf_counter() - started
    if as_json:
        say_json(
            {
                "archive": archive,
                "directory": output,
                "entries": report.entries,
                "bytes": report.bytes,
                "samples": report.samples,
                "seconds": round(seconds, 3),
            }
        )
    else:
        console.say(
            f"restored {report.entries} entries, {human_size(report.bytes)}, in {seconds:.1f} s"
        )
