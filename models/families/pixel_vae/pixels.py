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
from bitswap_models.exact.layers import Layer
from bitswap_models.exact.mixtures import POWERS
from bitswap_models.families.pixel_vae.pixel_net import Film, PixelNet
from bitswap_models.families.pixel_vae.window import taps

MAX_CHANNELS = 8
_NO_MEMORY = -1000
_ALIGNMENT = 64  # bytes: a panel's groups are one cache line each

Pixels = NDArray[np.uint8]


class _Dense(ctypes.Structure):
    """`dense` of pixels.h."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("weight", "scale", "bias")] + [
        (name, ctypes.c_int64) for name in ("groups", "words", "panels", "shift")
    ]


class _Network(ctypes.Structure):
    """`network` of pixels.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("channels", "radius", "layers", "split")),
        *((name, ctypes.c_int64) for name in ("components", "cell", "film")),
        *((name, ctypes.c_void_p) for name in ("powers", "skip", "splits", "trunk", "mixes")),
        *((name, ctypes.c_void_p) for name in ("heads", "coded", "coded_scale", "coded_bias")),
        ("coded_shift", ctypes.c_int64),
    ]


def _aligned(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The bytes of an array, copied to where they start a cache line."""
    room = np.zeros(array.nbytes + _ALIGNMENT, np.uint8)
    first = -room.ctypes.data % _ALIGNMENT
    room[first : first + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return room[first : first + array.nbytes]


def _padded(array: NDArray[np.integer], parts: int = 1) -> NDArray[np.integer]:
    """Pad each of `parts` equal parts of the first axis to whole panels of outputs."""
    split = array.reshape(parts, -1, *array.shape[1:])
    return kernel.padded(split, 0, -split.shape[1] % kernel.PANEL).reshape(-1, *array.shape[1:])


class Network:
    """A likelihood's integers as the kernel reads them.

    Parameters
    ----------
    net : PixelNet
    unit : int
        Bytes of an activation and of the weights that multiply it: 1 or 2.
    """

    def __init__(self, net: PixelNet, unit: int) -> None:
        config = net.config
        if config.channels > MAX_CHANNELS or config.components > MAX_COMPONENTS:
            raise ValueError("more channels or components than the kernel has room for")
        self.channels, self.cell = config.channels, config.tile
        self.components = config.components
        self.film = (2, config.layers, config.width)
        self._kind = np.int8 if unit == 1 else np.int16
        self._taps = len(taps(config.radius))
        self._held: list[NDArray[np.generic]] = []
        self._layers: list[ctypes.Array[_Dense]] = []
        trunk = [self._dense(layer, first=i == 0) for i, layer in enumerate(net.trunk)]
        self.structure = _Network(
            config.channels, config.radius, config.layers, config.split, config.components,
            config.tile, -(-config.width // kernel.PANEL) * kernel.PANEL,
            self._address(POWERS),
            self._array([self._dense(net.skip, first=True)]),
            self._array([self._dense(net.splits, parts=config.channels)]),
            self._array(trunk),
            self._array([self._dense(layer) for layer in net.mixes]),
            self._array([self._dense(layer) for layer in net.heads]),
            *self._coded(net.coded, config.split),
        )  # fmt: skip
        self.address = ctypes.addressof(self.structure)

    def _address(self, array: NDArray[np.generic]) -> int:
        self._held.append(_aligned(array))
        return self._held[-1].ctypes.data

    def _array(self, layers: list[_Dense]) -> int:
        self._layers.append((_Dense * len(layers))(*layers))
        return ctypes.addressof(self._layers[-1])

    def _dense(self, layer: Layer, *, first: bool = False, parts: int = 1) -> _Dense:
        """Pack a layer whose outputs are in `parts`; a first one sees differences to references."""
        taps_ = _padded(layer.weight[:, :, 0, 0].astype(np.int16), parts)
        panels = kernel.panels(taps_.astype(self._kind)).view(np.int8)
        groups, words = panels.shape[1], 0
        if first:  # w * (x - r) = w * x - w * r, and all taps of a channel have the same r
            window = taps_[:, : self._taps * self.channels]
            total = window.reshape(len(taps_), self._taps, self.channels).sum(1, dtype=np.int16)
            references = kernel.panels(-total).view(np.int8)
            words = references.shape[1]
            panels = np.concatenate((panels, references), 1)
        return _Dense(
            self._address(panels), self._address(_padded(layer.scale, parts)),
            self._address(_padded(layer.bias, parts)), groups, words, len(panels),
            layer.shape.shift,
        )  # fmt: skip

    def _coded(self, layer: Layer | None, split: int) -> tuple[int, int, int, int]:
        """Weights [channel][earlier channel][padded split], scales, biases; the shift."""
        channels = self.channels
        weight = np.zeros((channels * split, channels), np.int32)
        scale: NDArray[np.int32] = np.zeros(channels * split, np.int32)
        bias: NDArray[np.int32] = np.zeros(channels * split, np.int32)
        if layer is not None:
            weight = layer.weight[:, :, 0, 0].astype(np.int32)
            scale, bias = layer.scale, layer.bias
        each = _padded(weight, channels).reshape(channels, -1, channels).transpose(0, 2, 1)
        arrays = (each, _padded(scale, channels), _padded(bias, channels))
        weights, scales, biases = (self._address(a) for a in arrays)
        return weights, scales, biases, 16 if layer is None else layer.shape.shift


class PixelKernel:
    """The compiled lockstep, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library, that of `kernel.Kernel`.
    variant : str, optional
        Instructions to use, one of `kernel.VARIANTS`; the fastest that the machine has by default.

    Raises
    ------
    OSError
        If it cannot be loaded, was built from another version, or lacks the variant.
    """

    def __init__(self, path: Path, variant: str | None = None) -> None:
        self.variant = kernel.Kernel(path, variant).variant
        library = ctypes.CDLL(str(path))
        self._mixtures, self._pop = library.bitswap_pixels_mixtures, library.bitswap_pixels_pop
        word, pointer = ctypes.c_int64, ctypes.c_void_p
        self._mixtures.argtypes = [word, *[pointer] * 4, word, word, *[pointer] * 6]
        self._pop.argtypes = [
            word, *[pointer] * 4, word, word, pointer, pointer, word, pointer, word, word,
        ]  # fmt: skip
        self._mixtures.restype = self._pop.restype = word
        self._which = kernel.VARIANTS.index(self.variant)
        self._networks: WeakKeyDictionary[PixelNet, Network] = WeakKeyDictionary()

    def _network(self, net: PixelNet) -> Network:
        network = self._networks.get(net)
        if network is None:
            network = Network(net, 1 if self.variant in kernel.BYTE_VARIANTS else 2)
            self._networks[net] = network
        return network

    def mixtures(self, net: PixelNet, film: Film | None, x: Pixels, sizes: Integers) -> Coded:
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
        x, sizes = np.ascontiguousarray(x, np.uint8), np.ascontiguousarray(sizes, np.int32)
        film = _checked(network, film, sizes, x.shape[1])
        if x.shape != (len(sizes), x.shape[1], x.shape[1], network.channels):
            raise ValueError(f"tiles of shape {x.shape} for {len(sizes)} sizes")
        count = int(sizes.prod(1, dtype=np.int64).sum())
        symbols, owner, batches = np.empty((3, count), np.int32)
        terms = np.empty((3, count, network.components), np.int32)
        found = self._mixtures(
            self._which, network.address, x.ctypes.data, sizes.ctypes.data, _data(film),
            len(sizes), x.shape[1], symbols.ctypes.data, *(t.ctypes.data for t in terms),
            owner.ctypes.data, batches.ctypes.data,
        )  # fmt: skip
        if found == _NO_MEMORY:
            raise MemoryError
        return Coded(symbols, MixtureParameters(*terms), owner, batches[:found].copy())

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
        top = self._pop(
            self._which, network.address, tiles.ctypes.data, sizes.ctypes.data, _data(film),
            len(sizes), tile, native.function, native.head, native.lanes, native.words,
            native.top, native.end,
        )  # fmt: skip
        if top == _NO_MEMORY:
            raise MemoryError
        native.top = top
        return tiles


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
