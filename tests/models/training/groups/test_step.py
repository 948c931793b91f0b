"""Faster ways to compute a step are taken where they give the same, and left where they do not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bitswap_models.training.groups import step as stepping
from bitswap_models.training.groups.network import Chance
from bitswap_models.training.groups.pool import pool_of
from bitswap_models.training.groups.run import begun
from bitswap_models.training.groups.step import Step
from tests.models.training.groups.small import SIDE, lot, model

SHAPE = (4, 2, 16)


def failing(function: Callable[..., Any], **options: Any) -> Any:
    raise ZeroDivisionError("no compiler")


def other_bits(function: Callable[..., Any], **options: Any) -> Any:
    return lambda *given: function(*given) * 1.01


def other_gradients(function: Callable[..., Any], **options: Any) -> Any:
    def changed(*given: Any) -> torch.Tensor:
        bits = function(*given)
        return torch.add(bits, bits - bits.detach(), alpha=0.5)

    return changed


def same(function: Callable[..., Any], **options: Any) -> Any:
    return lambda *given: function(*given)


@pytest.mark.parametrize(
    "compiler, line, kept",
    [
        (same, "steps are compiled: gradients are apart by 0.0", True),
        (failing, "steps are not compiled: ZeroDivisionError: no compiler", False),
        (other_bits, "steps are not compiled: RuntimeError: bits are off by 0.01", False),
        (other_gradients, "gradients by 0.5", False),
    ],
)
def test_compiling_is_checked(
    monkeypatch: pytest.MonkeyPatch, compiler: Callable[..., Any], line: str, kept: bool
) -> None:
    grouped = begun(model(), Path("recipe.toml"), SIDE)
    pool = pool_of(lot(2, 2), torch.device("cpu"))
    drawn: Chance = grouped.chance(4, SHAPE, 0.5, torch.Generator().manual_seed(0))
    step = Step(grouped, 100)
    before, run = step(pool, drawn), step.run
    monkeypatch.setattr(torch, "compile", compiler)
    lines: list[str] = []
    step.compile(pool, drawn, lines.append)
    assert len(lines) == 1 and line in lines[0]
    assert (step.run != run) == kept
    assert torch.equal(step(pool, drawn), before)


@pytest.mark.parametrize("works", [True, False])
def test_what_is_recorded_sees_other_draws(monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    """A recording reads what is drawn from where it was drawn first."""
    grouped = begun(model(), Path("recipe.toml"), SIDE)
    pool = pool_of(lot(2, 2), torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    first, other = (grouped.chance(4, SHAPE, 0.5, generator) for _ in range(2))
    step = Step(grouped, 100)
    expected = step(pool, other)
    slopes = [p.grad.clone() for p in step.parameters if p.grad is not None]

    def recorder(work: Callable[[], None], *_: Any) -> Callable[[], None]:
        return (lambda: work()) if works else work

    monkeypatch.setattr(stepping, "recorded", recorder)
    lines: list[str] = []
    step.record(pool, first, lines.append)
    assert (step.recorded is not None) == works
    assert lines[0].startswith("steps are recorded" if works else "steps are not recorded")
    assert torch.equal(step(pool, other), expected)
    grads = [p.grad for p in step.parameters if p.grad is not None]
    assert all(torch.equal(a, b) for a, b in zip(grads, slopes, strict=True))
