"""z_2, what the tiles of a group have in common: told in front of the group, without bits back.

    encode    choose z_2 of x    push the group under p(.. | z_2)    push z_2 under p(z_2)
    decode    pop z_2 under p(z_2)    pop the group under p(.. | z_2)

The writer chooses, so that a better choice needs no other reader; since q(z_2 | x) is one point,
nothing can be popped under it. It costs some twenty bytes a group.
"""

from __future__ import annotations

from bitswap_cli.ans import Logistic
from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_cli.coding.group import Group, in_lockstep
from bitswap_cli.contract import Common, Integers, TileModel


def of(model: TileModel) -> Common | None:
    """Return what a model knows of z_2, if it has any."""
    return model.common if in_lockstep(model) else None


def choose(group: Group, x: Integers) -> None:
    """Let a group of the tiles x, (B, C, H, W), have its z_2, where there is one."""
    if common := _of(group):
        group.z2 = common.of(x, group.geometry.sizes)


def push(group: Group) -> None:
    """Push z_2, behind all else of the group."""
    if (common := _of(group)) and group.z2 is not None:
        codec = _prior(common)
        codec.push(group.message, group.z2)
        if group.bits is not None:
            group.bits[:, -1] += codec.bits(group.z2).sum() / group.size


def pop(group: Group) -> None:
    """Pop z_2, before all else of the group."""
    if common := _of(group):
        group.z2 = _prior(common).pop(group.message)


def _of(group: Group) -> Common | None:
    common = of(group.model)
    return common if common and common.has(group.geometry.sizes) else None


def _prior(common: Common) -> Logistic:
    return Logistic(common.prior, LATENT_MIN, LATENT_MAX)
