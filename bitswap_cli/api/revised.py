"""A fitted model <-> what an archive says of it: its known answer, and differences to its base."""

import torch

from bitswap_cli.archive.format.sections import Fitted
from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.register import Model
from bitswap_models.stored import difference, model_file
from bitswap_models.stored.growth import grow

ANSWER = 32  # bytes of a known answer


def encode(base: PixelVAE, revised: PixelVAE) -> bytes:
    """Return what an archive says of a model that was fitted from another."""
    before, after = (
        {name: tensor.numpy() for name, tensor in model_file.tensors(model).items()}
        for model in (base, revised)
    )
    return bytes.fromhex(model_file.known_answer(revised)) + difference.encode(before, after)


def decode(base: Model, fitted: Fitted) -> Model:
    """Return a fitted model of an archive, proved exact and checked by its known answer.

    Raises
    ------
    ArchiveError
        If it cannot have been fitted from this base.
    ModelError
        If it cannot be proved exact, or gives another answer on this machine.
    """
    channels, radius, width, body = fitted
    if isinstance(base, PixelVAE):
        c = base.config
        larger = max(c.channels, channels), c.radius + radius, c.width + width
        base = grow(base, channels=larger[0], radius=larger[1], width=larger[2])
    elif (channels, radius, width) != (base.channels, 0, 0):
        raise ArchiveError("the archive's model is none that was fitted from the one it names")
    answer, blob = body[:ANSWER], body[ANSWER:]
    arrays = {name: tensor.numpy() for name, tensor in model_file.tensors(base).items()}
    stored = difference.decode(arrays, blob)
    tensors = {name: torch.from_numpy(array) for name, array in stored.items()}
    model = model_file.build(base.config, tensors)
    if bytes.fromhex(model_file.known_answer(model)) != answer:
        raise ModelError(
            "the archive's model fails its known answer: it is damaged, or this machine would"
            " compute other pictures; run `bitswap doctor`"
        )
    return model
