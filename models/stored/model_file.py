"""Model files: safetensors with integer weights, binary ones packed to one bit; no pickle.

Tensors of a layer NAME: ``NAME.weight`` (int8, or uint8 of packed signs, most significant bit
first, 1 = +1), ``NAME.scale`` and ``NAME.bias`` (int32). ``top`` (int32) holds p(z_L), if L > 0,
and ``bounds`` (int32) those of z_1 in a pixel VAE that is bounded.
Metadata, JSON each: ``kind`` (see kinds.py), ``config``, ``profile`` (numeric profile),
``metrics``; ``recipe`` (TOML) and ``known_answer``, the SHA-256 of every integer that the model
gives for a fixed input. A machine that computes another answer refuses the model before it reads or
writes an archive.

Flows do not code archives, so nothing proves them exact and they have no known answer. Their layers
have ``NAME.weight`` likewise, but ``NAME.scale`` and ``NAME.bias`` are float32, and so is what is
small.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast, overload

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, LogisticParameters
from bitswap_cli.contract import Level, Step
from bitswap_cli.errors import ModelError
from bitswap_models.exact.chain import Integers
from bitswap_models.exact.layers import IntegerConv
from bitswap_models.families.flowpp.model import Config as FlowConfig
from bitswap_models.families.flowpp.model import FlowPP
from bitswap_models.families.markov_vae import MarkovVAE
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.register import (
    FLOWS,
    KINDS,
    TRAINED,
    Config,
    Model,
    Shape,
    Trained,
    make,
    name_of,
)
from bitswap_models.families.resnet_vae import ResNetVAE

PROFILE = 1
COPIES = 16  # of the known answer's tiles in a batch
_proved: set[bytes] = set()  # SHA-256 of the files whose answers this process has reproduced


def layers(model: nn.Module, prefix: str = "") -> dict[str, IntegerConv]:
    """Return the integer layers of a model, or of its part of a name, by name, in a fixed order."""
    found = model.named_modules(prefix=prefix)
    return {name: layer for name, layer in found if isinstance(layer, IntegerConv)}


def tensors(model: Model) -> dict[str, Tensor]:
    """The integer tensors of a model's file; a trained model is frozen."""
    with torch.no_grad():
        stored = {}
        if model.depth:
            stored["top"] = torch.stack(model.top_integers()).to(torch.int32)
        if isinstance(model, PixelVAE) and model.config.bounded:
            stored["bounds"] = model.bounds_integers().cpu()
        return stored | frozen(layers(model))


def frozen(layers: dict[str, IntegerConv]) -> dict[str, Tensor]:
    """The integer tensors of layers, by name."""
    stored: dict[str, Tensor] = {}
    for name, layer in layers.items():
        parts = layer.freeze()
        if layer.binary:
            signs = (parts["weight"] > 0).flatten().cpu().numpy()
            parts["weight"] = torch.from_numpy(np.packbits(signs))
        stored |= {f"{name}.{part}": t.cpu().contiguous() for part, t in parts.items()}
    return stored


def write(model: Trained, path: Path, *, recipe: str, metrics: dict[str, float]) -> None:
    """Write a trained model: temp file, fsync, rename.

    Raises
    ------
    ModelError
        If the model cannot be proved exact, or the file cannot be written.
    """
    if isinstance(model, FlowPP):
        stored, proof = model.freeze(), {}
    else:
        stored = tensors(model)
        proof = {"known_answer": known_answer(build(model.config, stored))}
    metadata = {
        "kind": name_of(model),
        "profile": str(PROFILE),
        "config": json.dumps(dataclasses.asdict(model.config)),
        "recipe": recipe,
        "metrics": json.dumps({k: round(v, 5) for k, v in metrics.items()}),
        **proof,
    }
    temporary = path.with_name(path.name + ".tmp")
    try:
        save_file(stored, temporary, metadata)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ModelError(f"cannot write the model {path}: {error.strerror}") from None
    except SafetensorError as error:
        raise ModelError(f"cannot write the model {path}: {error}") from None


def build(config: Config, stored: dict[str, Tensor]) -> Model:
    """Make an exact model of stored tensors; raise ModelError unless it is proved exact."""
    # NNPACK transforms its convolutions, which is not exact in float32 over integers.
    torch.backends.nnpack.set_flags(False)  # type: ignore[no-untyped-call]
    model = make(config)
    names = {"top"} if model.depth else set()
    try:
        top = stored["top"] if model.depth else None
        if top is not None and (top.dtype, *top.shape) != (torch.int32, 2, config.latents[-1]):
            raise ModelError("p(z_L) has the wrong shape: the model file is damaged")
        model.load_top(top)
        if isinstance(model, PixelVAE) and model.config.bounded:
            model.load_bounds(stored["bounds"])
            names.add("bounds")
        for name, layer in layers(model).items():
            parts = {part: stored[f"{name}.{part}"] for part in ("weight", "scale", "bias")}
            names |= {f"{name}.{part}" for part in parts}
            if layer.binary:
                parts["weight"] = _unpack(parts["weight"], layer.shape)
            layer.load(**parts)
    except KeyError as error:
        raise ModelError(f"the model file lacks the tensor {error}") from None
    if names != set(stored):
        raise ModelError("the model file holds tensors that its config does not name")
    return model.eval()


def _unpack(packed: Tensor, shape: tuple[int, ...]) -> Tensor:
    count = int(np.prod(shape))
    if packed.dtype != torch.uint8 or packed.numel() != (count + 7) // 8:
        raise ModelError("packed weights have the wrong size: the model file is damaged")
    signs = np.unpackbits(packed.numpy(), count=count).astype(np.int8)
    return torch.from_numpy(signs * 2 - 1).view(shape)


@overload
def load(path: Path) -> Model: ...
@overload
def load(path: Path, *, coding: Literal[False]) -> Trained: ...
def load(path: Path, *, coding: bool = True) -> Trained:
    """Read a model file, prove that it is exact and check its known answer on this machine.

    Parameters
    ----------
    path : Path
    coding : bool
        Refuse models that do not code archives; otherwise they are read too, without proof.

    Raises
    ------
    ModelError
        If it is no model file of this version, is damaged, or this machine computes differently.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"cannot read the model file {path}: {error}") from None
    name = metadata.get("kind", "")
    kind = TRAINED.get(name)
    if kind is None or metadata.get("profile") != str(PROFILE):
        raise ModelError(
            f"{path} is of kind {metadata.get('kind')!r}, numeric profile"
            f" {metadata.get('profile')!r}, which this version does not know: update bitswap"
        )
    if coding and name in FLOWS:
        raise ModelError(
            f"{name} models do not code archives: they are for evaluation and samples;"
            f" use one of kind {', '.join(KINDS)}"
        )
    config = _config(kind.config, metadata.get("config", ""), path)
    if isinstance(config, FlowConfig):
        flow = FlowPP(config)
        flow.load(stored)
        return flow.eval()
    model = build(config, stored)
    content = hashlib.sha256(path.read_bytes()).digest()
    if content not in _proved:
        if known_answer(model) != metadata.get("known_answer", ""):
            raise ModelError(
                f"{path} fails its known answer: this machine would compute other archives;"
                " run `bitswap doctor`"
            )
        _proved.add(content)
    return model


def _config(kind: type[Shape], text: str, path: Path) -> Shape:
    try:
        table: dict[str, Any] = json.loads(text)
        table = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        numbers = [n for v in table.values() for n in (v if isinstance(v, tuple) else (v,))]
        sound = all(isinstance(n, int) and 0 <= n <= 512 for n in numbers)
        config = kind(**table)
        sound = sound and config.sound()
    except (ValueError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise ModelError(f"{path} has no usable config: it is damaged")
    return config


def known_answer(model: Model) -> str:
    """SHA-256 of all integers that an exact model gives for two fixed tiles.

    They are computed in a batch with copies of themselves, as libraries choose other algorithms for
    larger batches; should two copies differ, the answer is none that a file can hold.
    """
    c = model.config
    shape = (2, c.channels, c.tile, c.tile)
    count = np.arange(int(np.prod(shape)), dtype=np.uint64)
    noise = (count * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58)  # 6 bits
    ramp = np.broadcast_to(np.arange(c.tile) * 5, shape).astype(np.int64)
    pair = ((ramp + noise.reshape(shape).astype(np.int64)) % 256).astype(np.int32)
    x: Integers = np.tile(pair, (COPIES, 1, 1, 1))
    digest = hashlib.sha256()

    def told(*arrays: NDArray[np.integer]) -> None:
        for array in arrays:
            first = array[: len(pair)]
            if not np.array_equal(np.tile(first, (COPIES, *[1] * (array.ndim - 1))), array):
                digest.update(b"copies differ")
            digest.update(np.ascontiguousarray(first, "<i4").tobytes())

    if isinstance(model, ResNetVAE):
        above: Integers | None = _walk(model, x, told)
    else:
        above = _chain(model, x, told)
        if model.depth:
            digest.update(np.stack(model.top_prior(1)).astype("<i4").tobytes())
        if isinstance(model, PixelVAE) and model.config.bounded:
            digest.update(model.bounds_integers().numpy().astype("<i4").tobytes())

    def code(step: Step) -> Integers:
        told(*step.parameters)
        top, left, stride = step.plane
        return x[:, step.channel, top::stride, left::stride]

    if isinstance(model, PixelVAE):
        sizes = np.tile(np.array([c.tile, c.tile, c.channels], np.int32), (len(x), 1))
        coded = model.mixtures(above, x, sizes)
        order = np.argsort(coded.owner, kind="stable")  # tile by tile
        told(*(p[order].reshape(len(x), -1) for p in coded.parameters))
    else:
        model.likelihood(cast(Integers, above), code)
    return digest.hexdigest()


def _middle(posterior: LogisticParameters) -> Integers:
    """Latents in the middle of their posterior."""
    middle: Integers = np.clip(posterior.mean >> 4, LATENT_MIN, LATENT_MAX).astype(np.int32)
    return middle


def _chain(model: MarkovVAE | PixelVAE, x: Integers, told: Callable[..., None]) -> Integers | None:
    """Tell all that a Markov chain says of its latents, but for p(z_L); returns z_1."""
    z = [x]
    for layer in range(1, model.depth + 1):
        posterior = model.posterior(layer, z[-1])
        told(*posterior)
        z.append(_middle(posterior))
    for layer in range(1, model.depth):
        told(*model.prior(layer, z[layer + 1]))
    return z[1] if model.depth else None


def _walk(model: ResNetVAE, x: Integers, told: Callable[..., None]) -> Integers:
    """Tell all that top-down inference says of its latents; returns what the likelihood sees."""
    seen = model.bottom_up(x)

    def code(level: Level) -> Integers:
        posterior = model.posterior(level, seen)
        told(*level.prior, *posterior)
        return _middle(posterior)

    stream = model.descend(len(x), x.shape[-1] // model.stride, code)
    told(stream)
    return stream
