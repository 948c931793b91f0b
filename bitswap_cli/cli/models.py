"""``bitswap models``: which models there are, where they are, and what they say of themselves."""

from typing import Any

import click

from bitswap_cli.cli.common import Console, escape, json_option, say_json, verbosity
from bitswap_cli.cli.table import format_table, human_size


@click.group("models")
def command() -> None:
    """List, download and describe models."""


@command.command("list")
@json_option
@verbosity
def list_models(console: Console, as_json: bool) -> None:
    """List the models that are installed, downloaded, or known to the registry."""
    from bitswap_cli.api.models import listed

    found = listed(console.remark)
    if as_json:
        say_json({"models": [model._asdict() for model in found]})
        return
    rows = [("name", "state", "size", "SHA-256")]
    rows += [
        (model.name, model.state, human_size(model.size), model.sha256[:16]) for model in found
    ]
    click.echo(format_table(rows, left=(0, 1)))


@command.command()
@click.argument("name")
@verbosity
def fetch(console: Console, name: str) -> None:
    """Download the current version of a model, unless it is here already."""
    from bitswap_cli.api import models

    file = models.fetch(name)
    console.say(f"{file.name}  {file.sha256}  {file.path}")


@command.command()
@click.argument("name", metavar="NAME|PATH")
@verbosity
def path(console: Console, name: str) -> None:
    """Print where the file of a model is, downloading it if need be."""
    from bitswap_cli.api.models import locate

    click.echo(locate(name).path)


@command.command("info")
@click.argument("name", metavar="NAME|PATH")
@json_option
@verbosity
def model_info(console: Console, name: str, as_json: bool) -> None:
    """Show a model: its size, and what its file says of itself (configuration, metrics, recipe).

    Binary weights are packed to one bit each; the sizes are bytes.
    """
    from bitswap_cli.api.models import describe

    described = describe(name)
    if as_json:
        say_json(described)
        return
    width = max(map(len, described))
    for key, value in described.items():
        lines = _describe(value)
        lines = [f"{key:<{width}}  {lines[0]}", *(f"  {x}" for x in lines[1:])]
        click.echo("\n".join(map(escape, lines)))


def _describe(value: Any) -> list[str]:
    if isinstance(value, dict):
        return ["", *(f"{key} = {item}" for key, item in value.items())]
    text = str(value).strip().splitlines() or [""]
    return text if len(text) == 1 else ["", *text]
