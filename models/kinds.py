"""The kinds of models that files and recipes name: each a class and the class of its config."""

from __future__ import annotations

from typing import NamedTuple

from . import markov_vae, pixel_vae, resnet_vae

Config = markov_vae.Config | pixel_vae.Config | resnet_vae.Config
Model = markov_vae.MarkovVAE | pixel_vae.PixelVAE | resnet_vae.ResNetVAE


class Kind(NamedTuple):
    """A kind of model."""

    config: type[Config]
    model: type[Model]


KINDS = {
    "markov_vae": Kind(markov_vae.Config, markov_vae.MarkovVAE),
    "pixel_vae": Kind(pixel_vae.Config, pixel_vae.PixelVAE),
    "resnet_vae": Kind(resnet_vae.Config, resnet_vae.ResNetVAE),
}


def make(config: Config) -> Model:
    """Return an untrained model of the kind that its config is for."""
    if isinstance(config, resnet_vae.Config):
        return resnet_vae.ResNetVAE(config)
    if isinstance(config, pixel_vae.Config):
        return pixel_vae.PixelVAE(config)
    return markov_vae.MarkovVAE(config)


def name_of(model: Model) -> str:
    """Return the name of a model's kind."""
    return next(name for name, kind in KINDS.items() if isinstance(model, kind.model))
