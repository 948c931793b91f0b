"""What the verbs share: options, what is said to the user, and how names are shown."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click

from bitswap_cli.api.arguments import BATCH
from bitswap_cli.threads import ENDING

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
        self._end(SystemExit(EXIT_TERMINATED))

    def interrupt(self, *_: object) -> NoReturn:
        """Likewise, after Ctrl-C."""
        self._end(KeyboardInterrupt())

    def _end(self, ending: BaseException) -> NoReturn:
        self.ending = ending
        ENDING.set()
        raise ending

    def go_on(self) -> None:
        """End if that was asked for: an exception in a callback of Python's own is lost."""
        if self.ending:
            raise self.ending

    def say(self, text: str, *, err: bool = False) -> None:
        """Print a summary, unless ``-q`` was given; on stderr if stdout is taken."""
        if not self.quiet:
            click.echo(text, err=err)

    def remark(self, text: str) -> None:
        """Print a line worth reading on stderr, unless ``-q`` was given."""
        if not self.quiet:
            click.echo(f"bitswap: note: {escape(text)}", err=True)

    def note(self, text: str) -> None:
        """Print a detail on stderr if ``-v`` was given."""
        if self.verbose:
            click.echo(f"bitswap: {text}", err=True)


def say_json(value: object, *, err: bool = False) -> None:
    """Print one JSON object on one line; only ASCII, so it survives any encoding."""
    click.echo(json.dumps(value, allow_nan=False), err=err)


def escape(name: str) -> str:
    r"""Show a file name or a message on one line, without control characters.

    Examples
    --------
    >>> escape("two\nlines") == r"two\nlines"
    True
    >>> import os
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
        type=click.IntRange(min=0),
        default=0,
        show_default="0: as many as the process may use",
        help="Chunks worked on at a time.",
    )
    batch = click.option(
        "--batch",
        type=click.IntRange(min=1),
        default=BATCH,
        show_default=True,
        help="Tiles the networks see at a time.",
    )
    return threads(batch(command))


def attribute_options(command: Command) -> Command:
    """Add ``--no-xattrs`` and ``--owners``."""
    xattrs = click.option(
        "--no-xattrs",
        "xattrs",
        flag_value=False,
        default=True,
        is_flag=True,
        help="Leave out extended attributes and ACLs.",
    )
    owners = click.option(
        "--owners",
        is_flag=True,
        help="With owner, group, set-user-id bits and whatever else only root can restore.",
    )
    return xattrs(owners(command))


def model_file_option(command: Command) -> Command:
    """Add the ``--model`` of the verbs that read an archive."""
    return click.option(
        "--model",
        metavar="PATH",
        help="File of the model the archive names, if it is not one of `bitswap models list`.",
    )(command)


@cache
def note_engine() -> None:
    """Say once that coding will be slow, if numpy does it though nobody asked for that."""
    from bitswap_cli.api.engine import is_slow

    if is_slow():
        click.echo("bitswap: no compiled kernel, coding with numpy (much slower)", err=True)


def stderr_is_terminal() -> bool:
    """Whether somebody watches stderr."""
    return sys.stderr is not None and sys.stderr.isatty()
