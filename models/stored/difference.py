"""A fitted model as differences to the integers of the model it was fitted from (docs/format.md).

Tensors go in the order of their names. The differences of a tensor are counted in the largest power
of two that divides them all; their lowest bits, if there are too many for the alphabet, are coded
as they are, the rest under a mixture of two discretized logistics around 0: a narrow one for the
integers that stayed, and a wide one, whose share and scale the tensor names.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged, LogisticMixture, Message, MixtureParameters, Uniform
from bitswap_cli.ans.parameters import SCALE_LEVELS, SMALL_ALPHABET
from bitswap_cli.errors import ArchiveError

LOW, HIGH = -SMALL_ALPHABET // 2, SMALL_ALPHABET // 2 - 1
UNCHANGED = 255  # instead of a scale: nothing follows
NARROW = 0  # scale of the narrow logistic
MAX_BITS = 32  # of differences, below the unit and coded as they are
LANES = 8
_PLAIN = 16  # bits that are coded as they are at a time
_SHARES = (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 255)  # that a writer tries

Tensors = Mapping[str, NDArray[np.integer]]
Integers = NDArray[np.int64]


def encode(base: Tensors, fitted: Tensors) -> bytes:
    """Return the differences of `fitted` to `base`, tensors of the same names, shapes and types.

    Raises
    ------
    ValueError
        If the tensors are not alike.
    """
    kinds = [{n: (t.shape, t.dtype) for n, t in both.items()} for both in (base, fitted)]
    if kinds[0] != kinds[1]:
        raise ValueError("differences are of tensors of the same names, shapes and types")
    table = bytearray()
    parts = []
    for name in sorted(base):
        difference = fitted[name].astype(np.int64).ravel() - base[name].astype(np.int64).ravel()
        if not difference.any():
            table.append(UNCHANGED)
            continue
        together = int(np.bitwise_or.reduce(difference))
        unit = (together & -together).bit_length() - 1
        difference >>= unit
        plain = 0
        while (difference.min() >> plain) < LOW or (difference.max() >> plain) > HIGH:
            plain += 1
        rest = difference >> plain
        counts = np.bincount(rest - LOW, minlength=SMALL_ALPHABET)
        scale, share = _CANDIDATES[int((_costs() @ counts).argmin())]
        table += bytes((scale, share, unit, plain))
        parts.append((_prior(scale, share, len(rest)), plain, rest, difference))
    message = Message(LANES)
    for prior, plain, rest, difference in reversed(parts):
        for at in reversed(range(0, plain, _PLAIN)):
            bits = min(_PLAIN, plain - at)
            Uniform(bits, rest.shape).push(message, (difference >> at) & ((1 << bits) - 1))
        prior.push(message, rest)
    return bytes(table) + message.to_words().astype("<u4").tobytes()


def decode(base: Tensors, blob: bytes) -> dict[str, NDArray[np.integer]]:
    """Invert `encode`: return the fitted tensors.

    Raises
    ------
    ArchiveError
        If these are no differences to tensors of this kind.
    """
    damaged = ArchiveError("the archive's model is damaged: it does not fit the one it is based on")
    rows: dict[str, bytes] = {}
    at = 0
    for name in sorted(base):
        length = 1 if blob[at : at + 1] == bytes((UNCHANGED,)) else 4
        rows[name] = blob[at : at + length]
        at += length
        if len(rows[name]) != length:
            raise damaged
    if (len(blob) - at) % 4:
        raise damaged
    try:
        return _decoded(
            base, rows, Message.from_words(np.frombuffer(blob, "<u4", offset=at), LANES)
        )
    except Damaged:
        raise damaged from None


def _decoded(
    base: Tensors, rows: Mapping[str, bytes], message: Message
) -> dict[str, NDArray[np.integer]]:
    """Decode tensors by their rows; raise `Damaged` if they are not all that the message holds."""
    damaged = Damaged()
    fitted: dict[str, NDArray[np.integer]] = {}
    for name, row in rows.items():
        tensor = base[name]
        if len(row) == 1:
            fitted[name] = tensor
            continue
        scale, share, unit, plain = row
        if scale >= SCALE_LEVELS or unit + plain > MAX_BITS:
            raise damaged
        difference = _prior(scale, share, tensor.size).pop(message).astype(np.int64) << plain
        for shift in range(0, plain, _PLAIN):
            bits = min(_PLAIN, plain - shift)
            difference |= Uniform(bits, (tensor.size,)).pop(message).astype(np.int64) << shift
        whole = tensor.astype(np.int64) + (difference.reshape(tensor.shape) << unit)
        limits = np.iinfo(tensor.dtype)
        if whole.min(initial=0) < limits.min or whole.max(initial=0) > limits.max:
            raise damaged
        fitted[name] = whole.astype(tensor.dtype)
    if message != Message(LANES):
        raise damaged
    return fitted


def _prior(scale: int, share: int, count: int) -> LogisticMixture:
    """Of `count` differences; the wide logistic has `share` of 256."""
    return _mixture(np.full(count, scale), np.full(count, share))


def _mixture(scale: NDArray[np.integer], share: NDArray[np.integer]) -> LogisticMixture:
    narrow = np.full_like(scale, NARROW)
    weights = np.stack((256 - share, share), -1)
    means = np.zeros_like(weights)
    parameters = MixtureParameters(weights, means, np.stack((narrow, scale), -1))
    return LogisticMixture(parameters, LOW, HIGH)


_CANDIDATES = tuple((scale, share) for scale in range(0, SCALE_LEVELS, 4) for share in _SHARES)


@cache
def _costs() -> NDArray[np.float64]:
    """Bits of every symbol under the candidates, (candidates, SMALL_ALPHABET)."""
    scale, share = np.repeat(np.array(_CANDIDATES), SMALL_ALPHABET, 0).T
    symbols = np.tile(np.arange(LOW, HIGH + 1), len(_CANDIDATES))
    return _mixture(scale, share).bits(symbols).reshape(-1, SMALL_ALPHABET)
