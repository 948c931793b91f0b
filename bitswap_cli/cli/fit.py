"""What ``bitswap compress --fit`` takes, and how far fitting is, for whoever watches."""

import re
import signal
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from bitswap_cli.cli.common import Console, stderr_is_terminal
from bitswap_cli.cli.table import human_size

if TYPE_CHECKING:
    from bitswap_cli import FitProgress

DEFAULT = "5m"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A length of time such as 90s, 10m or 1.5h, in seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse it."""
        match = _DURATION.fullmatch(value)
        if not match:
            self.fail(f"{value!r} is no duration such as 90s, 10m or 1h", param, ctx)
        return float(match.group(1)) * _SECONDS[match.group(2)]


class FitCommand(click.Command):
    """A command whose ``--fit`` takes the next word only if that is a duration."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give ``--fit`` its default where no duration follows."""
        given = list(args)
        options = args.index("--") if "--" in args else len(args)
        for at in range(options):
            if args[at] == "--fit":
                following = args[at + 1] if at + 1 < options else ""
                if not _DURATION.fullmatch(following):
                    given[at] = f"--fit={DEFAULT}"
        return super().parse_args(ctx, given)


class Watcher:
    """Shows how far fitting is, and ends it at Ctrl-C (a context manager).

    Ctrl-C means that only between `begin` and `end`, and only once: a second one ends the program
    as ever. Where it means nothing to the program, as behind nohup, it does not end fitting either.

    Parameters
    ----------
    console : Console
        What the user wants to read.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = stderr_is_terminal() and not console.quiet
        self._before = signal.getsignal(signal.SIGINT)
        self._stopped = False

    def begin(self) -> None:
        """Fitting begins."""
        if callable(self._before):
            signal.signal(signal.SIGINT, self._stop)

    def end(self) -> None:
        """Fitting is over."""
        self._give_back()
        if self._live:
            click.echo("\r\033[K", err=True, nl=False)

    def stopped(self) -> bool:
        """Whether it was interrupted."""
        return self._stopped

    @property
    def shown(self) -> "Callable[[FitProgress], None] | None":
        """What shows how far it is, if anybody looks."""
        return self._show if self._live or self._console.verbose else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        if callable(self._before):
            signal.signal(signal.SIGINT, self._before)

    def _stop(self, *_: object) -> None:
        self._stopped = True
        self._give_back()
        if not self._console.quiet:
            click.echo("bitswap: fitting ends here; interrupt again to give up", err=True)

    def _show(self, progress: "FitProgress") -> None:
        left = "" if progress.left is None else f", {progress.left:.0f} s left"
        saved = human_size(max(0, round(progress.saved)))
        text = f"{progress.stage}: {progress.rate:.3f} bpd, {saved} less than unfitted{left}"
        text += " (Ctrl-C: compress now)" if callable(self._before) else ""
        if self._live:
            click.echo(f"\r\033[K{text}", err=True, nl=False)
        else:
            self._console.note(text)
