"""Bit-Swap: bits-back coding of a Markov hierarchical VAE, one latent layer at a time.

    encode    pop z_1 ~ q(z_1 | x)         push x   ~ p(x | z_1)
              pop z_2 ~ q(z_2 | z_1)       push z_1 ~ p(z_1 | z_2)
              ...                          push z_L ~ p(z_L)

Each pop is paid by the push before it, so only q(z_1 | x) ever needs initial bits, however deep
the model is. Decoding runs backwards, pushes for pops.

Kingma, Abbeel and Ho, "Bit-Swap: Recursive Bits-Back Coding for Lossless Compression with
Hierarchical Latent Variables", ICML 2019, algorithm 1.
"""

from bitswap_cli.coding.group import Group
from bitswap_cli.contract import Integers


def push(group: Group, x: Integers) -> None:
    """Encode the tiles x, (B, C, H, W), onto the group's message."""
    if not group.depth:
        group.push_pixels(None, x)
        return
    z = group.pop_posterior(1, x)
    group.push_pixels(z, x)
    for layer in range(1, group.depth):
        above = group.pop_posterior(layer + 1, z)
        group.push_prior(layer, above, z)
        z = above
    group.push_top(z)


def pop(group: Group) -> Integers:
    """Decode the tiles of the group, (B, C, H, W); the message is as it was before `push`."""
    if not group.depth:
        return group.pop_pixels(None)
    z = group.pop_top()
    for layer in reversed(range(1, group.depth)):
        below = group.pop_prior(layer, z)
        group.push_posterior(layer + 1, below, z)
        z = below
    x = group.pop_pixels(z)
    group.push_posterior(1, x, z)
    return x
