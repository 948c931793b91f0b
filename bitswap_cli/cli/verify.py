"""``bitswap verify``: is a folder what an archive holds?"""

from collections import Counter

import click

from bitswap_cli.cli.common import (
    Console,
    escape,
    json_option,
    model_file_option,
    note_engine,
    say_json,
    verbosity,
)


@click.command("verify")
@click.argument("archive")
@click.argument("folder")
@model_file_option
@json_option
@verbosity
def command(console: Console, archive: str, folder: str, model: str | None, as_json: bool) -> None:
    """Compare an archive with a folder that it was restored into, or made in or of.

    There is a line for each entry that is not the same: pixels (the same pixels, in another file),
    differs, missing, or unreadable; with -v, for each entry. The exit code is 6 if there is any but
    the first two. Files that the archive does not hold are not looked at.
    """
    from bitswap_cli.api.decompress import ALIKE, SAME, compare

    note_engine()
    found = {}
    for name, outcome in compare(archive, folder, model=model, notes=console.note):
        found[name] = outcome
        if not as_json and (outcome != SAME or console.verbose):
            click.echo(f"{outcome:<10}  {escape(name)}")
    if as_json:
        rows = [{"name": name, "outcome": outcome} for name, outcome in found.items()]
        say_json({"archive": archive, "folder": folder, "entries": rows})
    else:
        counts = Counter(found.values())
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        console.say(f"{escape(archive)}: {told or 'no entries'}")
    if not ALIKE.issuperset(found.values()):
        raise click.exceptions.Exit(6)
