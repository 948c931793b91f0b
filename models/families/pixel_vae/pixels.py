"""The compiled lockstep of the pixel VAE; lockstep.py is its definition, in numpy.

Both give the same integers. One call computes all that an encoder pushes, another pops a whole
group: the kernel calls the coder's kernel for every batch, so that no step returns to Python.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.kernel import Native
from bitswap_cli.ans.parameters import MAX_COMPONENTS, MixtureParameters
from bitswap_cli.contract import Coded, Integers
from bitswap_models.exact import kernel
from bitswap_models.exact.kernel import PANEL
from bitswap_models.exact.layers import Layer
from bitswap_models.exact.mixtures import POWERS
from bitswap_models.exact.packed import (
    MESSAGE,
    POINTER,
    WORD,
    Dense,
    Function,
    Lockstep,
    Packed,
    whole_panels,
)
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.lockstep import Mixtures
from bitswap_models.families.pixel_vae.order import ordered
from bitswap_models.families.pixel_vae.pixel_net import Film, PixelNet
from bitswap_models.families.pixel_vae.window import taps

MAX_CHANNELS = 8

Pixels = NDArray[np.uint8]


class _Network(ctypes.Structure):
    """`network` of pixels.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("channels", "radius", "layers", "split")),
        *((name, ctypes.c_int64) for name in ("components", "cell", "film")),
        *((name, ctypes.c_void_p) for name in ("powers", "skip", "splits", "trunk", "mixes")),
        *((name, ctypes.c_void_p) for name in ("heads", "coded", "coded_scale", "coded_bias")),
        *((name, ctypes.c_int64) for name in ("coded_shift", "gray")),
    ]


class Network(Packed):
    """A likelihood's integers as the kernel reads them.

    Parameters
    ----------
    net : PixelNet
    unit : int
        Bytes of an activation and of the weights that multiply it: 1 or 2.
    film : int16 array (cells, 2, layers, width), optional
        Under which units are put in order.
    gray : bool
        Pack what it is for tiles that code one channel, which the others repeat: its first layers
        see that one, by the sums of their weights.

    Attributes
    ----------
    channels : int
        Of tiles, as it takes them.
    units : array (layers, width)
        Which units the trunk's are.
    """

    def __init__(self, net: PixelNet, unit: int, film: Film | None, *, gray: bool = False) -> None:
        super().__init__(unit)
        config = net.config
        if config.channels > MAX_CHANNELS or config.components > MAX_COMPONENTS:
            raise ValueError("more channels or components than the kernel has room for")
        channels, width = 1 if gray else config.channels, -(-config.width // PANEL) * PANEL
        self.channels = channels
        own = ordered(net, film, gray=gray)
        self.units = own.units
        first, *others = own.trunk
        self.structure = _Network(
            channels, config.radius, config.layers, config.split, config.components,
            config.tile, width, self._keep(POWERS),
            self._array(self._first(net.skip, config, channels * config.components)),
            self._array(self._layer(own.splits, channels * config.split, channels)),
            self._array(self._first(first, config, width), *map(self._layer, others)),
            self._array(*map(self._layer, own.mixes[:channels])),
            self._array(*map(self._layer, own.heads[:channels])),
            *self._coded(own.coded, config.split), gray,
        )  # fmt: skip
        self.address = ctypes.addressof(self.structure)

    def _layer(self, layer: Layer, outputs: int | None = None, parts: int = 1) -> Dense:
        """Pack the first `outputs` of a layer, which are in `parts`."""
        weight = whole_panels(layer.weight[:outputs, :, 0, 0], parts)
        scale, bias = (whole_panels(a[:outputs], parts) for a in (layer.scale, layer.bias))
        return self._dense(self._panels(weight), scale, bias, layer.shape.shift)

    def _first(self, layer: Layer, config: Config, outputs: int) -> Dense:
        """Pack the first `outputs` of a layer that sees windows, as differences to references."""
        weight = whole_panels(layer.weight[:outputs, :, 0, 0].astype(np.int16))
        scale, bias = (whole_panels(a[:outputs]) for a in (layer.scale, layer.bias))
        seen = config.channels * len(taps(config.radius))
        window = weight[:, :seen].reshape(len(weight), -1, config.channels)
        window = window.reshape(*window.shape[:2], self.channels, -1).sum(3, dtype=np.int16)
        # w * (x - r) = w * x - w * r, and all taps of a channel have the same r
        words = -window.sum(1, dtype=np.int16)
        if self.channels < config.channels:  # sums of weights may be no bytes
            words = np.concatenate((window[:, :, 0], words), 1)
            weight = weight[:, seen:]
        panels = self._panels(weight), kernel.panels(words).view(np.int8)
        count = panels[1].shape[1]
        return self._dense(np.concatenate(panels, 1), scale, bias, layer.shape.shift, count)

    def _panels(self, weight: NDArray[np.integer]) -> NDArray[np.int8]:
        """Return weights (O, I) that multiply activations as the kernel reads them."""
        return kernel.panels(weight.astype(self.dtype)).view(np.int8)

    def _coded(self, layer: Layer | None, split: int) -> tuple[int, int, int, int]:
        """Weights [channel][earlier channel][padded split], scales, biases; the shift."""
        channels = self.channels
        weight = np.zeros((channels * split, channels), np.int32)
        scale: NDArray[np.int32] = np.zeros(channels * split, np.int32)
        bias: NDArray[np.int32] = np.zeros(channels * split, np.int32)
        if layer is not None:
            outputs = channels * split
            weight = layer.weight[:outputs, :channels, 0, 0].astype(np.int32)
            scale, bias = layer.scale[:outputs], layer.bias[:outputs]
        each = whole_panels(weight, channels).reshape(channels, -1, channels).transpose(0, 2, 1)
        arrays = (each, whole_panels(scale, channels), whole_panels(bias, channels))
        weights, scales, biases = (self._keep(a) for a in arrays)
        return weights, scales, biases, 16 if layer is None else layer.shape.shift


class PixelKernel(Lockstep[PixelNet, Network, [Film | None]]):
    """The lockstep in C; see `Lockstep` for its parameters."""

    def __init__(self, path: Path, variant: str | None = None) -> None:
        super().__init__(path, variant, Network)
        self._gray: WeakKeyDictionary[PixelNet, Network] = WeakKeyDictionary()
        group = POINTER, POINTER, POINTER, WORD, WORD
        self._mixtures = self._bind("bitswap_pixels_mixtures", *group, *[POINTER] * 6)
        self._intervals = self._bind("bitswap_pixels_intervals", *group, *[POINTER] * 6)
        self._tiles = self._bind("bitswap_pixels_pop", *group, *MESSAGE)

    def mixtures(self, net: PixelNet, film: Film | None, x: Pixels, sizes: Integers) -> Mixtures:
        """Everything that an encoder of a group of tiles pushes; see `lockstep.mixtures`.

        Parameters
        ----------
        net : PixelNet
        film : int16 array (B, cells, 2, layers, width), optional
        x : uint8 array (B, T, T, C)
        sizes : int32 array (B, 3)
            Valid rows and columns, and coded channels (all, or 1: the others repeat it).

        Raises
        ------
        ValueError
            If an array has the wrong shape.
        """
        terms = np.empty((3, _count(sizes), net.config.components), np.int32)
        into = (t.ctypes.data for t in terms)
        told = self._encode(self._mixtures, net, film, x, sizes, *into)
        return Mixtures(told[0], MixtureParameters(*terms), *told[1:])

    def intervals(
        self, net: PixelNet, film: Film | None, x: Pixels, sizes: Integers, by: int
    ) -> Coded:
        """The same by intervals, of which the coder's function at the address `by` gives them."""
        start, freq = np.empty((2, _count(sizes)), np.uint32)
        into = by, start.ctypes.data, freq.ctypes.data
        told = self._encode(self._intervals, net, film, x, sizes, *into)
        return Coded(start, freq, *told[1:])

    def _encode(
        self,
        function: Function,
        net: PixelNet,
        film: Film | None,
        x: Pixels,
        sizes: Integers,
        *into: int,
    ) -> tuple[Integers, Integers, Integers]:
        """Let a function tell of a group: symbols, owners and batches, see `Mixtures`."""
        sizes = np.ascontiguousarray(sizes, np.int32)
        _check(net.config, film, sizes, x.shape[1])
        if x.shape != (len(sizes), x.shape[1], x.shape[1], net.config.channels):
            raise ValueError(f"tiles of shape {x.shape} for {len(sizes)} sizes")
        network = self._network_of(net, film, sizes)
        film = _laid(film, network)
        x = np.ascontiguousarray(x[..., : network.channels], np.uint8)
        symbols, owner, batches = np.empty((3, _count(sizes)), np.int32)
        found = self._run(
            function, network, x.ctypes.data, sizes.ctypes.data, _data(film), len(sizes),
            x.shape[1], *(a.ctypes.data for a in (symbols, owner, batches)), *into,
        )  # fmt: skip
        if found < 0:
            raise ValueError("the coder refuses mixtures")
        return symbols, owner, batches[:found].copy()

    def pop(
        self, net: PixelNet, film: Film | None, sizes: Integers, tile: int, native: Native
    ) -> Pixels:
        """Pop a group of tiles; see `lockstep.walk`.

        Returns the tiles (B, T, T, C), 0 where they are not valid, and sets the message's top: to a
        negative error of the coder where there was one, when neither they nor its head count.

        Raises
        ------
        ValueError
            If an array has the wrong shape.
        """
        sizes = np.ascontiguousarray(sizes, np.int32)
        _check(net.config, film, sizes, tile)
        network = self._network_of(net, film, sizes)
        film = _laid(film, network)
        tiles = np.zeros((len(sizes), tile, tile, network.channels), np.uint8)
        self._pop(
            self._tiles, network, native,
            tiles.ctypes.data, sizes.ctypes.data, _data(film), len(sizes), tile,
        )  # fmt: skip
        return tiles.repeat(net.config.channels // network.channels, 3)

    def _network_of(self, net: PixelNet, film: Film | None, sizes: Integers) -> Network:
        """Return what a group of tiles takes: the network for gray ones, if all of them are. Its
        units are in the order that suits the first film that came."""
        some = None if film is None or not len(film) else film[0]
        if sizes[:, 2].max(initial=1) > 1 or not self._has_gray(net.config):
            return self._network(net, some)
        network = self._gray.get(net)
        if network is None:
            network = self._gray[net] = Network(net, self._unit, some, gray=True)
        return network

    def _has_gray(self, config: Config) -> bool:
        """Whether there is a network for gray tiles: its weights have 16 bits, for which there are
        no products of matrices."""
        most = 128 * config.channels * len(taps(config.radius))
        return config.channels > 1 and most < 1 << 15 and self.variant != "amx"


def _count(sizes: Integers) -> int:
    """Symbols of a group."""
    return int(sizes.prod(1, dtype=np.int64).sum())


def _data(film: Film | None) -> int | None:
    return None if film is None else film.ctypes.data


def _check(config: Config, film: Film | None, sizes: Integers, tile: int) -> None:
    """Raise ValueError unless a group is sound."""
    if tile <= 0 or tile % config.tile or sizes.shape != (len(sizes), 3):
        raise ValueError(f"tiles of {tile} pixels, sizes of shape {sizes.shape}")
    most = sizes[:, 2].max(initial=1)
    coded = ((sizes[:, 2] == 1) | (sizes[:, 2] == most)).all() and most <= config.channels
    if not coded or sizes[:, :2].min(initial=0) < 0 or sizes[:, :2].max(initial=0) > tile:
        raise ValueError("sizes that no tile has")
    cells = (tile // config.tile) ** 2
    if film is not None and film.shape != (len(sizes), cells, 2, config.layers, config.width):
        raise ValueError(f"a film of shape {film.shape} for {len(sizes)} tiles")


def _laid(film: Film | None, network: Network) -> Film | None:
    """The film of a network's units in their order, padded to panels."""
    if film is None:
        return None
    layers, width = network.units.shape
    room = np.zeros((*film.shape[:-1], width + -width % PANEL), np.int16)
    room[..., :width] = film[..., np.arange(layers)[:, None], network.units]
    return room


@cache
def engine() -> PixelKernel | None:
    """The engine in use, chosen at the first call of the process; None is lockstep.py."""
    found = kernel.chosen()
    return None if found is None else PixelKernel(found.path, found.variant)
