"""The compiled engine of the exact layers, where there is one; layers.py has the same in numpy.

Both give the same integers; BITSWAP_ENGINE chooses, see bitswap_cli/ans/library.py. It is the
coder's engine that tells the user when nothing is compiled.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import library
from bitswap_cli.ans.library import Library, load
from bitswap_cli.ans.parameters import MAX_COMPONENTS, MixtureParameters
from bitswap_cli.errors import ModelError

ABI = 8
# Sets of instructions in the order of processor.h, the faster ones of a processor last.
VARIANTS = (
    *("plain", "popcnt", "avx2", "avx512", "avxvnni", "vnni", "amx", "vpopcnt", "neon", "dotprod"),
)
BYTE_VARIANTS = (
    "avxvnni",
    "vnni",
    "amx",
    "dotprod",
)  # whose activations of a pixel VAE have 8 bits
PANEL = 16  # outputs of a panel of weights
GROUP = 4  # bytes that are multiplied at once

Values = NDArray[np.int16]
Pool = tuple[int, int]
"""Outputs are added up over squares of 2 to the first number of pixels a side, and shifted down by
the second one."""
Kind = TypeVar("Kind", bound=np.generic)


class _Layer(ctypes.Structure):
    """`layer` of convolution.h."""

    _fields_ = [
        (name, ctypes.c_void_p) for name in ("weight", "bytes", "bits", "totals", "scale", "bias")
    ] + [
        (name, ctypes.c_int64)
        for name in ("inputs", "outputs", "size", "shift", "relative", "ones")
    ]


def padded(array: NDArray[Kind], *more: int) -> NDArray[Kind]:
    """Append so many zeros to each of the first axes; np.pad takes long to see what it shall do."""
    shape = [n + m for n, m in zip_longest(array.shape, more, fillvalue=0)]
    whole = np.zeros(shape, array.dtype)
    whole[tuple(slice(n) for n in array.shape)] = array
    return whole


def panels(taps: NDArray[np.generic]) -> NDArray[np.generic]:
    """Pack weights: (O, taps) -> (panels, groups, PANEL, values of a group), padded with zeros."""
    values = GROUP // taps.itemsize
    whole = padded(taps, -taps.shape[0] % PANEL, -taps.shape[1] % values)
    split = whole.reshape(-1, PANEL, whole.shape[1] // values, values)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 3))


class Weights:
    """A layer's integers as the kernel reads them.

    Parameters
    ----------
    weight : int16 array (O, I, K, K)
        Of 8 bits, as a rule.
    scale, bias : int32 arrays (O,)
    shift : int
        The layer is ``(sum * scale + bias) >> shift``.
    relative : int
        Channels C of the reference, or 0. What every tap loses to it makes C more inputs.
    signs : bool
        Inputs count by their signs alone, as +-1.

    Raises
    ------
    ModelError
        If the weights of a relative layer leave 16 bits, or sums of signs might.
    """

    def __init__(
        self,
        weight: NDArray[np.int16],
        scale: NDArray[np.int32],
        bias: NDArray[np.int32],
        shift: int,
        relative: int = 0,
        *,
        signs: bool = False,
    ) -> None:
        outputs, inputs, size, _ = weight.shape
        taps = weight.transpose(0, 2, 3, 1).reshape(outputs, -1, inputs).astype(np.int16)
        self.signs, self.binary = signs, signs and bool((np.abs(weight) == 1).all())
        self._held = (
            *(_bits(taps) if self.binary else _numbers(taps, relative)),
            *(padded(a, -outputs % PANEL) for a in (scale, bias)),
        )
        addresses = (None if a is None else a.ctypes.data for a in self._held)
        ones = int(np.abs(weight).max(initial=0) <= 1)
        self.layer = _Layer(*addresses, inputs, outputs, size, shift, relative, ones)
        self.address = ctypes.addressof(self.layer)


def _numbers(taps: NDArray[np.int16], relative: int) -> tuple[NDArray[np.generic] | None, ...]:
    """Weights of a layer of numbers, (O, taps, I), as `_Layer` has them."""
    flat = taps.reshape(len(taps), -1).astype(np.int32)
    if relative:
        total = flat.reshape(len(taps), -1, relative).sum(1)
        flat = np.concatenate((flat, -total), 1)
    if np.abs(flat).max(initial=0) > np.iinfo(np.int16).max:
        raise ModelError("a layer's weights leave 16 bits: the model is refused")
    small = None
    if not relative and np.array_equal(flat, flat.astype(np.int8)):
        small = panels(flat.astype(np.int8))
    return panels(flat.astype(np.int16)), small, None, None


def _bits(taps: NDArray[np.int16]) -> tuple[NDArray[np.generic] | None, ...]:
    """Weights +-1 of a layer of signs, (O, taps, I), as `_Layer` has them."""
    if taps[0].size > np.iinfo(np.int16).max:
        raise ModelError("a layer of signs has too many inputs: the model is refused")
    packed = panels(np.packbits(taps < 0, 2, bitorder="little").reshape(len(taps), -1))
    totals = padded(taps.sum(2, dtype=np.int16).T, 0, -len(taps) % PANEL)
    return None, None, packed, totals


def _packed(x: NDArray[np.integer], *shape: int) -> Values:
    """Return x as the kernel reads it; ValueError unless it has the shape."""
    if x.shape != shape:
        raise ValueError(f"an array of shape {x.shape} for a layer that takes {shape}")
    return np.ascontiguousarray(x, np.int16)


class Kernel:
    """The compiled engine, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library.
    variant, binary_variant : str, optional
        Instructions to use, one of `variants`, and of `binary_variants` for layers of signs; the
        fastest that the machine has by default.

    Raises
    ------
    OSError
        If it cannot be loaded, was built from another version of kernel.c, or lacks a variant.
    """

    def __init__(
        self, path: Path, variant: str | None = None, binary_variant: str | None = None
    ) -> None:
        kernel = Library(path, "layers_abi", ABI)
        supports = [kernel.bound(f"{part}_supports", "l") for part in ("layers", "binary")]
        self._run = kernel.bound("layers_run", "lppppplllll")
        self._run_pooled = kernel.bound("layers_pooled", "lpppplllllll")
        self._run_binary = kernel.bound("binary_run", "lpppplllll")
        self._mixture = kernel.bound("layers_mixture", "ppppllllppp", void=True)
        self.path = path
        self.variants, self.binary_variants = (
            [name for at, name in enumerate(VARIANTS) if supported(at)] for supported in supports
        )
        self.variant = variant or self.variants[-1]
        self.binary_variant = binary_variant or self.binary_variants[-1]
        if self.variant not in self.variants:
            raise OSError(f"this machine has no {self.variant}")
        if self.binary_variant not in self.binary_variants:
            raise OSError(f"this machine has no {self.binary_variant}")
        self._which = VARIANTS.index(self.variant)
        self._which_binary = VARIANTS.index(self.binary_variant)

    def run(
        self,
        weights: Weights,
        x: NDArray[np.integer],
        reference: NDArray[np.integer] | None,
        add: NDArray[np.integer] | None,
        low: int,
        high: int,
        pool: Pool | None = None,
    ) -> Values:
        """Run a layer: clip of (the layer, saturated, plus `add`) to low..high.

        All arrays are (B, H, W, channels) of integers that fit int16, and are copied unless they
        are int16 in C order. With a pool, nothing can be added, and the layer has no signs.

        Raises
        ------
        ValueError
            If an array has the wrong shape.
        """
        grid = batch, height, width = x.shape[:3]
        x = _packed(x, *grid, weights.layer.inputs)
        if reference is not None or weights.layer.relative:
            if reference is None:
                raise ValueError("a relative layer needs its reference")
            reference = _packed(reference, *grid, weights.layer.relative)
        bits, down = pool or (0, 0)
        whole = height >> bits << bits == height and width >> bits << bits == width
        if pool and (not whole or add is not None or weights.binary):
            raise ValueError("a layer that cannot be pooled")
        shape = batch, height >> bits, width >> bits, weights.layer.outputs
        y = np.empty(shape, np.int16)
        add = None if add is None else _packed(add, *y.shape)
        added = None if add is None else add.ctypes.data
        images = y.ctypes.data, batch, height, width, low, high
        if weights.binary:
            error = self._run_binary(
                self._which_binary, weights.address, x.ctypes.data, added, *images
            )
        else:
            if weights.signs:
                x = (x >> 15) | 1  # -1 or +1
            referred = None if reference is None else reference.ctypes.data
            seen = self._which, weights.address, x.ctypes.data, referred
            if pool:
                error = self._run_pooled(*seen, *images, bits, down)
            else:
                error = self._run(*seen, added, *images)
        if error:
            raise MemoryError
        return y

    def mixture(
        self,
        out: NDArray[np.integer],
        ref: NDArray[np.integer],
        residual: NDArray[np.integer],
        powers: NDArray[np.int32],
        components: int,
        channel: int,
    ) -> MixtureParameters:
        """See `mixtures.of_channel`; `powers` is its table.

        Raises
        ------
        ValueError
            If an array has the wrong shape.
        """
        if components > MAX_COMPONENTS:
            raise ValueError(f"mixtures have at most {MAX_COMPONENTS} components")
        *grid, channels = ref.shape
        out = _packed(out, *grid, 3 * components + channels - 1)
        ref, residual = (_packed(a, *grid, channels) for a in (ref, residual))
        terms = np.empty((3, *grid, components), np.int32)
        self._mixture(
            out.ctypes.data, ref.ctypes.data, residual.ctypes.data, powers.ctypes.data,
            math.prod(grid), channels, channel, components, *(t.ctypes.data for t in terms),
        )  # fmt: skip
        return MixtureParameters(*terms)


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


def chosen() -> Kernel | None:
    """The compiled engine unless there is none, or BITSWAP_ENGINE asks for the reference.

    Raises
    ------
    ModelError
        If BITSWAP_ENGINE asks for an engine that is not there.
    """
    return library.chosen(compiled, ModelError)


@cache
def engine() -> Kernel | None:
    """The engine in use, chosen at the first call of the process; None is numpy."""
    return chosen()


def engine_name() -> str:
    """Name of the engine in use: "c" or "reference"."""
    return "reference" if engine() is None else "c"
