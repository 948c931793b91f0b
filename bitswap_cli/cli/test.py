"""``bitswap test``: decodes and checks an archive, and writes nothing."""

import click

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
from bitswap_cli.cli.model import decoder
from bitswap_cli.cli.progress import progress_bar


@click.command()
@click.argument("archive")
@model_file_option
@work_options
@json_option
@verbosity
def test(
    console: Console, archive: str, model: str | None, threads: int, batch: int, as_json: bool
) -> None:
    """Decode an archive and check everything in it; write nothing."""
    from bitswap_cli.archive.reading.reader import ArchiveReader
    from bitswap_cli.archive.reading.unpack import verify

    note_engine()
    with ArchiveReader(archive) as reader, progress_bar(console, "test") as progress:
        report = verify(reader, decoder(console, model, batch), threads=threads, progress=progress)
    if as_json:
        say_json({"archive": archive, "ok": True, "entries": report.entries})
    else:
        console.say(f"{escape(archive)}: ok, {report.entries} entries")
