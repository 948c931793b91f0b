"""``bitswap eval``: what a model makes of pictures, term by term, and what coding them takes."""

import click

import bitswap_cli
from bitswap_cli.cli.common import Console, json_option, note_engine, say_json, verbosity
from bitswap_cli.cli.progress import progress_bar
from bitswap_cli.cli.table import format_table


@click.command("eval")
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA")
@click.option("--limit", type=click.IntRange(min=1), help="Look at so many tiles, evenly spread.")
@json_option
@verbosity
def command(console: Console, model: str, data: str, limit: int | None, as_json: bool) -> None:
    """Measure MODEL on the pictures of the folder DATA.

    MODEL is a name or a path. Pictures (PNG, lossless WebP, BMP, PGM, PPM) are cut into tiles of
    the model's size; a file named like 00000-0853.png is a sheet of so many tiles. Printed are, in
    bits/dim, the negative ELBO, split into the likelihood and the KL of each latent layer, and the
    rate: all that the tiles took when they were coded, decoded and compared. A flow has a bound,
    but no rate.
    """
    note_engine()
    with progress_bar(console) as progress:
        found = bitswap_cli.evaluate(
            model, data, limit=limit, progress=progress, notes=console.note
        )
    for line in found.notes:
        console.remark(line)
    if as_json:
        say_json(
            {
                "model": found.model, "sha256": found.sha256, "data": data, "tiles": found.tiles,
                "terms": found.terms, "bound": found.bound, "coded": found.coded,
            }
        )  # fmt: skip
        return
    rows = [("term", "bits/dim"), *((name, f"{bits:.4f}") for name, bits in found.terms.items())]
    rows.append(("-ELBO", f"{found.bound:.4f}"))
    rows.append(("coded", "-" if found.coded is None else f"{found.coded:.4f}"))
    shape = "x".join(map(str, found.shape))
    console.say(f"{found.model} on {found.tiles:,} tiles of {shape}")
    console.say(format_table(rows, left=(0,)))
