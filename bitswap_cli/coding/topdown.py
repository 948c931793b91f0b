"""Bits back for top-down inference: all latents are popped on one walk down, then all is pushed.

    encode    pop z_L ~ q(z_L | x), ..., z_1 ~ q(z_1 | z_2 .. z_L, x)
              push x ~ p(x | z), z_1 ~ p(z_1 | z_2 .. z_L), ..., z_L ~ p(z_L)

A posterior needs the latents above it, so no layer can be paid before the next is popped: initial
bits grow with every layer. Groups small against what is below them keep that rare.

Townsend, Bird, Kunze and Barber, "HiLLoC: Lossless Image Compression with Hierarchical Latent
Variable Models", ICLR 2020.
"""

from bitswap_cli.coding.group import Group
from bitswap_cli.contract import Integers, Level


def push(group: Group, x: Integers) -> None:
    """Encode the tiles x, (B, C, H, W), onto the group's message."""
    seen = group.bottom_up(x)
    walked: list[tuple[Level, Integers]] = []

    def code(level: Level) -> Integers:
        z = group.pop_latents(level.layer, group.posterior(level, seen))
        walked.append((level, z))
        return z

    group.push_pixels(group.descend(code), x)
    for level, z in reversed(walked):
        group.push_latents(level.layer, level.prior, z)


def pop(group: Group) -> Integers:
    """Decode the tiles of the group, (B, C, H, W); the message is as it was before `push`."""
    walked: list[tuple[Level, Integers]] = []

    def code(level: Level) -> Integers:
        z = group.pop_latents(level.layer, level.prior)
        walked.append((level, z))
        return z

    x = group.pop_pixels(group.descend(code))
    seen = group.bottom_up(x)
    for level, z in reversed(walked):
        group.push_latents(level.layer, group.posterior(level, seen), z)
    return x
