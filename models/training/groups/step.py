"""Bits of a step and their gradients, as fast as the machine can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bitswap_models.training.groups.network import Chance, Grouped
from bitswap_models.training.groups.pool import Pool

SOFT = 2.0**-17  # added to every probability
OFF, APART = 2e-3, 0.1  # that bits and gradients may differ by, of their size
ASIDE = 3  # steps on a stream of their own before one is recorded


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
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, pool: Pool, drawn: Chance) -> Tensor:
        """Return bits, as `Grouped.bits`; their gradients are then with the parameters."""
        if self.graph is None:
            self._forget()
            return self._forth_and_back(pool, drawn)
        for own, new in zip(self.drawn, drawn, strict=True):
            own.copy_(new)
        self.graph.replay()
        return self.recorded

    def compile(self, pool: Pool, drawn: Chance, progress: Callable[[str], None]) -> None:
        """Compute faster from here on, in whichever ways give the same for what is drawn."""
        self._try("compiled", self._compile, pool, drawn, progress)
        if pool.pixels.is_cuda:
            self._try("recorded", self._record, pool, drawn, progress)

    def _try(
        self,
        name: str,
        change: Callable[[Pool, Chance], None],
        pool: Pool,
        drawn: Chance,
        progress: Callable[[str], None],
    ) -> None:
        """Keep a change if the same comes out."""
        before: tuple[Any, ...] = self.run, self.graph
        bits = float(self(pool, drawn)[:3].sum())
        slopes = self._slopes()
        try:
            change(pool, drawn)
            found = float(self(pool, drawn)[:3].sum())
            off, apart = abs(found / bits - 1), _apart(self._slopes(), slopes)
            if not (off < OFF and apart < APART):
                raise RuntimeError(f"bits are off by {off:.5f}, gradients by {apart:.5f}")
            progress(f"steps are {name}: gradients are apart by {apart:.5f}")
        except Exception as error:  # of compilers, whatever they raise: there is another way
            self.run, self.graph = before
            progress(f"steps are not {name}: {type(error).__name__}: {str(error)[:200]}")

    def _compile(self, pool: Pool, drawn: Chance) -> None:
        self.run = torch.compile(self.grouped.bits, dynamic=False)

    def _record(self, pool: Pool, drawn: Chance) -> None:
        """Record the kernels of a step once; they are repeated with other draws."""
        self.drawn = Chance(*(t.clone() for t in drawn))
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(ASIDE):
                self._forget()
                self._forth_and_back(pool, self.drawn)
        torch.cuda.current_stream().wait_stream(aside)
        torch.cuda.synchronize()
        self._forget()  # so that gradients are written, not added to
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self.recorded = self._forth_and_back(pool, self.drawn)
        self.graph = graph

    def _forth_and_back(self, pool: Pool, drawn: Chance) -> Tensor:
        bits = self.run(pool, drawn, SOFT)
        (bits[:3].sum() / self.samples).backward()  # type: ignore[no-untyped-call]
        return bits.detach()

    def _forget(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def _slopes(self) -> list[Tensor]:
        grads = (p.grad for p in self.parameters)
        return [grad.clone() for grad in grads if grad is not None]


def _apart(some: list[Tensor], others: list[Tensor]) -> float:
    """How far gradients are apart, of their size."""
    apart = sum(float((a - b).square().sum()) for a, b in zip(some, others, strict=True))
    size = sum(float(b.square().sum()) for b in others)
    return float((apart / size) ** 0.5)
