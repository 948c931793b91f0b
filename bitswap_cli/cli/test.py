"""``bitswap test``: decodes and checks an archive, and writes nothing."""

import click

import bitswap_cli
from bitswap_cli.cli.common import (
    Console,
    escape,
    json_option,
    model_file_option,
    note_engine,
    say_json,
    verbosity,
    work_options,
)
from bitswap_cli.cli.progress import progress_bar
from bitswap_cli.cli.spool import readable


@click.command("test")
@click.argument("archive")
@model_file_option
@work_options
@json_option
@verbosity
def command(
    console: Console, archive: str, model: str | None, threads: int, batch: int, as_json: bool
) -> None:
    """Decode an archive and check everything in it; write nothing.

    An ARCHIVE of - is what comes from stdin.
    """
    note_engine()
    with readable(archive) as path, progress_bar(console) as progress:
        report = bitswap_cli.verify(
            path, model=model, threads=threads, batch=batch,
            progress=progress, notes=console.note,
        )  # fmt: skip
    if as_json:
        say_json({"archive": archive, "ok": True, "entries": report.entries})
    else:
        console.say(f"{escape(archive)}: ok, {report.entries} entries")
