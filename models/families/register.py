"""The kinds of models that files and recipes name: each a class and the class of its config."""

from __future__ import annotations

from typing import Any, NamedTuple, overload

from bitswap_models.families import markov_vae, resnet_vae
from bitswap_models.families.flowpp import model as flowpp
from bitswap_models.families.pixel_vae import model as pixel_vae

Config = markov_vae.Config | pixel_vae.Config | resnet_vae.Config
Model = markov_vae.MarkovVAE | pixel_vae.PixelVAE | resnet_vae.ResNetVAE

Shape = Config | flowpp.Config
Trained = Model | flowpp.FlowPP


class Kind(NamedTuple):
    """A kind of model that codes archives."""

    config: type[Config]
    model: type[Model]


class Flow(NamedTuple):
    """A kind of model that does not: it is evaluated, and sampled from."""

    config: type[flowpp.Config]
    model: type[flowpp.FlowPP]


KINDS = {
    "markov_vae": Kind(markov_vae.Config, markov_vae.MarkovVAE),
    "pixel_vae": Kind(pixel_vae.Config, pixel_vae.PixelVAE),
    "resnet_vae": Kind(resnet_vae.Config, resnet_vae.ResNetVAE),
}
FLOWS = {"flowpp": Flow(flowpp.Config, flowpp.FlowPP)}
TRAINED: dict[str, Kind | Flow] = {**KINDS, **FLOWS}


@overload
def make(config: Config) -> Model: ...
@overload
def make(config: Shape) -> Trained: ...
def make(config: Shape) -> Trained:
    """Return an untrained model of the kind that its config is for."""
    model: type[Any] = next(k.model for k in TRAINED.values() if type(config) is k.config)
    made: Trained = model(config)
    return made


def name_of(model: Trained) -> str:
    """Return the name of a model's kind."""
    return next(name for name, kind in TRAINED.items() if isinstance(model, kind.model))
