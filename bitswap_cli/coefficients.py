"""The nouns of JPEG coefficients that rooms share: frames, a model of coefficients, what it tells.

contract.py has those of pixels. Everything that goes into a model or comes out of it while it codes
is an integer array that does not depend on the machine, the number of threads or the batch size.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.kernel import Native
from bitswap_cli.ans.parameters import LogisticParameters, MixtureParameters
from bitswap_cli.contract import Alphabet, Integers

T = TypeVar("T")


class Component(NamedTuple):
    """A component of a picture, as a file's frame tells it: its blocks in a column and in a row,
    how many rows and columns of the first component's pixels one of its own covers, and its
    quantization steps (64,) in zigzag order."""

    rows: int
    columns: int
    sampling: tuple[int, int]
    steps: NDArray[np.int32]


Frame = Sequence[Component]
Coefficients = Sequence[NDArray[np.int16]]
"""Of each component of a picture (rows, columns, 64), in zigzag order."""


class EncodedPictures(NamedTuple):
    """The coefficients of the pictures of one chunk as words."""

    words: bytes
    """The message, opaque to the archive."""
    excess: bytes
    """What the model's alphabet does not hold, most often nothing."""
    payload_used: int
    """How many leading bytes of the payload the initial bits swallowed."""
    bits: NDArray[np.float64]
    """Net bits of each picture: of coefficients, latents and statistics, (N, 3)."""


class BlockCodec(Protocol):
    """Encoder and decoder of blocks of coefficients; called from several threads at once."""

    def encode(
        self, frames: Sequence[Frame], pictures: Sequence[Coefficients], payload: bytes
    ) -> EncodedPictures:
        """Code pictures as one self-contained message.

        Parameters
        ----------
        frames : sequence of Frame
        pictures : sequence of Coefficients
        payload : bytes
            Bytes that may serve as initial bits.
        """

    def decode(
        self, words: bytes, excess: bytes, frames: Sequence[Frame]
    ) -> tuple[list[list[NDArray[np.int16]]], bytes]:
        """Restore pictures, and the part of the payload that the encoder swallowed.

        Raises
        ------
        ArchiveError
            If this cannot be what `encode` returned for these frames.
        """


class CodedBlocks(NamedTuple):
    """All symbols of some blocks with their distributions, in the order in which a decoder pops.

    Wave by wave it pops the index of the last coefficient other than 0 of each block, then the
    batches of coefficients.
    """

    lasts: Integers  # (blocks,)
    of_lasts: MixtureParameters  # (blocks, K)
    symbols: Integers  # of coefficients, (n,)
    of_symbols: MixtureParameters  # (n, K)
    waves: Integers  # how many blocks a wave has, (W,)
    batches: Integers  # how many symbols each batch of coefficients of a wave has, (W, 64)
    owner: Integers  # the picture of each block, then of each symbol, (blocks + n,)


class Decisions(NamedTuple):
    """What an encoder of some blocks pushes where a model learns while it codes: yes and no, in the
    order in which a decoder pops them."""

    told: NDArray[np.uint32]
    """Which, 0 or 1, times 2^16, and the probability of 1 in 2^16, 1..65535: (n,)"""
    bits: NDArray[np.float64]
    """What those of each plane cost, (planes,)."""
    owner: Integers
    """The picture of each plane, (planes,)."""


class DecisionPop(Protocol):
    """Pops decisions from a message."""

    def __call__(self, one: int) -> int:
        """Pop one whose probability of 1 is `one` / 2^16."""

    def natively(self, work: Callable[[Native], T]) -> T | None:
        """As that of `CoefficientPop`."""


class CoefficientPop(Protocol):
    """Pops symbols under mixtures from a message."""

    def __call__(self, parameters: MixtureParameters, alphabet: Alphabet) -> Integers:
        """Pop symbols, (n,), under parameters (n, K)."""

    def natively(self, work: Callable[[Native], T]) -> T | None:
        """Let a compiled kernel pop by itself; None where the message's engine is not compiled."""


class CoefficientModel(Protocol):
    """A model of coefficients: p(statistics) p(z_1 | statistics) p(x | z_1, statistics).

    What `lay` returns are the model's own *planes*; the coder hands them back unseen.
    """

    depth: int
    """L, 0 or 1."""
    growth: Fraction
    """Largest group, as a share of the blocks before it."""
    values: Alphabet
    """Of coefficients; what is beyond is clipped."""
    lasts: Alphabet
    symbols: Alphabet
    statistics: Alphabet
    """Of what is coded: indices of last coefficients, coefficients, statistics."""

    def measure(self, x: Coefficients) -> list[Integers]:
        """Statistics of a picture, (64,) of each component."""

    def walk_statistics(
        self, frames: Sequence[Frame], code: Callable[[LogisticParameters, Integers], Integers]
    ) -> list[list[Integers]]:
        """Ask `code` for statistics, batch by batch, and return them as `measure` does.

        It is told their distributions, (n,), and their picture, component and index, (n, 3).
        """

    def lay(self, frames: Sequence[Frame], statistics: Sequence[Sequence[Integers]]) -> Any:
        """What is known of pictures before their coefficients."""

    def fill(self, planes: Any, x: Sequence[Coefficients]) -> None:
        """Tell planes their coefficients."""

    def posterior(self, planes: Any) -> LogisticParameters:
        """q(z_1 | x) of filled planes, (cells, D)."""

    def prior(self, planes: Any) -> LogisticParameters:
        """p(z_1), (cells, D)."""

    def owners(self, planes: Any) -> Integers:
        """The picture of each cell, (cells,)."""

    def coded(self, planes: Any, z1: Integers | None) -> Sequence[CodedBlocks]:
        """p(x | z_1) of filled planes, in coding order."""

    def walk(self, planes: Any, z1: Integers | None, pop: CoefficientPop) -> list[Coefficients]:
        """Ask `pop` for the coefficients of planes, and fill these."""

    def decided(self, planes: Any, z1: Integers | None) -> Sequence[Decisions]:
        """As `coded`, but learn from what is coded."""

    def learn(self, planes: Any, z1: Integers | None, pop: DecisionPop) -> list[Coefficients]:
        """As `walk`, but learn from what is coded."""
