"""The verbs of the command line: each is one file here, with a ``command``, and one line."""

from importlib import import_module

import click

VERBS = (
    "compress",
    "decompress",
    "list",
    "info",
    "test",
    "verify",
    "models",
    "train",
    "eval",
    "doctor",
)


class Verbs(click.Group):
    """The verbs, in the order in which one meets them; one that is not used is not loaded."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"bitswap_cli.cli.{cmd_name}").command
        return command
