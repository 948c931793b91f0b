"""BB-ANS: bits-back coding with all latent layers popped before anything is pushed.

    encode    pop z_1 ~ q(z_1 | x), z_2 ~ q(z_2 | z_1), ..., z_L
              push x ~ p(x | z_1), z_1 ~ p(z_1 | z_2), ..., z_L ~ p(z_L)

The net rate is Bit-Swap's; the initial bits grow with every layer (see bitswap.py).

Townsend, Bird and Barber, "Practical Lossless Compression with Latent Variables using Bits Back
Coding", ICLR 2019.
"""

from bitswap_cli.coding.group import Group
from bitswap_cli.contract import Integers


def push(group: Group, x: Integers) -> None:
    """Encode the tiles x, (B, C, H, W), onto the group's message."""
    if not group.depth:
        group.push_pixels(None, x)
        return
    z = [x]
    for layer in range(1, group.depth + 1):
        z.append(group.pop_posterior(layer, z[-1]))
    group.push_pixels(z[1], x)
    for layer in range(1, group.depth):
        group.push_prior(layer, z[layer + 1], z[layer])
    group.push_top(z[-1])


def pop(group: Group) -> Integers:
    """Decode the tiles of the group, (B, C, H, W); the message is as it was before `push`."""
    if not group.depth:
        return group.pop_pixels(None)
    z = [group.pop_top()]
    for layer in reversed(range(1, group.depth)):
        z.insert(0, group.pop_prior(layer, z[0]))
    z.insert(0, group.pop_pixels(z[0]))
    for layer in reversed(range(1, group.depth + 1)):
        group.push_posterior(layer, z[layer - 1], z[layer])
    return z[0]
