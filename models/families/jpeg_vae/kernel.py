"""The compiled lockstep of the JPEG VAE; lockstep.py is its definition, in numpy.

Both give the same integers. One call computes all that an encoder of some planes pushes, another
pops them: the kernel calls the coder's kernel for every batch.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import sigmoid
from bitswap_cli.ans.kernel import Native
from bitswap_cli.ans.parameters import MixtureParameters
from bitswap_cli.coefficients import CodedBlocks, Decisions
from bitswap_cli.mixing.logits import COST_BITS, costs, mantissas, squashed
from bitswap_models.exact import kernel
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.layers import Layer
from bitswap_models.exact.mixtures import POWERS
from bitswap_models.exact.packed import (
    MESSAGE,
    POINTER,
    WORD,
    Dense,
    Lockstep,
    Packed,
    whole_panels,
)
from bitswap_models.families.jpeg_vae.features import BORDER, last_of
from bitswap_models.families.jpeg_vae.learning import LARGEST, MAGNITUDES
from bitswap_models.families.jpeg_vae.network import COMPONENTS, BlockNet, earlier
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.families.jpeg_vae.tables import tables

_OFFSET = 128  # is added to what is signed
_PAIRS = 126
_PREDICTED = 96
_EDGE = np.concatenate(  # pixels of a block that later ones see: columns 7, 6, 5 and rows 7, 6, 5
    (np.arange(64).reshape(8, 8)[:, :4:-1].T.ravel(), np.arange(64).reshape(8, 8)[:4:-1].ravel())
)


class _Network(ctypes.Structure):
    """`block_network` of blocks.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("chroma", "context", "locals", "inputs", "row")),
        *((name, ctypes.c_void_p) for name in ("first", "second", "last", "mixes", "deep")),
        *((name, ctypes.c_void_p) for name in ("heads", "predictors", "basis", "powers", "log")),
        *((name, ctypes.c_void_p) for name in ("fine", "near", "gray", "rest")),
        *((name, ctypes.c_void_p) for name in ("sigmoid", "inverse")),
        *((name, ctypes.c_void_p) for name in ("mantissas", "squashed", "costs")),
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


class Network(Packed):
    """A network's integers as the kernel reads them.

    Parameters
    ----------
    net : BlockNet
    unit : int
        Bytes of an activation and of the weights that multiply it: 1 or 2.
    """

    def __init__(self, net: BlockNet, unit: int) -> None:
        super().__init__(unit)
        context, values = net.units, 4 // unit
        inputs = net.first.shape.inputs
        row = context + net.locals + _PAIRS
        signed = np.arange(inputs) >= 0
        made, coder = tables(), sigmoid.tables()
        self.structure = _Network(
            net.chroma, context, net.locals, -(-inputs // values) * values, -(-row // 4) * 4,
            self._array(self._layer(net.first, np.arange(inputs), signed)),
            self._array(self._layer(net.second)),
            self._array(*map(self._layer, net.last)),
            self._array(*(self._mix(net, k) for k in range(64))),
            self._array(*map(self._layer, net.deep)),
            self._array(*map(self._layer, net.heads)),
            self._keep(_padded_predictors(net)),
            self._keep(made.basis[:, _EDGE].astype(np.int16)),
            self._keep(POWERS),
            *(self._keep(t.astype(np.int8)) for t in (
                made.log, made.fine, made.near, made.gray, made.rest,
            )),
            self._keep(np.append(coder.table, coder.table[-1])), self._keep(coder.inverse),
            *(self._keep(t.astype(np.uint16)) for t in (mantissas(), squashed(), costs())),
        )  # fmt: skip
        self.address = ctypes.addressof(self.structure)

    def _mix(self, net: BlockNet, k: int) -> Dense:
        """The first layer of a coefficient, its inputs in the kernel's order."""
        count = earlier(k)
        signs = net.units + np.arange(count)
        pairs = np.stack((signs, signs + count), 1).ravel()
        local = net.units + 2 * count + np.arange(net.locals)
        order = np.concatenate((np.arange(net.units), local, pairs))
        return self._layer(net.mixes[k], order, order >= net.units)

    def _layer(
        self,
        layer: Layer,
        order: NDArray[np.int64] | None = None,
        signed: NDArray[np.bool_] | None = None,
    ) -> Dense:
        """Pack a layer, its inputs in an order; what is signed comes plus an offset."""
        weight, scale, bias = layer.weight[:, :, 0, 0], layer.scale, layer.bias
        if order is not None and signed is not None:
            weight = weight[:, order]
            added = _OFFSET * weight[:, signed].sum(1, dtype=np.int64)
            bias = (bias - added * scale).astype(np.int32)
        packed = kernel.panels(weight.astype(self.dtype)).view(np.int8)
        return self._dense(packed, whole_panels(scale), whole_panels(bias), layer.shape.shift)


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


class BlockKernel(Lockstep[BlockNet, Network, []]):
    """The lockstep in C; see `Lockstep` for its parameters."""

    def __init__(self, path: Path, variant: str | None = None) -> None:
        super().__init__(path, variant, Network)
        self._mixtures = self._bind("bitswap_coefficients_mixtures", POINTER, WORD, POINTER)
        self._planes = self._bind("bitswap_coefficients_pop", POINTER, WORD, *MESSAGE)
        self._decide = self._bind("bitswap_coefficients_decide", POINTER, WORD, POINTER, POINTER)
        self._learn = self._bind("bitswap_coefficients_learn", POINTER, WORD, *MESSAGE)

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
        network = self._network(net)
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
        self._run(self._mixtures, network, shared.address, len(planes), ctypes.addressof(told))
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
        self._pop(self._planes, network, native, shared.address, len(planes))
        return shared.x

    def decided(self, net: BlockNet, planes: list[Plane], films: list[Values] | None) -> Decisions:
        """As `mixtures`, but learn."""
        network = self._network(net)
        shared = _Planes(planes, films)
        told = np.empty(sum(_most_decisions(x) for x in shared.x), np.uint32)
        bits = np.zeros(len(planes), np.int64)
        arrays = shared.address, len(planes), told.ctypes.data, bits.ctypes.data
        count = self._run(self._decide, network, *arrays)
        owner = np.array([plane.picture for plane in planes], np.int32)
        return Decisions(told[:count], bits / 2**COST_BITS, owner)

    def learn(
        self, net: BlockNet, planes: list[Plane], films: list[Values] | None, native: Native
    ) -> list[NDArray[np.int16]]:
        """As `pop`, but learn."""
        network = self._network(net)
        shared = _Planes(planes, films)
        self._pop(self._learn, network, native, shared.address, len(planes))
        return shared.x


def _most_decisions(x: NDArray[np.int16]) -> int:
    """How many decisions the blocks of a plane take, or fewer: (R, C, 64) -> int"""
    blocks, coefficients = len(x.reshape(-1, 64)), int(last_of(x).sum())
    sizes = np.abs(x[..., 1:]).view(np.uint16)
    large = MAGNITUDES + 2 * LARGEST + 2
    beyond = np.count_nonzero(sizes > MAGNITUDES)
    unary = np.minimum(sizes, MAGNITUDES).sum() + 2 * LARGEST * beyond
    return (6 + large) * blocks + 2 * coefficients + int(unary)


@cache
def engine() -> BlockKernel | None:
    """The engine in use, chosen at the first call of the process; None is lockstep.py."""
    found = kernel.chosen()
    return None if found is None else BlockKernel(found.path, found.variant)
