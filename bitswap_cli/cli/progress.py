"""A progress bar on stderr, when somebody watches it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bitswap_cli.cli.common import Console, stderr_is_terminal

Progress = Callable[[int, int], None]


@contextmanager
def progress_bar(console: Console, label: str) -> Iterator[Progress]:
    """Yield a function (bytes done, bytes in total) that moves a bar, or ends the program if it
    has been told to.

    Nothing is shown under ``-q`` or when stderr is not a terminal.

    Parameters
    ----------
    console : Console
        What the user wants to read.
    label : str
        What is being done, in front of the bar.
    """
    if console.quiet or not stderr_is_terminal():
        yield lambda done, total: console.go_on()
        return
    from tqdm import tqdm

    with tqdm(desc=label, unit="B", unit_scale=True, leave=False) as bar:

        def move(done: int, total: int) -> None:
            console.go_on()
            bar.total = total
            bar.update(done - bar.n)

        yield move
