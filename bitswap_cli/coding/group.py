"""A group of tiles on a message: pushes and pops of whole layers of latents and of pixels.

This is the alphabet in which bitswap.py, bbans.py and topdown.py are written. What lies outside of
a picture is never coded: latents whose cell holds no pixel are 0, and pixels repeat the nearest
coded pixel of their plane (see `Geometry.extend`), so that encoder and decoder see the same tile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Codec, Logistic, LogisticMixture, LogisticParameters, Message
from bitswap_cli.ans import MixtureParameters as Mixture
from bitswap_cli.ans.distributions import information
from bitswap_cli.ans.kernel import Native, engine
from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, precision
from bitswap_cli.contract import (
    Integers,
    LatentModel,
    Level,
    PixelModel,
    Plane,
    PlaneModel,
    Step,
    TileModel,
    TopDownModel,
)

T = TypeVar("T")
Mask = NDArray[np.bool_]


def in_lockstep(model: TileModel) -> TypeGuard[PixelModel]:
    """Whether a model is a `PixelModel`; `isinstance` would look for all that protocols have."""
    return hasattr(model, "walk")


class Geometry:
    """Which pixels and latents of a group are coded.

    Parameters
    ----------
    sizes : int32 array (B, 3)
        Valid height, valid width, coded channels (all, or 1: the others repeat it) of each tile.
    tile : int
        Height and width of the tiles.
    channels, stride : int
        Of the model.
    """

    def __init__(self, sizes: NDArray[np.int32], tile: int, channels: int, stride: int) -> None:
        self.sizes = np.ascontiguousarray(sizes, np.int32)
        self.rows, self.columns, self.coded = self.sizes.T
        self.tile, self.channels, self.stride = tile, channels, stride
        self.whole = bool((sizes[:, :2] == tile).all() and (self.coded == channels).all())

    def _extent(self, plane: Plane) -> tuple[Integers, Integers]:
        """Valid rows and columns of a plane, (B,) each; they may be 0."""
        rows = -((plane.top - self.rows) // plane.stride)
        columns = -((plane.left - self.columns) // plane.stride)
        return np.maximum(rows, 0), np.maximum(columns, 0)

    def latents(self, shape: tuple[int, ...]) -> Mask | None:
        """Mask of coded latents, shape (B, C, H, W); None for all."""
        if self.whole:
            return None
        rows = -(-self.rows // self.stride)[:, None, None, None]
        columns = -(-self.columns // self.stride)[:, None, None, None]
        grid = np.arange(shape[-1])
        return np.broadcast_to((grid[:, None] < rows) & (grid < columns), shape)

    def pixels(self, plane: Plane, channel: int) -> Mask | None:
        """Mask of coded pixels of one channel of a plane, (B, H, W); None for all."""
        if self.whole:
            return None
        rows, columns = self._extent(plane)
        rows = np.where(channel < self.coded, rows, 0)
        grid = np.arange(-(-(self.tile - plane.top) // plane.stride))
        return (grid[:, None] < rows[:, None, None]) & (grid < columns[:, None, None])

    def extend(self, x: Integers, plane: Plane, channel: int) -> None:
        """Fill in what is not coded of one channel of a plane of x (B, C, H, W), in place.

        Pixels outside of the picture repeat the plane's nearest coded pixel, or the base plane's
        where the plane has none; channels that are not coded repeat the first.
        """
        if self.whole:
            return
        if plane.stride == 1:
            self._repeat(x, channel)
            return
        pixels = x[:, channel, plane.top :: plane.stride, plane.left :: plane.stride]
        grid = np.arange(pixels.shape[-1])
        rows, columns = self._extent(plane)
        inside = (rows > 0) & (columns > 0)
        # nearest coded pixel, as coordinates in the tile
        y = plane.top + plane.stride * np.minimum(grid, rows[:, None] - 1)
        x_ = plane.left + plane.stride * np.minimum(grid, columns[:, None] - 1)
        base_y = self.stride * np.minimum(
            (plane.top + plane.stride * grid) // self.stride,
            -(-self.rows // self.stride)[:, None] - 1,
        )
        base_x = self.stride * np.minimum(
            (plane.left + plane.stride * grid) // self.stride,
            -(-self.columns // self.stride)[:, None] - 1,
        )
        y = np.where(inside[:, None], y, base_y)[:, :, None]
        x_ = np.where(inside[:, None], x_, base_x)[:, None, :]
        tile = np.arange(len(x))[:, None, None]
        source = np.where(channel < self.coded, channel, 0)[:, None, None]
        pixels[:] = x[tile, source, y, x_]

    def _repeat(self, x: Integers, channel: int) -> None:
        """`extend` a plane of all pixels."""
        for tile, (rows, columns, coded) in zip(x, self.sizes.tolist(), strict=True):
            pixels = tile[channel]
            if channel >= coded:
                pixels[:rows, :columns] = tile[0, :rows, :columns]
            pixels[:rows, columns:] = pixels[:rows, columns - 1 : columns]
            pixels[rows:] = pixels[rows - 1]


class Group:
    """A group of tiles that is pushed onto, or popped from, a message.

    Parameters
    ----------
    message : Message
    model : TileModel
    sizes : int32 array (B, 3)
        See `Geometry`.
    tile : int, optional
        Height and width of the tiles, if not the model's: its networks are convolutions, and larger
        tiles have fewer borders.
    bits : float64 array (B, 1 + L), optional
        Net bits of each tile, what is pushed less what is popped, are added to it: those of pixels
        in column 0, those of z_l in column l.
    """

    def __init__(
        self,
        message: Message,
        model: TileModel,
        sizes: NDArray[np.int32],
        tile: int | None = None,
        bits: NDArray[np.float64] | None = None,
    ) -> None:
        self.message, self.model, self.bits = message, model, bits
        self.tile = tile or model.tile
        self.depth = model.depth
        self.size = len(sizes)
        self.geometry = Geometry(sizes, self.tile, model.channels, model.stride)
        self.z2: Integers | None = None
        """What its tiles have in common, see common.py."""

    # ---- a Markov chain of latents ---------------------------------------------------------------
    @property
    def _chain(self) -> LatentModel:
        return cast(LatentModel, self.model)

    def push_posterior(self, layer: int, below: Integers, z: Integers) -> None:
        """Push z under q(z_layer | z_{layer-1})."""
        self.push_latents(layer, self._chain.posterior(layer, below), z)

    def pop_posterior(self, layer: int, below: Integers) -> Integers:
        """Pop z_layer under q(z_layer | z_{layer-1})."""
        return self.pop_latents(layer, self._chain.posterior(layer, below))

    def push_prior(self, layer: int, above: Integers, z: Integers) -> None:
        """Push z under p(z_layer | z_{layer+1})."""
        self.push_latents(layer, self._chain.prior(layer, above), z)

    def pop_prior(self, layer: int, above: Integers) -> Integers:
        """Pop z_layer under p(z_layer | z_{layer+1})."""
        return self.pop_latents(layer, self._chain.prior(layer, above))

    def push_top(self, z: Integers) -> None:
        """Push z under p(z_L)."""
        self.push_latents(self.depth, self._top_prior(), z)

    def pop_top(self) -> Integers:
        """Pop z_L under p(z_L)."""
        return self.pop_latents(self.depth, self._top_prior())

    def _top_prior(self) -> LogisticParameters:
        """p(z_L) on the grid of this group's tiles; it is the same at every place of the grid."""
        grid = self.tile // self.model.stride
        one = (p[:, :, :1, :1] for p in self._chain.top_prior(1))
        return LogisticParameters(
            *(np.broadcast_to(p, (self.size, p.shape[1], grid, grid)) for p in one)
        )

    # ---- latents of top-down inference -----------------------------------------------------------
    def bottom_up(self, x: Integers) -> Any:
        """What the posteriors see of x."""
        return cast(TopDownModel, self.model).bottom_up(x)

    def descend(self, code: Callable[[Level], Integers]) -> Integers:
        """Walk from z_L to z_1, see `TopDownModel.descend`."""
        grid = self.tile // self.model.stride
        return cast(TopDownModel, self.model).descend(self.size, grid, code)

    def posterior(self, level: Level, seen: Any) -> LogisticParameters:
        """q of a level of the walk."""
        return cast(TopDownModel, self.model).posterior(level, seen)

    # ---- pixels ----------------------------------------------------------------------------------
    def push_pixels(self, z1: Integers | None, x: Integers) -> None:
        """Push x (B, C, H, W) under p(x | z_1): what is popped first is pushed last."""
        if in_lockstep(self.model):
            self._push_lockstep(self.model, z1, x)
        else:
            self._push_planes(cast(PlaneModel, self.model), cast(Integers, z1), x)

    def pop_pixels(self, z1: Integers | None) -> Integers:
        """Pop x (B, C, H, W) under p(x | z_1)."""
        if in_lockstep(self.model):
            return self._pop_lockstep(self.model, z1)
        return self._pop_planes(cast(PlaneModel, self.model), cast(Integers, z1))

    def _push_lockstep(self, model: PixelModel, z1: Integers | None, x: Integers) -> None:
        start, freq, owner, batches = model.intervals(z1, x, self.geometry.sizes, self.z2)
        fineness = precision(model.high - model.low + 1)
        engine().push_batches(self.message, start, freq, batches, fineness)
        if self.bits is not None:
            bits = information(freq, freq.shape, fineness)
            self.bits[:, 0] += np.bincount(owner, bits, minlength=self.size)

    def _pop_lockstep(self, model: PixelModel, z1: Integers | None) -> Integers:
        pop = _Pop(self.message, model.low, model.high)
        x = model.walk(z1, self.geometry.sizes, self.tile, pop, self.z2)
        for plane in model.planes:
            for channel in range(model.channels):
                self.geometry.extend(x, plane, channel)
        return x

    def _push_planes(self, model: PlaneModel, z1: Integers, x: Integers) -> None:
        steps: list[tuple[Codec, Integers, Mask | None]] = []

        def code(step: Step) -> Integers:
            plane = step.plane
            pixels = x[:, step.channel, plane.top :: plane.stride, plane.left :: plane.stride]
            mask = self.geometry.pixels(plane, step.channel)
            steps.append((self._mixture(step.parameters, mask), pixels, mask))
            return pixels

        model.likelihood(z1, code)
        for codec, pixels, mask in reversed(steps):
            self._push(0, codec, pixels, mask)

    def _pop_planes(self, model: PlaneModel, z1: Integers) -> Integers:
        x = np.zeros((self.size, model.channels, self.tile, self.tile), np.int32)

        def code(step: Step) -> Integers:
            plane = step.plane
            pixels = x[:, step.channel, plane.top :: plane.stride, plane.left :: plane.stride]
            mask = self.geometry.pixels(plane, step.channel)
            self._pop(0, self._mixture(step.parameters, mask), pixels, mask)
            self.geometry.extend(x, plane, step.channel)
            return pixels

        model.likelihood(z1, code)
        return x

    def _mixture(self, parameters: Mixture, mask: Mask | None) -> LogisticMixture:
        if mask is not None:
            parameters = Mixture(*(array[mask] for array in parameters))
        return LogisticMixture(parameters, self.model.low, self.model.high)

    # ---- symbols ---------------------------------------------------------------------------------
    def push_latents(self, layer: int, parameters: LogisticParameters, z: Integers) -> None:
        """Push z_layer, (B, C, H, W), where it is coded."""
        mask = self.geometry.latents(z.shape)
        self._push(layer, _logistic(parameters, mask), z, mask)

    def pop_latents(self, layer: int, parameters: LogisticParameters) -> Integers:
        """Pop z_layer, (B, C, H, W), where it is coded; 0 elsewhere."""
        z = np.zeros(parameters.mean.shape, np.int32)
        mask = self.geometry.latents(z.shape)
        self._pop(layer, _logistic(parameters, mask), z, mask)
        return z

    def _push(self, term: int, codec: Codec, symbols: Integers, mask: Mask | None) -> None:
        chosen = symbols if mask is None else symbols[mask]
        codec.push(self.message, chosen)
        self._count(term, codec, chosen, mask, 1)

    def _pop(self, term: int, codec: Codec, into: Integers, mask: Mask | None) -> None:
        symbols = codec.pop(self.message)
        into[... if mask is None else mask] = symbols
        self._count(term, codec, symbols, mask, -1)

    def _count(
        self, term: int, codec: Codec, symbols: Integers, mask: Mask | None, sign: int
    ) -> None:
        if self.bits is None:
            return
        bits = codec.bits(symbols)
        if mask is None:
            self.bits[:, term] += sign * bits.reshape(self.size, -1).sum(1)
        else:
            counted = np.bincount(np.nonzero(mask)[0], bits, minlength=self.size)
            self.bits[:, term] += sign * counted


class _Pop:
    """Pops symbols of low..high under mixtures from a message."""

    def __init__(self, message: Message, low: int, high: int) -> None:
        self.message = message
        self.low, self.high = low, high

    def __call__(self, parameters: Mixture) -> Integers:
        return LogisticMixture(parameters, self.low, self.high).pop(self.message)

    def natively(self, work: Callable[[Native], T]) -> T | None:
        return engine().pop_natively(self.message, work, self.low, self.high - self.low + 1)


def _logistic(parameters: LogisticParameters, mask: Mask | None) -> Logistic:
    if mask is not None:
        parameters = LogisticParameters(parameters.mean[mask], parameters.scale[mask])
    return Logistic(parameters, LATENT_MIN, LATENT_MAX)
