"""The command ``bitswap``: its verbs, and the exit code of every error (docs/scripting.md).

Modules of this package import nothing heavy at their top: ``bitswap --help`` answers at once.
"""

import atexit
import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from bitswap_cli import __version__
from bitswap_cli.cli.common import EXIT_TERMINATED, Console, escape, verbosity
from bitswap_cli.cli.process import collect_seldom, share_arenas, spare_threads
from bitswap_cli.cli.register import Verbs
from bitswap_cli.errors import BitswapError, InputError
from bitswap_cli.threads import ENDING

EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bitswap")
@verbosity
def cli(console: Console) -> None:
    """Compress folders of images without loss, with a neural network, and restore them.

    Images (PNG, TIFF, BMP, PNM, PAM, TGA, QOI, GIF, ICO, npy, npz) go through a model by their
    pixels, JPEG files by their coefficients; every other file is packed as bytes. All come back
    byte for byte.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, or one line on stderr and the code of the error.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.
    """
    share_arenas()
    collect_seldom()
    spare_threads(sys.argv[1:] if arguments is None else arguments)
    # A polite kill leaves no temporary file behind either.
    console = Console()
    signal.signal(signal.SIGTERM, console.terminate)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored
        signal.signal(signal.SIGINT, console.interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names need not fit the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(arguments, console)
    except SystemExit:  # a polite kill
        if not console.ending:
            raise
        code = EXIT_TERMINATED
    if console.ending:  # the end of a process, but that nobody waits for what threads are at
        for number in (signal.SIGINT, signal.SIGTERM):  # who is impatient ends nothing sooner
            signal.signal(number, signal.SIG_IGN)
        atexit._run_exitfuncs()  # temporary files that nobody had yet go
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run the command line and return its exit code."""
    console = console or Console()
    ENDING.clear()
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        with cli.make_context("bitswap", words, obj=console) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:  # --help, --version
        return done.exit_code
    except BrokenPipeError:  # the reader of stdout had enough: not an error
        _silence_stdout()
    except Exception as error:
        message, code = _describe(error)
        if code == EXIT_BUG and console.verbose:
            traceback.print_exc()
        if message:
            print(f"bitswap: error: {escape(message)}", file=sys.stderr)
        return code
    except KeyboardInterrupt:
        print("bitswap: error: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


def _describe(error: Exception) -> tuple[str, int]:
    """One line for an error, and its exit code."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return "", EXIT_USAGE
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "bitswap"
            return f"{error.format_message().rstrip('.')} (see `{path} --help`)", EXIT_USAGE
        case BitswapError():
            return str(error), error.exit_code
        case OSError():
            name = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
            return f"{name}{error.strerror or error}", InputError.exit_code
        case MemoryError():
            return "out of memory: try --threads 1 or a smaller --batch", InputError.exit_code
        case _:
            kind = type(error).__name__
            return f"this is a bug: {kind}: {error} (-v shows where)", EXIT_BUG


def _silence_stdout() -> None:
    """Give stdout somewhere to go, or the interpreter complains when it flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
