"""What a family of models can do, as its module tells the register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from bitswap_cli.errors import ModelError
from bitswap_models.exact.model import ExactModel
from bitswap_models.exact.tensors import Stored, Tensors, built


class Config(Protocol):
    """Shape of a model; a dataclass whose fields, integers and tuples of them, go into its file."""

    @property
    def tile(self) -> int:
        """Height and width of a tile."""

    @property
    def channels(self) -> int:
        """Channels of a tile."""

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""

    @property
    def margin(self) -> int:
        """Pixels above, left and right of a tile that training tells it."""

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""


def need_torch(purpose: str) -> None:
    """Raise ModelError, naming the purpose and what to install, where PyTorch is missing."""
    if find_spec("torch") is None:
        raise ModelError(f"{purpose} needs PyTorch: pip install 'bitswap[train]'")


def in_bounds(config: Config) -> bool:
    """Whether a config is one that a model file may have."""
    values, usual = vars(config).values(), vars(type(config)()).values()
    if any(type(v) is not type(own) for v, own in zip(values, usual, strict=True)):
        return False
    numbers = [n for v in values for n in (v if isinstance(v, tuple) else (v,))]
    return all(type(n) is int and 0 <= n <= 512 for n in numbers) and config.sound()


@dataclass(frozen=True)
class Family:
    """A family of models.

    Parameters
    ----------
    name : str
        In model files, recipes and the register.
    config : class of `Config`
    network : str
        ``module:class`` of what is trained, a `bitswap_models.training.network.Network`; it is
        imported when it is needed, as it needs torch.
    model : callable, optional
        Makes an `ExactModel` of a config and `Stored` tensors. None is a family that codes no
        archives.
    subject : str
        What its models code: "tiles" of pixels, "coefficients" of JPEG files, or whole "pictures".
    grow : callable, optional
        Told a model and larger fields of its config by name, returns a larger model that says the
        same, or nearly, of the same pictures; raises ModelError if there is none.
    larger : callable, optional
        Likewise, but told the number of channels of a picture, and how much larger radius and width
        are to become.
    fit : str, optional
        The module that fits a model to pictures, such as `bitswap_models.fitting.fit`; it is
        imported when it is needed, as it needs torch.
    refine : str, optional
        The module that lets a model spend time on the choice of latents, by its function `refine`;
        it needs no torch.
    train : str, optional
        The module that trains a model by a recipe, where that is not
        `bitswap_models.training.loop`; it is imported when it is needed, as it may need torch.
    """

    name: str
    config: Callable[..., Config]
    network: str
    model: Callable[[Any, Stored], ExactModel] | None = None
    subject: str = "tiles"
    grow: Callable[..., ExactModel] | None = None
    larger: Callable[[Any, int, int, int], ExactModel] | None = None
    fit: str | None = None
    refine: str | None = None
    train: str | None = None

    @property
    def codes(self) -> bool:
        """Whether its models code archives."""
        return self.model is not None

    def build(self, config: Config, tensors: Tensors) -> ExactModel:
        """Make a model of stored tensors; raise ModelError unless it is proved exact."""
        if self.model is None:
            raise TypeError(f"{self.name} models do not code")
        return built(self.model, config, tensors)

    def network_class(self) -> Any:
        """The class of what is trained; it is called with a config."""
        module, name = self.network.split(":")
        return getattr(import_module(module), name)

    def refining(self) -> Any:
        """The module that refines latents, if there is one."""
        return None if self.refine is None else import_module(self.refine)

    def training(self) -> Any:
        """The module that trains its models, where it is one of its own."""
        if self.train is None:
            raise TypeError(f"{self.name} models are trained as most are")
        return import_module(self.train)

    def fitting(self) -> Any:
        """The module that fits its models."""
        if self.fit is None:
            raise TypeError(f"{self.name} models cannot be fitted")
        return import_module(self.fit)
