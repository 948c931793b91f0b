"""``bitswap list``: what is in an archive; reads its tables only."""

import json
import os
from collections.abc import Iterable

import click

from bitswap_cli.cli.common import Console, escape, json_option, verbosity
from bitswap_cli.cli.spool import readable


@click.command("list")
@click.argument("archive")
@click.option(
    "--checksums", is_flag=True, help="Print CRC-32 and name of each file, as sha256sum prints."
)
@json_option
@verbosity
def command(console: Console, archive: str, checksums: bool, as_json: bool) -> None:
    """List the entries of an archive.

    The first column says how an entry comes back: byte for byte (bytes), or pixel for pixel with
    all its metadata (pixels). Behind the name of a copy or hard link stands that of the entry that
    it equals; with -v, behind that of a picture, the model that codes it, which JPEG it was, if it
    was one, and whose pixels it has, if another one has them; behind that of a host, how many
    pictures inside of it are coded. With --checksums, there are two: the
    CRC-32 of the original file, that of zlib and PNG, in eight hexadecimal digits, or dashes where
    the archive does not tell it, and the name. An ARCHIVE of - is what comes from stdin.
    """
    from bitswap_cli.api.describe import coders, entries, histories

    with readable(archive) as path:
        found = entries(path)
        were = histories(path) if console.verbose else {}
        by = coders(path) if console.verbose else {}
    if as_json:
        rows = (
            {
                "name": os.fsdecode(entry.name),
                "kind": entry.kind,
                "restored": "bytes" if entry.exact else "pixels",
                "size": entry.size,
                "shape": entry.shape and list(entry.shape),
                "crc32": _hex(entry.crc),
                "mode": None if entry.mode is None else f"{entry.mode:04o}",
                "was": were.get(entry.name),
                "model": by.get(entry.name),
                "original": None if entry.original is None else os.fsdecode(entry.original),
                "twin": None if entry.twin is None else os.fsdecode(entry.twin),
                "inside": entry.inside,
            }
            for entry in found
        )
        _say_rows(archive, rows)
        return
    if checksums:
        for entry in found:
            if entry.kind not in ("dir", "link"):
                name = escape(os.fsdecode(entry.name))
                click.echo(f"{_hex(entry.crc) or '-' * 8}  {name}")
        return
    kinds = max([13, *(len(entry.kind) for entry in found)])
    for entry in found:
        restored = "bytes" if entry.exact else "pixels"
        shape = "x".join(map(str, entry.shape)) if entry.shape else "-"
        size = "-" if entry.size is None else entry.size
        name = escape(os.fsdecode(entry.name))
        more = f" = {escape(os.fsdecode(entry.original))}" if entry.original else ""
        told = [f"by {escape(by[entry.name])}"] if entry.name in by else []
        told += [f"was a JPEG of {were[entry.name]}"] if entry.name in were else []
        if console.verbose and entry.twin is not None:
            told.append(f"pixels as {escape(os.fsdecode(entry.twin))}")
        if console.verbose and entry.inside:
            told.append(f"{entry.inside} picture{'s' * (entry.inside > 1)} inside")
        more += f" ({'; '.join(told)})" if told else ""
        click.echo(f"{restored:<6}  {entry.kind:<{kinds}}  {size:>12}  {shape:>13}  {name}{more}")


def _say_rows(archive: str, rows: Iterable[object]) -> None:
    """Print an object as `say_json` does, but row by row: of millions, they take much memory."""
    click.echo(f'{{"archive": {json.dumps(archive)}, "entries": [', nl=False)
    for number, row in enumerate(rows):
        click.echo((", " if number else "") + json.dumps(row), nl=False)
    click.echo("]}")


def _hex(crc: int | None) -> str | None:
    return None if crc is None else f"{crc:08x}"
