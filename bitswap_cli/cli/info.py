"""``bitswap info``: what an archive is, and what reading it takes; decodes nothing."""

from typing import Any

import click

from bitswap_cli.cli.common import Console, escape, json_option, say_json, verbosity
from bitswap_cli.cli.spool import readable
from bitswap_cli.cli.table import format_table, human_size

_COUNTS = ("_chunks", "_bytes", "inside")  # how keys end of what there may be none of


@click.command("info")
@click.argument("archive")
@json_option
@verbosity
def command(console: Console, archive: str, as_json: bool) -> None:
    """Show the model, the scheme and the sizes of an archive; one of - is what comes from stdin."""
    from bitswap_cli.api.describe import describe

    with readable(archive) as path:
        described = describe(path) | {"archive": archive}
    if as_json:
        say_json(described)
        return
    channels = described.pop("fitted_channels")
    described["features"] = ", ".join(described["features"]) or None
    if channels:
        size = f"{described['fitted']:,} bytes"
        described["fitted"] = f"fitted from {described['model']}, {size}"
        if channels != [described["tile"][2]]:
            described["fitted"] += f", for pictures of {', '.join(map(str, channels))} channels"
    models = [f"{own['model']} ({own['bytes']:,} bytes)" for own in described["models"]]
    described["models"] = ", ".join(models) if len(models) > 1 else None
    kinds, coders = described.pop("kinds"), described.pop("coders")
    for key, value in described.items():
        # what it does without is left out: models, and chunks of kinds that it holds none of
        without = key.endswith(_COUNTS) and not value or key == "tile" and not described["model"]
        if value is not None and not without:
            click.echo(f"{key:<13}  {_show(value)}")
    rows = [
        (kind, told["restored"], str(told["entries"]), _size(told["before"]))
        for kind, told in kinds.items()
    ]
    click.echo("\n" + format_table([("kind", "restored", "entries", "before"), *rows], left=[0, 1]))
    rows = [
        (name, str(told["files"]), _size(told["before"]), _size(told["after"]))
        for name, told in coders.items()
    ]
    click.echo("\n" + format_table([("by", "files", "before", "after"), *rows], left=[0]))


def _size(size: int | None) -> str:
    return "-" if size is None else human_size(size)


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "x".join(map(str, value))
    return escape(str(value))
