"""A few of the campaign's disturbances: enough to see that it finds what it looks for, and all of
the calls of a command that are of different kinds."""

from collections.abc import Iterator

import pytest

from tests.faults.campaign import Campaign, Fault, Trials, disturbances, prepared
from tests.native.compiler import needs_compiler

CALLS = {"compress --force": 3, "decompress --force": 2}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    found = Trials(tmp_path_factory.mktemp("faults"))
    yield found
    found.close()


@needs_compiler
@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_lost_or_half(trials: Trials, name: str) -> None:
    files, scenarios = prepared(trials)
    campaign = Campaign(trials, name, scenarios[name], files)
    ends = [campaign.attempt(*one) for one in disturbances(campaign.calls, CALLS[name])]
    assert {"kill before -> -9", "fail on -> 3", "terminate -> 143"} <= set(ends)


@needs_compiler
def test_a_loss_would_be_seen(trials: Trials) -> None:
    files, scenarios = prepared(trials)
    campaign = Campaign(trials, "compress --force", scenarios["compress --force"], files)
    campaign.after = {**campaign.after, "a.bsw": b"something else"}
    with pytest.raises(Fault, match="half"):
        campaign.attempt("kill after", campaign.calls)
