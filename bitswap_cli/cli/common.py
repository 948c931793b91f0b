"""What the verbs share: options, what is said to the user, and how names are shown."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click

from bitswap_cli.errors import InputError

DEFAULT_MODEL = "auto"
DEFAULT_BATCH = 64
EXIT_TERMINATED = 143

Command = TypeVar("Command", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Console:
    """How much the user wants to read: ``-q`` and ``-v``.

    Results go to stdout; progress, notes and errors go to stderr.
    """

    quiet: bool = False
    verbose: bool = False
    ending: BaseException | None = None

    def terminate(self, *_: object) -> NoReturn:
        """End the program; what it does meanwhile cleans up."""
        self.ending = SystemExit(EXIT_TERMINATED)
        raise self.ending

    def interrupt(self, *_: object) -> NoReturn:
        """Likewise, after Ctrl-C."""
        self.ending = KeyboardInterrupt()
        raise self.ending

    def go_on(self) -> None:
        """End if that was asked for: an exception in a callback of Python's own is lost."""
        if self.ending:
            raise self.ending

    def say(self, text: str) -> None:
        """Print a summary, unless ``-q`` was given."""
        if not self.quiet:
            click.echo(text)

    def note(self, text: str) -> None:
        """Print a detail on stderr if ``-v`` was given."""
        if self.verbose:
            click.echo(f"bitswap: {text}", err=True)


def say_json(value: object) -> None:
    """Print one JSON object on one line; only ASCII, so it survives any encoding."""
    click.echo(json.dumps(value, allow_nan=False))


def escape(name: str) -> str:
    r"""Show a file name or a message on one line, without control characters.

    Examples
    --------
    >>> escape("two\nlines") == r"two\nlines"
    True
    >>> escape(os.fsdecode(b"not UTF-8: \xff")) == r"not UTF-8: \xff"
    True
    """
    return "".join(char if char.isprintable() else _escape_character(char) for char in name)


def _escape_character(char: str) -> str:
    if 0xDC80 <= ord(char) <= 0xDCFF:  # how Python shows a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def verbosity(command: Callable[Concatenate[Console, P], R]) -> Callable[P, R]:
    """Add ``-q`` and ``-v``, and hand the `Console` to the command as its first argument."""

    def store(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and parameter.name:
            setattr(context.ensure_object(Console), parameter.name, True)

    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=store, help="Only errors."
    )
    verbose = click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=store, help="More details."
    )
    return quiet(verbose(click.make_pass_decorator(Console, ensure=True)(command)))


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def work_options(command: Command) -> Command:
    """Add ``--threads`` and ``--batch``, which change the speed and never a byte."""
    threads = click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=lambda: os.cpu_count() or 1,
        show_default="number of processors",
        help="Chunks worked on at a time.",
    )
    batch = click.option(
        "--batch",
        type=click.IntRange(min=1),
        default=DEFAULT_BATCH,
        show_default=True,
        help="Tiles the networks see at a time.",
    )
    return threads(batch(command))


def model_file_option(command: Command) -> Command:
    """Add the ``--model`` of the verbs that read an archive."""
    return click.option(
        "--model",
        metavar="PATH",
        help="File of the model the archive names, if it is not one of `bitswap models list`.",
    )(command)


def check_new(path: str | os.PathLike[str], option: str, *, force: bool) -> None:
    """Refuse a place for a new file where none could be written, before the work for it is done.

    Raises
    ------
    InputError
        If a file is there and `force` is not given, a folder is there, or its folder is not there
        or cannot be written to.
    """
    place = Path(path)
    if place.is_dir():
        raise InputError(f"{path} is a folder: give another {option}")
    if place.exists() and not force:
        raise InputError(f"{path} exists: give another {option}, or --force to replace it")
    if not place.parent.is_dir():
        raise InputError(f"there is no folder {place.parent} for {path}: make it first")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: its folder is read-only")


@cache
def note_engine() -> None:
    """Say once that coding will be slow, if numpy does it though nobody asked for that."""
    from bitswap_cli.ans import engine_name

    if not os.environ.get("BITSWAP_ENGINE") and engine_name() == "reference":
        click.echo("bitswap: no compiled kernel, coding with numpy (much slower)", err=True)


def stderr_is_terminal() -> bool:
    """Whether somebody watches stderr."""
    return sys.stderr is not None and sys.stderr.isatty()
