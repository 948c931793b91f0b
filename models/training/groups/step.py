"""Bits of a step and their gradients, as fast as the machine can."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bitswap_models.training.groups.network import Chance, Grouped
from bitswap_models.training.groups.pool import Pool
from bitswap_models.training.machine.graph import recorded

SOFT = 2.0**-17  # added to every probability
OFF, APART = 2e-3, 0.1  # that bits and gradients may differ by, of their size


class Step:
    """What a step computes: as it is, compiled, or compiled and recorded as a CUDA graph.

    Parameters
    ----------
    grouped : Grouped
    samples : int
        That the loss is the bits of.
    """

    def __init__(self, grouped: Grouped, samples: int) -> None:
        self.grouped, self.samples = grouped, samples
        self.parameters = list(grouped.parameters())
        self.run: Callable[[Pool, Chance, float], Tensor] = grouped.bits
        self.recorded: Callable[[], None] | None = None

    def __call__(self, pool: Pool, drawn: Chance) -> Tensor:
        """Return bits, as `Grouped.bits`; their gradients are then with the parameters."""
        if self.recorded is None:
            return self._forth_and_back(pool, drawn)
        for own, new in zip(self.drawn, drawn, strict=True):
            own.copy_(new)
        self.recorded()
        return self.bits

    def compile(self, pool: Pool, drawn: Chance, progress: Callable[[str], None]) -> None:
        """Compute faster from here on, if the same comes out for what is drawn."""

        def change() -> None:
            self.run = torch.compile(self.grouped.bits, dynamic=False)

        self._try("compiled", change, pool, drawn, progress)

    def record(self, pool: Pool, drawn: Chance, progress: Callable[[str], None]) -> None:
        """Let a GPU repeat what it does, likewise; tiles are then always read from this pool."""

        def change() -> None:
            self.drawn = Chance(*(t.clone() for t in drawn))
            self.recorded = recorded(work, pool.pixels.device, progress)
            if self.recorded is work:
                raise RuntimeError("they are told one by one")

        def work() -> None:
            self.bits = self._forth_and_back(pool, self.drawn)

        self._try("recorded", change, pool, drawn, progress)

    def _try(
        self,
        name: str,
        change: Callable[[], None],
        pool: Pool,
        drawn: Chance,
        progress: Callable[[str], None],
    ) -> None:
        """Keep a change if the same comes out."""
        before = self.run, self.recorded
        bits = float(self(pool, drawn)[:3].sum())
        slopes = self._slopes()
        try:
            change()
            found = float(self(pool, drawn)[:3].sum())
            off, apart = abs(found / bits - 1), _apart(self._slopes(), slopes)
            if not (off < OFF and apart < APART):
                raise RuntimeError(f"bits are off by {off:.5f}, gradients by {apart:.5f}")
            progress(f"steps are {name}: gradients are apart by {apart:.5f}")
        except Exception as error:  # of compilers, whatever they raise: there is another way
            self.run, self.recorded = before
            progress(f"steps are not {name}: {type(error).__name__}: {str(error)[:200]}")

    def _forth_and_back(self, pool: Pool, drawn: Chance) -> Tensor:
        for parameter in self.parameters:
            parameter.grad = None  # gradients are written, not added to
        bits = self.run(pool, drawn, SOFT)
        ((bits[:3].sum() + bits[4]) / self.samples).backward()  # type: ignore[no-untyped-call]
        return bits.detach()

    def _slopes(self) -> list[Tensor]:
        grads = (p.grad for p in self.parameters)
        return [grad.clone() for grad in grads if grad is not None]


def _apart(some: list[Tensor], others: list[Tensor]) -> float:
    """How far gradients are apart, of their size."""
    apart = sum(float((a - b).square().sum()) for a, b in zip(some, others, strict=True))
    size = sum(float(b.square().sum()) for b in others)
    return float((apart / size) ** 0.5)
