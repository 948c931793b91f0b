"""``-`` in place of an archive: a file holds meanwhile what goes to stdout or comes from stdin.

An archive is read from its end, and verified before anybody gets it; neither can be done in a pipe.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bitswap_cli.errors import BitswapError, InputError

DASH = "-"
_BLOCK = 1 << 20


@contextmanager
def readable(archive: str) -> Iterator[str]:
    """Yield the path of an archive; for ``-``, of a file of all that stdin holds.

    Raises
    ------
    click.UsageError
        If stdin is a terminal.
    InputError
        If there is no room for the file.
    """
    if archive != DASH:
        yield archive
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("there is no archive on stdin, which is a terminal")
    with _spool("stdin") as path:
        try:
            with open(path, "xb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file, _BLOCK)
        except OSError as error:
            raise InputError(f"cannot keep stdin in {path}: {error.strerror or error}") from error
        yield path


@contextmanager
def writable(archive: str) -> Iterator[str]:
    """Yield the path of a new archive; for ``-``, of a file that goes to stdout after the block.

    Raises
    ------
    click.UsageError
        If stdout is a terminal.
    InputError
        If not all of it can be written to stdout.
    """
    if archive != DASH:
        yield archive
        return
    if sys.stdout is None or sys.stdout.isatty():
        raise click.UsageError("no archive is written to a terminal: redirect stdout")
    with _spool("stdout") as path:
        yield path
        try:
            sys.stdout.flush()
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    _write(sys.stdout.fileno(), memoryview(block))
        except OSError as error:
            raise InputError(f"cannot write to stdout: {error.strerror or error}") from error


@contextmanager
def _spool(name: str) -> Iterator[str]:
    """Yield a path in a folder of its own, as no archive holds (see `atomic.TEMPORARY`); in what
    is raised, it is called by its name."""
    folder = os.path.join(tempfile.gettempdir(), f".bitswap-{secrets.token_hex(8)}.tmp")
    try:
        os.mkdir(folder, 0o700)
        path = os.path.join(folder, name)
        yield path
    except BitswapError as error:
        error.args = (str(error).replace(path, name),)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(descriptor: int, data: memoryview) -> None:
    """Write all of something, and keep nothing of it that the interpreter would write at exit."""
    while data:
        data = data[os.write(descriptor, data) :]
