"""``bitswap doctor``: whether this machine computes what every other machine computes."""

import click

import bitswap_cli
from bitswap_cli.cli.common import Console, escape, json_option, say_json, verbosity
from bitswap_cli.errors import ModelError


@click.command("doctor")
@json_option
@verbosity
def command(console: Console, as_json: bool) -> None:
    """Check the installation: engine, known answer of each model, golden archive.

    Prints one line for each check, ok or failed; the exit code is 5 if any failed.
    """
    from bitswap_cli.api.doctor import examine

    findings = []
    for finding in examine(bitswap_cli.__version__):
        findings.append(finding)
        name, ok, detail = finding
        if not as_json and not (ok and console.quiet):
            click.echo(f"{'ok' if ok else 'failed':<6}  {name}: {escape(detail)}")
    failed = [name for name, ok, _ in findings if not ok]
    if as_json:
        say_json({"ok": not failed, "checks": [finding._asdict() for finding in findings]})
    if failed:
        raise ModelError(f"checks failed: {', '.join(failed)}")
