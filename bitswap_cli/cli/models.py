"""``bitswap models``: which models there are, where they are, and what they say of themselves."""

from typing import Any

import click

from bitswap_cli.cli.common import Console, json_option, say_json, verbosity
from bitswap_cli.cli.table import format_table, human_size


@click.group()
def models() -> None:
    """List, download and describe models."""


@models.command("list")
@json_option
@verbosity
def list_models(console: Console, as_json: bool) -> None:
    """List the models that are installed, downloaded, or known to the registry."""
    from bitswap_models import zoo

    found: dict[str, tuple[zoo.ModelFile | zoo.RegistryEntry, str, int]] = {}
    for name in zoo.embedded():
        file = zoo.find(name)
        found[file.sha256] = (file, "installed", file.path.stat().st_size)
    for file in zoo.downloaded():
        found.setdefault(file.sha256, (file, "downloaded", file.path.stat().st_size))
    for entry in zoo.registry():
        found.setdefault(entry.sha256, (entry, "to download", entry.size))
    if as_json:
        say_json(
            {
                "models": [
                    {"name": model.name, "sha256": sha256, "state": state, "size": size}
                    for sha256, (model, state, size) in found.items()
                ]
            }
        )
        return
    rows = [("name", "state", "size", "SHA-256")]
    for sha256, (model, state, size) in found.items():
        rows.append((model.name, state, human_size(size), sha256[:16]))
    click.echo(format_table(rows, left=(0, 1)))


@models.command()
@click.argument("name")
@verbosity
def fetch(console: Console, name: str) -> None:
    """Download the current version of a model, unless it is here already."""
    from bitswap_models import zoo

    for entry in zoo.registry():
        if entry.name == name:
            file = zoo.find(name, entry.sha256)
            break
    else:
        file = zoo.find(name)
    console.say(f"{file.name}  {file.sha256}  {file.path}")


@models.command()
@click.argument("name", metavar="NAME|PATH")
@verbosity
def path(console: Console, name: str) -> None:
    """Print where the file of a model is, downloading it if need be."""
    from bitswap_models import zoo

    click.echo(zoo.resolve(name).path)


@models.command("info")
@click.argument("name", metavar="NAME|PATH")
@json_option
@verbosity
def model_info(console: Console, name: str, as_json: bool) -> None:
    """Show a model: its size, and what its file says of itself (configuration, metrics, recipe).

    Binary weights are packed to one bit each; the sizes are bytes.
    """
    from bitswap_models import zoo
    from bitswap_models.stored import model_file
    from bitswap_models.stored.sizes import sizes

    file = zoo.resolve(name)
    codes = model_file.family_in(file).codes
    counted = sizes(model_file.load(file) if codes else model_file.load_network(file))
    described: dict[str, Any] = {
        "name": file.name,
        "sha256": file.sha256,
        "path": str(file.path),
        "size": file.path.stat().st_size,
        "parameters": counted.parameters,
        "binary_share": round(counted.binary_share, 4),
        "packed_bytes": counted.packed_bytes,
        "float32_bytes": counted.float32_bytes,
        **zoo.read_metadata(file.path),
    }
    if as_json:
        say_json(described)
        return
    width = max(map(len, described))
    for key, value in described.items():
        lines = _describe(value)
        click.echo("\n".join([f"{key:<{width}}  {lines[0]}", *(f"  {x}" for x in lines[1:])]))


def _describe(value: Any) -> list[str]:
    if isinstance(value, dict):
        return ["", *(f"{key} = {item}" for key, item in value.items())]
    text = str(value).strip().splitlines() or [""]
    return text if len(text) == 1 else ["", *text]
