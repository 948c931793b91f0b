"""The model that a recipe starts from: its table ``[base]``.

``name`` is that of a model, or the path of its file; ``sha256`` that of its file, if it is not the
current one; ``fresh``, for training, names parts that start anew; further keys are what it grows to
first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from bitswap_cli.errors import ModelError
from bitswap_models import zoo
from bitswap_models.exact.model import ExactModel
from bitswap_models.families.register import family_of
from bitswap_models.stored import model_file
from bitswap_models.training.layers import layers
from bitswap_models.training.network import Network


def base_of(table: dict[str, Any], recipe: Path) -> ExactModel:
    """Load the base of a recipe and let it grow.

    Raises
    ------
    ModelError
        If there is no such model, it cannot grow so, or the table has a wrong key.
    """
    larger = dict(table)
    name, sha256 = larger.pop("name", None), larger.pop("sha256", None)
    if not isinstance(name, str):
        raise ModelError(f"[base] of {recipe} lacks a name")
    model = model_file.load(zoo.find(name, sha256) if sha256 else zoo.resolve(name))
    grow = family_of(model).grow
    if not larger:
        return model
    if grow is None:
        raise ModelError(f"[base] of {recipe} cannot grow: name nothing but a model")
    try:
        return grow(model, **larger)
    except TypeError as error:
        raise ModelError(f"[base] of {recipe} has a wrong key: {error}") from None


def take(model: Network, table: dict[str, Any], recipe: Path) -> list[nn.Module]:
    """Let a network start from the base of a recipe, but for its fresh parts; see `take_from`."""
    table = dict(table)
    fresh = tuple(f"{part}." for part in table.pop("fresh", ()))
    return take_from(model, base_of(table, recipe), recipe, fresh)


def take_from(
    model: Network, base: ExactModel, recipe: Path, fresh: tuple[str, ...] = ()
) -> list[nn.Module]:
    """Let a network start from another model.

    Parameters
    ----------
    model : Network
        It may have further inputs, which weigh 0.
    base : ExactModel
    recipe : Path
        For errors.
    fresh : tuple of str
        How names of layers begin that are not taken.

    Returns
    -------
    list
        The layers that were taken.

    Raises
    ------
    ModelError
        If a layer does not fit.
    """
    model.start_from(base)
    taken: list[nn.Module] = []
    for name, layer in layers(model).items():
        if name.startswith(fresh):
            continue
        other, shape = base.layers.get(name), layer.shape
        if other is None or (shape.outputs, shape.size) != (other.shape.outputs, other.shape.size):
            raise ModelError(f"[base] of {recipe} has no layer {name} of this shape: name it fresh")
        if other.shape.inputs > shape.inputs:
            raise ModelError(f"[base] of {recipe} has more inputs of {name}: name it fresh")
        layer.thaw(other)
        taken.append(layer)
    return taken
