"""The model that a recipe starts from: its table ``[base]``.

``name`` is that of a model, or the path of its file; ``sha256`` that of its file, if it is not the
current one; ``fresh``, for training, names parts that start anew; further keys are what it grows to
first (growth.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from bitswap_cli.errors import ModelError
from bitswap_models import zoo
from bitswap_models.exact.layers import IntegerConv
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.register import Trained
from bitswap_models.stored import model_file
from bitswap_models.stored.growth import grow


def base_of(table: dict[str, Any], recipe: Path) -> PixelVAE:
    """Load the base of a recipe, an exact model, and let it grow.

    Raises
    ------
    ModelError
        If there is no such model, it is of another kind, or the table has a wrong key.
    """
    larger = dict(table)
    name, sha256 = larger.pop("name", None), larger.pop("sha256", None)
    if not isinstance(name, str):
        raise ModelError(f"[base] of {recipe} lacks a name")
    model = model_file.load((zoo.find(name, sha256) if sha256 else zoo.resolve(name)).path)
    if not isinstance(model, PixelVAE):
        raise ModelError(f"[base] of {recipe} is a pixel_vae, which {name} is not")
    try:
        return grow(model, **larger)
    except TypeError as error:
        raise ModelError(f"[base] of {recipe} has a wrong key: {error}") from None


@torch.no_grad()
def take(model: Trained, table: dict[str, Any], recipe: Path) -> list[nn.Module]:
    """Let a model start from the base of a recipe, but for its fresh parts.

    Parameters
    ----------
    model : PixelVAE
        One in training; it may have further inputs, which weigh 0.
    table, recipe
        See `base_of`.

    Returns
    -------
    list
        The layers that were taken.

    Raises
    ------
    ModelError
        As `base_of`, or if a layer does not fit.
    """
    table = dict(table)
    fresh = tuple(f"{part}." for part in table.pop("fresh", ()))
    base = base_of(table, recipe)
    if not isinstance(model, PixelVAE):
        raise ModelError(f"[model] of {recipe} is not of the kind of its [base]")
    if base.depth and base.config.latents[-1:] == model.config.latents[-1:]:
        model.set_top(*(t.to(model.top.device) for t in base.top_integers()))
    stored = model_file.layers(base)
    taken: list[nn.Module] = []
    for name, layer in model.named_modules():
        if not isinstance(layer, IntegerConv) or name.startswith(fresh):
            continue
        other = stored.get(name)
        outputs, inputs, *size = layer.shape
        if other is None or [outputs, *size] != [other.shape[0], *other.shape[2:]]:
            raise ModelError(f"[base] of {recipe} has no layer {name} of this shape: name it fresh")
        if other.shape[1] > inputs:
            raise ModelError(f"[base] of {recipe} has more inputs of {name}: name it fresh")
        layer.thaw(*(t.to(layer.v.device) for t in (other.weight, other.scale, other.bias)))
        taken.append(layer)
    return taken
