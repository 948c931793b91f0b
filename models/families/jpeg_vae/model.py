"""A hierarchical VAE of the quantized coefficients of JPEG files, in exact integers.

    p(statistics) p(z_1 | statistics) prod_i p(x_i | x_<i, z_1, statistics)       q(z_1 | x)

The *statistics* of a picture say how large each of its coefficients is in the mean (features.py):
what camera, what quality, what was done to it. z_1 is a vector for each cell of 8x8 blocks of a
component, which scales and shifts the hidden units (latents.py). Coefficients come block by block,
under a local autoregressive likelihood (network.py). Latents are coded with Bit-Swap; L may be 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import LogisticParameters
from bitswap_cli.coefficients import (
    CodedBlocks,
    CoefficientPop,
    Coefficients,
    Component,
    DecisionPop,
    Decisions,
    Frame,
)
from bitswap_cli.contract import Integers
from bitswap_cli.contract import Plane as PixelPlane
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.latents import middle
from bitswap_models.exact.model import ExactModel, Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.jpeg_vae import kernel, lockstep
from bitswap_models.families.jpeg_vae.config import CELL, Config
from bitswap_models.families.jpeg_vae.features import log_steps, statistics_of
from bitswap_models.families.jpeg_vae.latents import CellLatents, grid
from bitswap_models.families.jpeg_vae.network import LASTS, SYMBOLS, VALUES, BlockNet
from bitswap_models.families.jpeg_vae.planes import Plane, is_chroma, planes_of, ranks
from bitswap_models.families.jpeg_vae.statistics import KINDS as KINDS_OF_STATISTICS
from bitswap_models.families.jpeg_vae.statistics import STATISTICS, StatisticsPrior

KINDS = ("luma", "chroma")


class JpegVAE(ExactModel):
    """See the module's docstring: a `bitswap_cli.contract.CoefficientModel`.

    It knows nothing of pixels; as an `ExactModel` its tiles are cells of blocks, whose channels are
    their coefficients.
    """

    family = "jpeg_vae"
    schemes: Sequence[str] = ("bitswap",)
    factors: Sequence[int] = (1,)
    slack, growth = 1.0, Fraction(16)
    tile, channels, stride = CELL, 64, CELL
    planes = (PixelPlane(0, 0, 1),)
    low, high = VALUES
    values, lasts, symbols, statistics = VALUES, LASTS, SYMBOLS, STATISTICS

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__(stored)
        self.config, self.depth = config, len(config.latents)
        parts = [stored.part(kind) for kind in KINDS]
        self.nets = [BlockNet(config, part, chroma=bool(i)) for i, part in enumerate(parts)]
        self.latents = [
            CellLatents(config, part.part("latents"), config.context[i])
            for i, part in enumerate(parts)
            if self.depth
        ]
        self.prior_of_statistics = StatisticsPrior(stored.part("statistics"))

    # ---- statistics ----------------------------------------------------------------------------
    def measure(self, x: Coefficients) -> list[Integers]:
        """See `CoefficientModel.measure`."""
        return [statistics_of(part).astype(np.int32) for part in x]

    def walk_statistics(
        self, frames: Sequence[Frame], code: Callable[[LogisticParameters, Integers], Integers]
    ) -> list[list[Integers]]:
        """See `CoefficientModel.walk_statistics`."""
        told: list[list[Integers]] = [[] for _ in frames]
        for place in range(max(map(len, frames), default=0)):
            for kind in range(KINDS_OF_STATISTICS):
                some = [i for i, frame in enumerate(frames) if kind == _kind(frame, place)]
                if not some:
                    continue
                where = np.array([(i, place, 0) for i in some], np.int32)

                def each(
                    k: int, parameters: LogisticParameters, where: Integers = where
                ) -> Integers:
                    where[:, 2] = k
                    return code(parameters, where)

                own = _logs([frames[i][place] for i in some])
                known, before = np.zeros_like(own), own
                if place and kind:
                    known = np.stack([told[i][place - 1] for i in some])
                    before = _logs([frames[i][place - 1] for i in some])
                found = self.prior_of_statistics.walk(kind, own, (known, before), each)
                for i, row in zip(some, found, strict=True):
                    told[i].append(row)
        return told

    # ---- planes --------------------------------------------------------------------------------
    def lay(self, frames: Sequence[Frame], statistics: Sequence[Sequence[Integers]]) -> list[Plane]:
        """See `CoefficientModel.lay`."""
        return planes_of(frames, statistics)

    def fill(self, planes: list[Plane], x: Sequence[Coefficients]) -> None:
        """See `CoefficientModel.fill`."""
        for plane in planes:
            plane.x = x[plane.picture][plane.place]

    # ---- latents -------------------------------------------------------------------------------
    def posterior(self, planes: list[Plane]) -> LogisticParameters:
        """See `CoefficientModel.posterior`."""
        return _joined([self.latents[p.chroma].given_x(p, p.x) for p in planes])

    def prior(self, planes: list[Plane]) -> LogisticParameters:
        """See `CoefficientModel.prior`."""
        return _joined([self.latents[p.chroma].given_picture(p) for p in planes])

    def owners(self, planes: list[Plane]) -> Integers:
        """See `CoefficientModel.owners`."""
        cells = [int(np.prod(grid(plane))) for plane in planes]
        return np.repeat(np.array([plane.picture for plane in planes], np.int32), cells)

    def _ranks(
        self, planes: list[Plane], z1: Integers | None
    ) -> Iterator[tuple[BlockNet, list[Plane], list[Values] | None]]:
        """Planes that advance together, with their network, and gains and shifts of their cells."""
        cells = np.cumsum([int(np.prod(grid(plane))) for plane in planes])
        parts = [] if z1 is None else np.split(z1, cells[:-1])
        done = 0
        for some in ranks(planes):
            chroma = some[0].chroma
            mine = parts[done : done + len(some)]
            films = [self.latents[chroma].film_of(z) for z in mine] if mine else None
            yield self.nets[chroma], some, films
            done += len(some)

    # ---- coefficients --------------------------------------------------------------------------
    def coded(self, planes: list[Plane], z1: Integers | None) -> list[CodedBlocks]:
        """See `CoefficientModel.coded`."""
        engine = kernel.engine()
        compute = lockstep.mixtures if engine is None else engine.mixtures
        return [compute(*rank) for rank in self._ranks(planes, z1)]

    def walk(
        self, planes: list[Plane], z1: Integers | None, pop: CoefficientPop
    ) -> list[Coefficients]:
        """See `CoefficientModel.walk`."""
        engine = kernel.engine()
        for net, some, films in self._ranks(planes, z1):
            found: Sequence[NDArray[np.integer]] | None = None
            if engine is not None:
                found = pop.natively(partial(engine.pop, net, some, films))
            _fill(some, lockstep.pop(net, some, films, pop) if found is None else found)
        return _pictures(planes)

    def decided(self, planes: list[Plane], z1: Integers | None) -> list[Decisions]:
        """See `CoefficientModel.decided`."""
        engine = kernel.engine()
        compute = lockstep.decided if engine is None else engine.decided
        return [compute(*rank) for rank in self._ranks(planes, z1)]

    def learn(
        self, planes: list[Plane], z1: Integers | None, pop: DecisionPop
    ) -> list[Coefficients]:
        """See `CoefficientModel.learn`."""
        engine = kernel.engine()
        for net, some, films in self._ranks(planes, z1):
            found: Sequence[NDArray[np.integer]] | None = None
            if engine is not None:
                found = pop.natively(partial(engine.learn, net, some, films))
            _fill(some, lockstep.learn(net, some, films, pop) if found is None else found)
        return _pictures(planes)

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`: tiles of bytes are told as cells of all kinds of components."""
        cells = (x - 128).clip(*VALUES) * (np.arange(64) < 40)[:, None, None] // 16
        steps = np.arange(1, 65, dtype=np.int32)
        component = Component(CELL, CELL, (1, 1), steps)
        frames = [[component] * 3 for _ in cells]
        pictures = [[c.transpose(1, 2, 0).astype(np.int16)] * 3 for c in cells]
        planes = self.lay(frames, [self.measure(picture) for picture in pictures])
        self.fill(planes, pictures)
        z1 = None
        if self.depth:
            posterior = self.posterior(planes)
            z1 = middle(posterior)
            for terms in (posterior, self.prior(planes)):
                told.tiles(*(_by_picture(t, self.owners(planes)) for t in terms))
        for coded in self.coded(planes, z1):
            blocks = len(coded.lasts)
            told.tiles(*(_by_picture(t, coded.owner[:blocks]) for t in coded.of_lasts))
            told.tiles(*(_by_picture(t, coded.owner[blocks:]) for t in coded.of_symbols))
        told.once(self.prior_of_statistics.weights)
        told.once(self.prior_of_statistics.scales)


def _fill(planes: list[Plane], found: Sequence[NDArray[np.integer]]) -> None:
    for plane, x in zip(planes, found, strict=True):
        plane.x = x.astype(np.int16, copy=False)


def _pictures(planes: list[Plane]) -> list[Coefficients]:
    """Coefficients of the components of each picture."""
    count = len({plane.picture for plane in planes})
    pictures: list[list[NDArray[np.int16]]] = [[] for _ in range(count)]
    for plane in planes:  # in the order of their places
        pictures[plane.picture].append(plane.x)
    return list(pictures)


def _kind(frame: Frame, place: int) -> int | None:
    """Which statistics those of a component are like: 0, or 1 and 2 for chroma; None: none."""
    if place >= len(frame):
        return None
    return place if is_chroma(frame, place) else 0


def _logs(components: Sequence[Component]) -> Integers:
    """Logarithms of quantization steps, (N, 64)."""
    return log_steps(np.stack([component.steps for component in components]))


def _by_picture(terms: NDArray[np.integer], owner: Integers) -> NDArray[np.integer]:
    """(n, ..) -> (pictures, n / pictures, ..)"""
    order = np.argsort(owner, kind="stable")
    return terms[order].reshape(int(owner.max()) + 1, -1, *terms.shape[1:])


def _joined(parts: list[LogisticParameters]) -> LogisticParameters:
    return LogisticParameters(*(np.concatenate(p) for p in zip(*parts, strict=True)))
