"""The register of families: one line each. A family's module says all else in its `FAMILY`.

Nothing else asks which family a model has: it asks what the family can do.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from bitswap_models.families.family import Family

MODULES = {
    "markov_vae": "bitswap_models.families.markov_vae",
    "pixel_vae": "bitswap_models.families.pixel_vae.family",
    "resnet_vae": "bitswap_models.families.resnet_vae",
    "flowpp": "bitswap_models.families.flowpp",
    "jpeg_vae": "bitswap_models.families.jpeg_vae.family",
    "drawn": "bitswap_models.families.drawn.family",
}


def find(name: str) -> Family | None:
    """Return the family of this name, if there is one."""
    if name not in MODULES:
        return None
    found: Family = import_module(MODULES[name]).FAMILY
    return found


def family_of(model: Any) -> Family:
    """Return the family of a model: one that codes, or a network in training."""
    found = find(model.family)
    if found is None:
        raise KeyError(model.family)
    return found


def names(can: Callable[[Family], object]) -> list[str]:
    """Names of the families that can do something."""
    return [name for name in MODULES if (found := find(name)) and can(found)]
