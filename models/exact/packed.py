"""Networks as the compiled locksteps of families read them, and how these are bound."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.kernel import Native
from bitswap_models.exact import kernel
from bitswap_models.exact.kernel import PANEL, Kind, padded

_ALIGNMENT = 64  # bytes: a panel's groups are one cache line each
_NO_MEMORY = -1000

Simple = ctypes.c_int64 | ctypes.c_void_p
Function = Callable[..., int]
WORD, POINTER = ctypes.c_int64, ctypes.c_void_p
MESSAGE = POINTER, POINTER, WORD, POINTER, WORD, WORD  # of `Native`


class Dense(ctypes.Structure):
    """`dense` of pixels.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("weight", "scale", "bias")),
        *((name, ctypes.c_int64) for name in ("groups", "words", "panels", "shift")),
    ]


def whole_panels(array: NDArray[Kind], parts: int = 1) -> NDArray[Kind]:
    """Pad each of `parts` equal parts of the first axis to whole panels of outputs."""
    split = array.reshape(parts, -1, *array.shape[1:])
    return padded(split, 0, -split.shape[1] % PANEL).reshape(-1, *array.shape[1:])


class Packed:
    """A network's integers, which stay where a kernel finds them as long as this object does.

    Parameters
    ----------
    unit : int
        Bytes of an activation and of the weights that multiply it: 1 or 2.
    """

    address: int
    """Of the structure that the kernel is given."""

    def __init__(self, unit: int) -> None:
        self.dtype = np.int8 if unit == 1 else np.int16
        self._arrays: list[NDArray[np.uint8]] = []
        self._layers: list[ctypes.Array[Dense]] = []

    def _keep(self, array: NDArray[np.generic]) -> int:
        """Keep a copy of an array that starts a cache line; return its address."""
        room = np.zeros(array.nbytes + _ALIGNMENT, np.uint8)
        first = -room.ctypes.data % _ALIGNMENT
        kept = room[first : first + array.nbytes]
        kept[:] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self._arrays.append(kept)
        return kept.ctypes.data

    def _array(self, *layers: Dense) -> int:
        """Keep layers side by side; return their address."""
        self._layers.append((Dense * len(layers))(*layers))
        return ctypes.addressof(self._layers[-1])

    def _dense(
        self,
        panels: NDArray[np.generic],
        scale: NDArray[np.int32],
        bias: NDArray[np.int32],
        shift: int,
        words: int = 0,
    ) -> Dense:
        """Keep a layer.

        Parameters
        ----------
        panels : array (panels, groups, PANEL, values)
            Weights of `kernel.panels`, as bytes.
        scale, bias : int32 arrays (PANEL * panels,)
        shift : int
        words : int
            Groups that are of 16 bits, the last ones.
        """
        addresses = (self._keep(array) for array in (panels, scale, bias))
        return Dense(*addresses, panels.shape[1] - words, words, len(panels), shift)


Net = TypeVar("Net")
Network = TypeVar("Network", bound=Packed)
By = ParamSpec("By")


class Lockstep(Generic[Net, Network, By]):
    """A compiled lockstep, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library, that of `kernel.Kernel`.
    variant : str, optional
        Instructions to use, one of `kernel.VARIANTS`; the fastest that the machine has by default.
    pack : callable
        Packs a network whose activations and weights have so many bytes, by what else is known.

    Raises
    ------
    OSError
        If it cannot be loaded, was built from another version, or lacks the variant.
    """

    def __init__(
        self,
        path: Path,
        variant: str | None,
        pack: Callable[Concatenate[Net, int, By], Network],
    ) -> None:
        self.variant = kernel.Kernel(path, variant).variant
        self._library = ctypes.CDLL(str(path))
        self._which = kernel.VARIANTS.index(self.variant)
        self._unit = 1 if self.variant in kernel.BYTE_VARIANTS else 2
        self._pack = pack
        self._networks: WeakKeyDictionary[Net, Network] = WeakKeyDictionary()

    def _bind(self, name: str, *types: type[Simple]) -> Function:
        """Bind a function that takes a set of instructions, a network, and arguments of types."""
        function: ctypes._NamedFuncPointer = getattr(self._library, name)
        function.argtypes = [WORD, POINTER, *types]
        function.restype = WORD
        return function

    def _network(self, net: Net, *by: By.args, **named: By.kwargs) -> Network:
        """Pack a network, once."""
        network = self._networks.get(net)
        if network is None:
            network = self._networks[net] = self._pack(net, self._unit, *by, **named)
        return network

    def _run(self, function: Function, network: Network, *arguments: int | None) -> int:
        """Call a function; MemoryError if it finds no memory.

        The network is held so long: one that another thread packed may have taken its place.
        """
        found = function(self._which, network.address, *arguments)
        if found == _NO_MEMORY:
            raise MemoryError
        return found

    def _pop(
        self, function: Function, network: Network, native: Native, *arguments: int | None
    ) -> None:
        """Call a function that pops, its last arguments a message's, and set the message's top."""
        message = native.function, native.head, native.lanes, native.words, native.top, native.end
        native.top = self._run(function, network, *arguments, *message)
