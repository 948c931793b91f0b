"""A progress bar on stderr, when somebody watches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bitswap_cli.api.arguments import Progress
from bitswap_cli.cli.common import Console, stderr_is_terminal


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """Yield a function (what is done, bytes done, bytes in all) that moves a bar, or ends the
    program if it has been told to.

    Nothing is shown under ``-q`` or when stderr is not a terminal.

    Parameters
    ----------
    console : Console
        What the user wants to read.
    """
    if console.quiet or not stderr_is_terminal():
        yield lambda stage, done, total: console.go_on()
        return
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def move(stage: str, done: int, total: int) -> None:
        console.go_on()
        if stage not in bars:
            close()
            bars[stage] = tqdm(desc=stage, unit="B", unit_scale=True, leave=False)
        bars[stage].total = total
        bars[stage].update(done - bars[stage].n)

    def close() -> None:
        for bar in bars.values():
            bar.close()

    try:
        yield move
    finally:
        close()
