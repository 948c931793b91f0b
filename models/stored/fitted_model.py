"""A model that an archive carries: its known answer, and its differences to the one it names.

Normative: docs/format.md.
"""

from __future__ import annotations

from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_models.exact import difference
from bitswap_models.exact.model import ExactModel
from bitswap_models.families.register import family_of
from bitswap_models.stored.known_answer import known_answer

ANSWER = 32  # bytes of a known answer


def encode(base: ExactModel, model: ExactModel) -> bytes:
    """Return what an archive says of a model that was fitted from another, already grown."""
    answer = bytes.fromhex(known_answer(model))
    return answer + difference.encode(base.tensors(), model.tensors())


def decode(base: ExactModel, channels: int, radius: int, width: int, body: bytes) -> ExactModel:
    """Return the model that an archive carries, proved exact and checked by its known answer.

    Parameters
    ----------
    base : ExactModel
        The one that the archive names.
    channels, radius, width : int
        Of the pictures it is for; and how much larger than the base's.
    body : bytes
        As `encode` returned it.

    Raises
    ------
    ArchiveError
        If these are no differences to that model.
    ModelError
        If the model cannot be proved exact, or this machine computes differently.
    """
    family = family_of(base)
    if family.larger is not None:
        base = family.larger(base, channels, radius, width)
    elif (channels, radius, width) != (base.channels, 0, 0):
        raise ArchiveError("the archive's model is none that was fitted from the one it names")
    stored = difference.decode(base.tensors(), body[ANSWER:])
    model = family.build(base.config, stored)
    if bytes.fromhex(known_answer(model)) != body[:ANSWER]:
        raise ModelError(
            "the archive's model fails its known answer: it is damaged, or this machine would"
            " compute other pictures; run `bitswap doctor`"
        )
    return model
