"""Model files: safetensors with integer weights, binary ones packed to one bit; no pickle.

Tensors of a layer NAME: ``NAME.weight`` (int8, or uint8 of packed signs, most significant bit
first, 1 = +1), ``NAME.scale`` and ``NAME.bias`` (int32). ``top`` (int32) holds p(z_L), if L > 0,
and ``bounds`` (int32) those of z_1 in a pixel VAE that is bounded. ``common.prior`` (int32) holds
p(z_2) of a pixel VAE that tells it, and ``common.centre`` (int32) what its statistics are less.
Metadata, JSON each: ``kind`` (name of the family, see families/register.py), ``config``,
``profile`` (numeric profile), ``metrics``; ``recipe`` (TOML) and ``known_answer``, the SHA-256 of
every integer that the model gives for a fixed input (known_answer.py). A machine that computes
another answer refuses the model before it reads or writes an archive.

Flows do not code archives, so nothing proves them exact and they have no known answer. Their layers
have ``NAME.weight`` likewise, but ``NAME.scale`` and ``NAME.bias`` are float32, and so is what is
small.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from bitswap_cli.atomic import write_whole
from bitswap_cli.errors import ModelError
from bitswap_models import zoo
from bitswap_models.exact.model import ExactModel
from bitswap_models.exact.tensors import Tensors
from bitswap_models.families import register
from bitswap_models.families.family import Config, Family, in_bounds, need_torch
from bitswap_models.stored import reproduced
from bitswap_models.stored.known_answer import known_answer
from bitswap_models.zoo import ModelFile, bounded

PROFILE = 1


class Writable(Protocol):
    """A model of any family, one that codes or what is trained."""

    family: str
    config: Any

    def tensors(self) -> Tensors:
        """What its file holds."""


def build(model: Writable) -> ExactModel:
    """Make the model that codes as another one, a trained one, simulates.

    Raises
    ------
    ModelError
        If it cannot be proved exact.
    """
    return register.family_of(model).build(model.config, model.tensors())


def write(model: Writable, path: Path, *, recipe: str, metrics: dict[str, float]) -> None:
    """Write a model, whole or not at all.

    Raises
    ------
    ModelError
        If the model cannot be proved exact.
    InputError
        If the file cannot be written.
    """
    proof = {}
    if register.family_of(model).codes:
        proof = {"known_answer": known_answer(build(model))}
    metadata = {
        "kind": model.family,
        "profile": str(PROFILE),
        "config": json.dumps(dataclasses.asdict(model.config)),
        "recipe": recipe,
        "metrics": json.dumps({k: round(v, 5) for k, v in metrics.items()}),
        **proof,
    }
    tensors = {name: np.ascontiguousarray(t) for name, t in model.tensors().items()}
    write_whole(path, safetensors.save(tensors, metadata))


def load(file: ModelFile | Path, *, afresh: bool = False) -> ExactModel:
    """Read a model file, prove that it is exact and check its known answer on this machine.

    Parameters
    ----------
    file : ModelFile or Path
    afresh : bool
        Compute the known answer even if this machine has reproduced it before (reproduced.py).

    Raises
    ------
    ModelError
        If it is no model file of this version, is damaged, codes no archives, or this machine
        computes differently.
    """
    file = _read(file)
    family, config, metadata = _described(file)
    if not family.codes:
        others = ", ".join(register.names(lambda family: family.codes))
        raise ModelError(
            f"{family.name} models do not code archives: they are for evaluation and samples;"
            f" use one of kind {others}"
        )
    model = family.build(config, _tensors(file))
    if afresh or not reproduced.known(file.sha256):
        if known_answer(model) != metadata.get("known_answer", ""):
            raise ModelError(
                f"{file.path} fails its known answer: this machine would compute other archives;"
                " run `bitswap doctor`"
            )
        reproduced.remember(file.sha256)
    return model


def load_network(file: ModelFile | Path) -> Any:
    """Read a model that codes no archives, as what was trained; nothing proves it.

    Raises
    ------
    ModelError
        If it is no model file of this version or is damaged, or PyTorch is not installed.
    """
    file = _read(file)
    family, config, _ = _described(file)
    need_torch(f"{file.name}, of kind {family.name},")
    network = family.network_class()(config)
    network.load(_tensors(file))
    return network.eval()


def family_in(file: ModelFile | Path) -> Family:
    """Return the family of the model in a file; raise ModelError if it is of none."""
    return _described(_read(file))[0]


def _read(file: ModelFile | Path) -> ModelFile:
    return zoo.read(file, file.stem) if isinstance(file, Path) else file


def _tensors(file: ModelFile) -> Tensors:
    try:
        return safetensors.load(file.content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"cannot read the model file {file.path}: {error}") from None


def _described(file: ModelFile) -> tuple[Family, Config, dict[str, str]]:
    """What a file says of itself: its family, the config and all."""
    metadata = _metadata(file)
    name, profile = metadata.get("kind"), metadata.get("profile")
    family = register.find(name or "")
    if family is None or profile != str(PROFILE):
        raise ModelError(
            f"{file.path} is of kind {name!r}, numeric profile {profile!r}, which this version"
            " does not know: update bitswap"
        )
    return family, _config(family, metadata.get("config", ""), file.path), metadata


def _metadata(file: ModelFile) -> dict[str, str]:
    """The strings in a file's header."""
    try:
        end = 8 + int.from_bytes(file.content[:8], "little")
        found: dict[str, str] = bounded.parse(file.content[8:end])["__metadata__"]
        return {key: str(value) for key, value in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(f"cannot read the model file {file.path}: it is none") from None


def _config(family: Family, text: str, path: Path) -> Config:
    try:
        table: dict[str, Any] = bounded.parse(text)
        table = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        config = family.config(**table)
        sound = in_bounds(config)
    except (ValueError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise ModelError(f"{path} has no usable config: it is damaged")
    return config
