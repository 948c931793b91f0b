"""``bitswap train``: a recipe and a folder of images become a model file."""

from pathlib import Path

import click

from bitswap_cli.cli.common import Console, check_new, verbosity
from bitswap_cli.errors import InputError


@click.command()
@click.argument("recipe", metavar="RECIPE.toml", type=click.Path(path_type=Path))
@click.argument("data", metavar="DATA_DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="MODEL",
    type=click.Path(path_type=Path),
    help="Model file to write.",
)
@click.option("--resume", is_flag=True, help="Go on from where the last run to MODEL stopped.")
@click.option("--seconds", type=click.IntRange(min=1), help="Stop after this long, and save.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, help="For a recipe with [tuning]."
)
@click.option("--force", is_flag=True, help="Replace MODEL if it exists.")
@verbosity
def train(
    console: Console,
    recipe: Path,
    data: Path,
    output: Path,
    resume: bool,
    seconds: int | None,
    threads: int,
    force: bool,
) -> None:
    """Train a model on the images of DATA_DIR as RECIPE.toml says.

    A recipe that names a base starts from that model. One with [tuning] instead of [training] is
    run in one go, by the loop of `compress --fit`; --threads are for it.

    A GPU is used when there is one. The line of progress on stderr splits the rate (bits/dim) into
    that of the likelihood and that of each latent layer.
    """
    if not recipe.is_file():
        raise InputError(f"there is no recipe {recipe}")
    if not data.is_dir():
        raise InputError(f"there is no folder {data}")
    check_new(output, "-o, --resume", force=force or resume)
    from bitswap_models.fitting import tuning
    from bitswap_models.training import loop as training

    def show(line: str) -> None:
        if not console.quiet:
            click.echo(line, err=True)

    if tuning.tunes(recipe):
        if resume or seconds:
            raise InputError("a recipe with [tuning] is run in one go: no --resume, no --seconds")
        tuning.tune(recipe, data, output, threads=threads, progress=show)
    else:
        training.train(recipe, data, output, resume=resume, seconds=seconds, progress=show)
    console.say(f"wrote {output}")
