"""The compiled lockstep of the JPEG VAE; lockstep.py is its definition, in numpy.

Both give the same integers. One call computes all that an encoder of some planes pushes, another
pops them: the kernel calls the coder's kernel for every batch.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.kernel import Native
from bitswap_cli.ans.parameters import MixtureParameters
from bitswap_cli.coefficients import CodedBlocks
from bitswap_models.exact import kernel
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.layers import Layer
from bitswap_models.exact.mixtures import POWERS
from bitswap_models.families.jpeg_vae.features import BORDER, last_of
from bitswap_models.families.jpeg_vae.network import COMPONENTS, BlockNet, earlier
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.families.jpeg_vae.tables import tables

_OFFSET = 128  # is added to what is signed
_PAIRS = 126
_PREDICTED = 96
_NO_MEMORY = -1000
_ALIGNMENT = 64
_EDGE = np.concatenate(  # pixels of a block that later ones see: columns 7, 6, 5 and rows 7, 6, 5
    (np.arange(64).reshape(8, 8)[:, :4:-1].T.ravel(), np.arange(64).reshape(8, 8)[:4:-1].ravel())
)


class _Dense(ctypes.Structure):
    """`dense` of pixels.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("weight", "scale", "bias")),
        *((name, ctypes.c_int64) for name in ("groups", "words", "panels", "shift")),
    ]


class _Network(ctypes.Structure):
    """`block_network` of blocks.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("chroma", "context", "locals", "inputs", "row")),
        *((name, ctypes.c_void_p) for name in ("first", "second", "last", "mixes", "deep")),
        *((name, ctypes.c_void_p) for name in ("heads", "predictors", "basis", "powers", "log")),
        *((name, ctypes.c_void_p) for name in ("fine", "near", "gray", "rest")),
    ]


class _Plane(ctypes.Structure):
    """`plane` of blocks.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("rows", "columns", "second")),
        *((name, ctypes.c_void_p) for name in ("x", "steps", "reciprocal", "statistics", "logs")),
        *((name, ctypes.c_void_p) for name in ("luma", "other", "film", "signs", "edges", "last")),
    ]


class _Mixtures(ctypes.Structure):
    """`mixtures` of pixels.h."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("weight", "mean", "scale")]


class _Told(ctypes.Structure):
    """`told` of waves.c."""

    _fields_ = [
        ("lasts", ctypes.c_void_p), ("of_lasts", _Mixtures),
        ("symbols", ctypes.c_void_p), ("of_symbols", _Mixtures),
        *((name, ctypes.c_void_p) for name in ("waves", "batches", "owner", "whose")),
    ]  # fmt: skip


def _aligned(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The bytes of an array, copied to where they start a cache line."""
    room = np.zeros(array.nbytes + _ALIGNMENT, np.uint8)
    first = -room.ctypes.data % _ALIGNMENT
    room[first : first + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return room[first : first + array.nbytes]


class Network:
    """A network's integers as the kernel reads them.

    Parameters
    ----------
    net : BlockNet
    unit : int
        Bytes of an activation and of the weights that multiply it: 1 or 2.
    """

    def __init__(self, net: BlockNet, unit: int) -> None:
        self._kind = np.int8 if unit == 1 else np.int16
        self._held: list[NDArray[np.generic]] = []
        self._layers: list[ctypes.Array[_Dense]] = []
        context, values = net.units, 4 // unit
        inputs = net.first.shape.inputs
        row = context + net.locals + _PAIRS
        signed = np.arange(inputs) >= 0
        made = tables()
        self.structure = _Network(
            net.chroma, context, net.locals, -(-inputs // values) * values, -(-row // 4) * 4,
            self._array([self._dense(net.first, np.arange(inputs), signed)]),
            self._array([self._dense(net.second)]),
            self._array([self._dense(layer) for layer in net.last]),
            self._array([self._mix(net, k) for k in range(64)]),
            self._array([self._dense(layer) for layer in net.deep]),
            self._array([self._dense(layer) for layer in net.heads]),
            self._address(_padded_predictors(net)),
            self._address(made.basis[:, _EDGE].astype(np.int16)),
            self._address(POWERS),
            *(self._address(t.astype(np.int8)) for t in (
                made.log, made.fine, made.near, made.gray, made.rest,
            )),
        )  # fmt: skip
        self.address = ctypes.addressof(self.structure)

    def _address(self, array: NDArray[np.generic]) -> int:
        self._held.append(_aligned(array))
        return self._held[-1].ctypes.data

    def _array(self, layers: list[_Dense]) -> int:
        self._layers.append((_Dense * len(layers))(*layers))
        return ctypes.addressof(self._layers[-1])

    def _mix(self, net: BlockNet, k: int) -> _Dense:
        """The first layer of a coefficient, its inputs in the kernel's order."""
        count = earlier(k)
        signs = net.units + np.arange(count)
        pairs = np.stack((signs, signs + count), 1).ravel()
        local = net.units + 2 * count + np.arange(net.locals)
        order = np.concatenate((np.arange(net.units), local, pairs))
        return self._dense(net.mixes[k], order, order >= net.units)

    def _dense(
        self,
        layer: Layer,
        order: NDArray[np.int64] | None = None,
        signed: NDArray[np.bool_] | None = None,
    ) -> _Dense:
        """Pack a layer, its inputs in an order; what is signed comes plus an offset."""
        weight, scale, bias = layer.weight[:, :, 0, 0], layer.scale, layer.bias
        if order is not None and signed is not None:
            weight = weight[:, order]
            added = _OFFSET * weight[:, signed].sum(1, dtype=np.int64)
            bias = (bias - added * scale).astype(np.int32)
        packed = kernel.panels(weight.astype(self._kind)).view(np.int8)
        more = (0, -len(scale) % kernel.PANEL)
        return _Dense(
            self._address(packed), self._address(np.pad(scale, more)),
            self._address(np.pad(bias, more)), packed.shape[1], 0, len(packed), layer.shape.shift,
        )  # fmt: skip


def _padded_predictors(net: BlockNet) -> NDArray[np.int16]:
    """(64, 2, 96)"""
    padded = np.zeros((64, 2, _PREDICTED), np.int16)
    for k, weights in enumerate(net.predictors):
        padded[k, :, : BORDER + earlier(k)] = weights
    return padded


class _Planes:
    """Planes as the kernel reads them, and the memory that they share."""

    def __init__(self, planes: list[Plane], films: list[Values] | None) -> None:
        self._held: list[NDArray[np.generic]] = []
        self.x = [np.ascontiguousarray(plane.x, np.int16) for plane in planes]
        structures = []
        for i, plane in enumerate(planes):
            rows, columns, _ = plane.x.shape
            blocks = rows * columns
            arrays = (
                plane.component.steps.astype(np.int32), plane.reciprocal.astype(np.int32),
                plane.statistics, plane.logs, plane.luma, plane.other,
                films[i] if films else None, np.zeros((blocks, 64), np.int8),
                np.zeros((blocks, 48), np.int16), np.zeros(blocks, np.uint8),
            )  # fmt: skip
            addresses = [self._address(array) for array in arrays]
            structures.append(
                _Plane(rows, columns, plane.second, self.x[i].ctypes.data, *addresses)
            )
        self.array = (_Plane * len(planes))(*structures)
        self.address = ctypes.addressof(self.array)

    def _address(self, array: NDArray[np.generic] | None) -> int | None:
        if array is None:
            return None
        self._held.append(np.ascontiguousarray(array))
        return self._held[-1].ctypes.data


class BlockKernel:
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
        word, pointer = ctypes.c_int64, ctypes.c_void_p
        self._mixtures = library.bitswap_coefficients_mixtures
        self._pop = library.bitswap_coefficients_pop
        self._mixtures.argtypes = [word, pointer, pointer, word, pointer]
        self._pop.argtypes = [
            word, pointer, pointer, word, pointer, pointer, word, pointer, word, word,
        ]  # fmt: skip
        self._mixtures.restype = self._pop.restype = word
        self._which = kernel.VARIANTS.index(self.variant)
        self._networks: WeakKeyDictionary[BlockNet, Network] = WeakKeyDictionary()

    def _network(self, net: BlockNet) -> Network:
        network = self._networks.get(net)
        if network is None:
            network = Network(net, 1 if self.variant in kernel.BYTE_VARIANTS else 2)
            self._networks[net] = network
        return network

    def mixtures(
        self, net: BlockNet, planes: list[Plane], films: list[Values] | None
    ) -> CodedBlocks:
        """Everything that an encoder of planes of one rank pushes; their coefficients are known.

        Parameters
        ----------
        net : BlockNet
        planes : list of Plane
        films : list of int16 arrays (cells, 2, C), optional
            Gains and shifts of the cells of each plane.
        """
        network = self._network(net)  # held: another thread's may take its place
        shared = _Planes(planes, films)
        blocks = sum(len(x.reshape(-1, 64)) for x in shared.x)
        count = blocks + sum(int(last_of(x).sum()) for x in shared.x)
        waves = max(plane.x.shape[1] + 2 * plane.x.shape[0] for plane in planes) - 2
        lasts, symbols = np.empty(blocks, np.int32), np.empty(count, np.int32)
        of_lasts = np.empty((3, blocks, COMPONENTS), np.int32)
        of_symbols = np.empty((3, count, COMPONENTS), np.int32)
        sizes, batches = np.empty(waves, np.int32), np.empty((waves, 64), np.int32)
        owner = np.empty(blocks + count, np.int32)
        told = _Told(
            lasts.ctypes.data, _Mixtures(*(t.ctypes.data for t in of_lasts)),
            symbols.ctypes.data, _Mixtures(*(t.ctypes.data for t in of_symbols)),
            sizes.ctypes.data, batches.ctypes.data, owner.ctypes.data,
            owner[blocks:].ctypes.data,
        )  # fmt: skip
        failed = self._mixtures(
            self._which, network.address, shared.address, len(planes),
            ctypes.addressof(told),
        )  # fmt: skip
        if failed:
            raise MemoryError
        parameters = (MixtureParameters(*of_lasts), MixtureParameters(*of_symbols))
        owner = np.array([plane.picture for plane in planes], np.int32)[owner]
        return CodedBlocks(lasts, parameters[0], symbols, parameters[1], sizes, batches, owner)

    def pop(
        self, net: BlockNet, planes: list[Plane], films: list[Values] | None, native: Native
    ) -> list[NDArray[np.int16]]:
        """Pop planes of one rank, whose coefficients are 0; returns these, (R, C, 64) each.

        It sets the message's top: to a negative error of the coder where there was one, when
        neither the coefficients nor its head count.
        """
        network = self._network(net)
        shared = _Planes(planes, films)
        top = self._pop(
            self._which, network.address, shared.address, len(planes),
            native.function, native.head, native.lanes, native.words, native.top, native.end,
        )  # fmt: skip
        if top == _NO_MEMORY:
            raise MemoryError
        native.top = top
        return shared.x


@cache
def engine() -> BlockKernel | None:
    """The engine in use, chosen at the first call of the process; None is lockstep.py."""
    found = kernel.chosen()
    return None if found is None else BlockKernel(found.path, found.variant)
