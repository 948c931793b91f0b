"""The compiled lockstep of the pixel VAE; lockstep.py is its definition, in numpy.

Both give the same integers. One call computes all that an encoder pushes, another pops a whole
group: the kernel calls the coder's kernel for every batch, so that no step returns to Python.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.kernel import Native
from bitswap_cli.ans.parameters import MAX_COMPONENTS, MixtureParameters
from bitswap_cli.contract import Coded, Integers
from bitswap_models.exact import kernel
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
from bitswap_models.families.pixel_vae.lockstep import Mixtures
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
        ("coded_shift", ctypes.c_int64),
    ]


class Network(Packed):
    """A likelihood's integers as the kernel reads them.

    Parameters
    ----------
    net : PixelNet
    unit : int
        Bytes of an activation and of the weights that multiply it: 1 or 2.
    """

    def __init__(self, net: PixelNet, unit: int) -> None:
        super().__init__(unit)
        config = net.config
        if config.channels > MAX_CHANNELS or config.components > MAX_COMPONENTS:
            raise ValueError("more channels or components than the kernel has room for")
        self.channels, self.cell = config.channels, config.tile
        self.components = config.components
        self.film = (2, config.layers, config.width)
        self._taps = len(taps(config.radius))
        trunk = [self._layer(layer, first=i == 0) for i, layer in enumerate(net.trunk)]
        self.structure = _Network(
            config.channels, config.radius, config.layers, config.split, config.components,
            config.tile, -(-config.width // kernel.PANEL) * kernel.PANEL,
            self._keep(POWERS),
            self._array(self._layer(net.skip, first=True)),
            self._array(self._layer(net.splits, parts=config.channels)),
            self._array(*trunk),
            self._array(*map(self._layer, net.mixes)),
            self._array(*map(self._layer, net.heads)),
            *self._coded(net.coded, config.split),
        )  # fmt: skip
        self.address = ctypes.addressof(self.structure)

    def _layer(self, layer: Layer, *, first: bool = False, parts: int = 1) -> Dense:
        """Pack a layer whose outputs are in `parts`; a first one sees differences to references."""
        taps_ = whole_panels(layer.weight[:, :, 0, 0].astype(np.int16), parts)
        panels = kernel.panels(taps_.astype(self.dtype)).view(np.int8)
        words = 0
        if first:  # w * (x - r) = w * x - w * r, and all taps of a channel have the same r
            window = taps_[:, : self._taps * self.channels]
            total = window.reshape(len(taps_), self._taps, self.channels).sum(1, dtype=np.int16)
            references = kernel.panels(-total).view(np.int8)
            words = references.shape[1]
            panels = np.concatenate((panels, references), 1)
        scale, bias = (whole_panels(values, parts) for values in (layer.scale, layer.bias))
        return self._dense(panels, scale, bias, layer.shape.shift, words)

    def _coded(self, layer: Layer | None, split: int) -> tuple[int, int, int, int]:
        """Weights [channel][earlier channel][padded split], scales, biases; the shift."""
        channels = self.channels
        weight = np.zeros((channels * split, channels), np.int32)
        scale: NDArray[np.int32] = np.zeros(channels * split, np.int32)
        bias: NDArray[np.int32] = np.zeros(channels * split, np.int32)
        if layer is not None:
            weight = layer.weight[:, :, 0, 0].astype(np.int32)
            scale, bias = layer.scale, layer.bias
        each = whole_panels(weight, channels).reshape(channels, -1, channels).transpose(0, 2, 1)
        arrays = (each, whole_panels(scale, channels), whole_panels(bias, channels))
        weights, scales, biases = (self._keep(a) for a in arrays)
        return weights, scales, biases, 16 if layer is None else layer.shape.shift


class PixelKernel(Lockstep[PixelNet, Network]):
    """The lockstep in C; see `Lockstep` for its parameters."""

    def __init__(self, path: Path, variant: str | None = None) -> None:
        super().__init__(path, variant, Network)
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
        network = self._network(net)
        terms = np.empty((3, _count(sizes), network.components), np.int32)
        told = self._encode(
            self._mixtures, network, film, x, sizes, *(t.ctypes.data for t in terms)
        )
        return Mixtures(told[0], MixtureParameters(*terms), *told[1:])

    def intervals(
        self, net: PixelNet, film: Film | None, x: Pixels, sizes: Integers, by: int
    ) -> Coded:
        """The same by intervals, of which the coder's function at the address `by` gives them."""
        start, freq = np.empty((2, _count(sizes)), np.uint32)
        into = by, start.ctypes.data, freq.ctypes.data
        told = self._encode(self._intervals, self._network(net), film, x, sizes, *into)
        return Coded(start, freq, *told[1:])

    def _encode(
        self,
        function: Function,
        network: Network,
        film: Film | None,
        x: Pixels,
        sizes: Integers,
        *into: int,
    ) -> tuple[Integers, Integers, Integers]:
        """Let a function tell of a group: symbols, owners and batches, see `Mixtures`."""
        x, sizes = np.ascontiguousarray(x, np.uint8), np.ascontiguousarray(sizes, np.int32)
        film = _checked(network, film, sizes, x.shape[1])
        if x.shape != (len(sizes), x.shape[1], x.shape[1], network.channels):
            raise ValueError(f"tiles of shape {x.shape} for {len(sizes)} sizes")
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
        network = self._network(net)
        sizes = np.ascontiguousarray(sizes, np.int32)
        film = _checked(network, film, sizes, tile)
        tiles = np.zeros((len(sizes), tile, tile, network.channels), np.uint8)
        self._pop(
            self._tiles, network, native,
            tiles.ctypes.data, sizes.ctypes.data, _data(film), len(sizes), tile,
        )  # fmt: skip
        return tiles


def _count(sizes: Integers) -> int:
    """Symbols of a group."""
    return int(sizes.prod(1, dtype=np.int64).sum())


def _data(film: Film | None) -> int | None:
    return None if film is None else film.ctypes.data


def _checked(network: Network, film: Film | None, sizes: Integers, tile: int) -> Film | None:
    """The film with its layers padded to panels; ValueError unless the group is sound."""
    if tile <= 0 or tile % network.cell or sizes.shape != (len(sizes), 3):
        raise ValueError(f"tiles of {tile} pixels, sizes of shape {sizes.shape}")
    most = sizes[:, 2].max(initial=1)
    coded = ((sizes[:, 2] == 1) | (sizes[:, 2] == most)).all() and most <= network.channels
    if not coded or sizes[:, :2].min(initial=0) < 0 or sizes[:, :2].max(initial=0) > tile:
        raise ValueError("sizes that no tile has")
    if film is None:
        return None
    if film.shape != (len(sizes), (tile // network.cell) ** 2, *network.film):
        raise ValueError(f"a film of shape {film.shape} for {len(sizes)} tiles")
    padding = -film.shape[-1] % kernel.PANEL
    if padding:
        film = np.pad(film, [(0, 0)] * 4 + [(0, padding)])
    return np.ascontiguousarray(film, np.int16)


@cache
def engine() -> PixelKernel | None:
    """The engine in use, chosen at the first call of the process; None is lockstep.py."""
    found = kernel.chosen()
    return None if found is None else PixelKernel(found.path, found.variant)
