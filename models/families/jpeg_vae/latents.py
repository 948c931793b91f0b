"""z_1: a vector for each cell of 8x8 blocks of a plane, which scales and shifts its context.

q(z_1 | x)   of mean magnitudes of the cell's coefficients
p(z_1)       of the statistics of the picture
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import LogisticParameters
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.latents import MEANS, SCALES
from bitswap_models.exact.layers import ACTIVATION, ACTIVATION_MAX, Shape
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.jpeg_vae.config import CELL, Config
from bitswap_models.families.jpeg_vae.features import Integers
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.families.jpeg_vae.tables import INPUT_MAX, tables

FILM = (-1024, 1023)  # gains and shifts


class Told(NamedTuple):
    """Mean and scale index of vectors of latents."""

    mean: Values
    scale: Values


def grid(plane: Plane) -> tuple[int, int]:
    """Rows and columns of cells of a plane."""
    rows, columns, _ = plane.x.shape
    return -(-rows // CELL), -(-columns // CELL)


def pooled(x: NDArray[np.integer]) -> Values:
    """Twice the mean logarithm of each coefficient's magnitude in each cell: (R, C, 64) ->
    (cells, 64); of DC 0."""
    logs = tables().log[np.minimum(np.abs(x), INPUT_MAX)]
    rows, columns = (np.arange(0, n, CELL) for n in x.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(logs, rows, 0), columns, 1)
    counts = np.outer(np.minimum(CELL, x.shape[0] - rows), np.minimum(CELL, x.shape[1] - columns))
    means = 2 * sums // counts[:, :, None]
    means[:, :, 0] = 0
    return means.reshape(-1, 64).astype(np.int16)


def picture_inputs(plane: Plane) -> Values:
    """(1, 128): what is known of a plane before its coefficients."""
    statistics = 4 * plane.statistics.astype(np.int16)
    return np.concatenate((statistics, plane.logs))[None].astype(np.int16)


class _Head:
    """Vector -> mean and scale index of a vector of latents."""

    def __init__(self, stored: Stored, inputs: int, most: int, config: Config) -> None:
        link, latents = config.link, config.latents[0]
        self.hidden = stored.layer("hidden", Shape(inputs, link, input_max=most))
        self.mean = stored.layer("mean", Shape(link, latents))
        self.scale = stored.layer("scale", Shape(link, latents))

    def __call__(self, x: Values) -> Told:  # (N, I) -> (N, D) twice
        h = self.hidden(x[:, None, None], within=ACTIVATION)
        return Told(self.mean(h, within=MEANS)[:, 0, 0], self.scale(h, within=SCALES)[:, 0, 0])


class CellLatents:
    """The latents of one kind of component."""

    def __init__(self, config: Config, stored: Stored, context: int) -> None:
        self.posterior = _Head(stored.part("posterior"), 192, ACTIVATION_MAX, config)
        self.prior = _Head(stored.part("prior"), 128, INPUT_MAX, config)
        self.film = (
            stored.layer("film.0", Shape(config.latents[0], config.link, input_max=128)),
            stored.layer("film.1", Shape(config.link, 2 * context)),
        )

    def given_x(self, plane: Plane, x: NDArray[np.integer]) -> LogisticParameters:
        """q(z_1 | x) of a plane's cells, (cells, D)."""
        seen = pooled(x)
        picture = np.repeat(picture_inputs(plane), len(seen), 0)
        told = self.posterior(np.concatenate((seen, picture), 1))
        return LogisticParameters(*(t.astype(np.int32) for t in told))

    def given_picture(self, plane: Plane) -> LogisticParameters:
        """p(z_1) of a plane's cells, (cells, D)."""
        rows, columns = grid(plane)
        told = self.prior(picture_inputs(plane))
        terms = (np.repeat(t, rows * columns, 0).astype(np.int32) for t in told)
        return LogisticParameters(*terms)

    def film_of(self, z: Integers) -> Values:
        """Gains and shifts: (cells, D) -> (cells, 2, C)."""
        first, second = self.film
        h = first(z.astype(np.int16)[:, None, None], within=ACTIVATION)
        return second(h, within=FILM)[:, 0, 0].reshape(len(z), 2, -1)
