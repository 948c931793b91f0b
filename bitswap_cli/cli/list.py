"""``bitswap list``: what is in an archive; reads its tables only."""

import os

import click

from bitswap_cli.cli.common import Console, escape, json_option, say_json, verbosity
from bitswap_cli.cli.spool import readable


@click.command("list")
@click.argument("archive")
@json_option
@verbosity
def command(console: Console, archive: str, as_json: bool) -> None:
    """List the entries of an archive.

    The first column says how an entry comes back: byte for byte (bytes), or pixel for pixel with
    all its metadata (pixels). An ARCHIVE of - is what comes from stdin.
    """
    from bitswap_cli.api.describe import entries

    with readable(archive) as path:
        found = entries(path)
    if as_json:
        rows = [
            {
                "name": os.fsdecode(entry.name),
                "kind": entry.kind,
                "restored": "bytes" if entry.exact else "pixels",
                "size": entry.size,
                "shape": entry.shape and list(entry.shape),
            }
            for entry in found
        ]
        say_json({"archive": archive, "entries": rows})
        return
    for entry in found:
        restored = "bytes" if entry.exact else "pixels"
        shape = "x".join(map(str, entry.shape)) if entry.shape else "-"
        size = "-" if entry.size is None else entry.size
        name = escape(os.fsdecode(entry.name))
        click.echo(f"{restored:<6}  {entry.kind:<11}  {size:>12}  {shape:>13}  {name}")
