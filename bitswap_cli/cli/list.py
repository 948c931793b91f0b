"""``bitswap list``: what is in an archive; reads its tables only."""

import click

import bitswap_cli
from bitswap_cli.cli.common import Console, escape, json_option, say_json, verbosity


@click.command("list")
@click.argument("archive")
@json_option
@verbosity
def command(console: Console, archive: str, as_json: bool) -> None:
    """List the entries of an archive.

    The first column says how an entry comes back: byte for byte (bytes), or pixel for pixel with
    all its metadata (pixels).
    """
    with bitswap_cli.open(archive) as opened:
        entries = [(name, opened.info(name)) for name in opened]
    if as_json:
        rows = [
            {
                "name": name,
                "kind": entry.kind,
                "restored": "bytes" if entry.exact else "pixels",
                "size": entry.size,
                "shape": entry.shape and list(entry.shape),
            }
            for name, entry in entries
        ]
        say_json({"archive": archive, "entries": rows})
        return
    for name, entry in entries:
        restored = "bytes" if entry.exact else "pixels"
        shape = "x".join(map(str, entry.shape)) if entry.shape else "-"
        size = "-" if entry.size is None else entry.size
        click.echo(f"{restored:<6}  {entry.kind:<11}  {size:>12}  {shape:>13}  {escape(name)}")
