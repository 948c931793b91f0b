"""``bitswap train``: a recipe and a folder of images become a model file."""

import click

from bitswap_cli.cli.common import Console, verbosity


@click.command("train")
@click.argument("recipe", metavar="RECIPE.toml")
@click.argument("data", metavar="DATA_DIR")
@click.option("-o", "--output", required=True, metavar="MODEL", help="Model file to write.")
@click.option("--resume", is_flag=True, help="Go on from where the last run to MODEL stopped.")
@click.option("--seconds", type=click.IntRange(min=1), help="Stop after this long, and save.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, help="For a recipe with [tuning]."
)
@click.option("--force", is_flag=True, help="Replace MODEL if it exists.")
@verbosity
def command(
    console: Console,
    recipe: str,
    data: str,
    output: str,
    resume: bool,
    seconds: int | None,
    threads: int,
    force: bool,
) -> None:
    """Train a model on the images of DATA_DIR as RECIPE.toml says.

    A recipe that names a base starts from that model. One with [tuning] instead of [training] is
    run in one go, by the loop of `compress --fit`; --threads are for it. So is one with [groups],
    of a pixel VAE, which is best run on a GPU.

    A GPU is used when there is one. The line of progress on stderr splits the rate (bits/dim) into
    that of the likelihood and that of each latent layer.
    """
    from bitswap_cli.api.models import train

    def show(line: str) -> None:
        if not console.quiet:
            click.echo(line, err=True)

    train(
        recipe, data, output,
        resume=resume, seconds=seconds, threads=threads, force=force, progress=show,
    )  # fmt: skip
    console.say(f"wrote {output}")
