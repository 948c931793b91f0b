"""The pictures of a chunk, pixel by pixel, each under what was coded before it."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.mixing import Adaptive, clip
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.reference.colours import code_colour, sources
from bitswap_models.families.drawn.reference.faults import damaged
from bitswap_models.families.drawn.reference.memory import (
    MEMORIES,
    MOST_CHANGES,
    Memory,
    Place,
)
from bitswap_models.families.drawn.reference.palette import Kind
from bitswap_models.families.drawn.reference.values import code_values
from bitswap_models.families.drawn.reference.window import MARGIN, Window
from bitswap_models.families.drawn.state import CONFIDENCES, State

LONG_RUN, FORGIVEN, FLAT_LIMIT = 1000, 8, 1023
Places = list[Place | None]


class Chunk:
    """Codes picture after picture.

    Parameters
    ----------
    config : Config
        Of the model.
    state : State
        Where it begins; nothing but `teach` changes it.
    bits : int
        Of the number of entries of a memory.
    words : uint32 array, optional
        What to decode; None encodes.
    """

    def __init__(
        self, config: Config, state: State, bits: int, words: NDArray[np.uint32] | None = None
    ) -> None:
        self._config = config
        self._coder = Encoder() if words is None else Decoder(words)
        self._adaptive, self._memory = Adaptive(state._asdict()), Memory(bits, config.ways)
        self._seen: list[int] = []
        self._pictures = 0
        self._held: Chunk | None = None

    def picture(self, pixels: NDArray[np.uint8], keys: NDArray[np.uint32]) -> int:
        """Code a picture, or fill it; returns its bits in 1/4096, a decoder 0.

        Parameters
        ----------
        pixels : uint8 array (H, W, C)
        keys : uint32 array (N,)
            Of the colours that it may have (palette.py); none: all.

        Raises
        ------
        ArchiveError
            The words are none that an encoder made.
        ValueError
            An encoder's picture has another colour than these.
        """
        try:
            return self._picture(pixels, keys)
        except Damaged:
            raise damaged() from None

    def _picture(self, pixels: NDArray[np.uint8], keys: NDArray[np.uint32]) -> int:
        before, (height, width, channels) = self._coder.cost, pixels.shape
        stride, kind = width + 2 * MARGIN, Kind(channels, self._pictures, keys.tolist())
        self._seen += [0] * (2 * stride)
        above: Places = [None] * (width + 1)
        for y in range(height):
            self._seen += [self._seen[len(self._seen) + MARGIN - stride]] * MARGIN
            own: Places = [None]
            for x in range(width):
                colour = int.from_bytes(pixels[y, x].tobytes(), "little")
                colour = self._code_pixel(own, above, stride, kind, colour)
                self._seen.append(colour)
                if self._coder.decoding:
                    pixels[y, x] = list(colour.to_bytes(channels, "little"))
            self._seen += [self._seen[-1]] * MARGIN
            above = own
        self._pictures += 1
        return self._coder.cost - before

    def _code_pixel(self, own: Places, above: Places, stride: int, kind: Kind, colour: int) -> int:
        """The colour of the next pixel of a row; `own` gets its place."""
        here = len(self._seen)
        v = Window(self._seen, here, stride)
        contexts = v.contexts()
        place = self._place(own, above, None if v.flat else contexts[0])
        there = self._seen[place.at] if place else 0
        if v.flat and self._goes_on(v, place, there, kind.channels, colour == v.w):
            colour = v.w
        else:
            colour = self._code_colour(v, contexts, place, there, kind, colour)
            self._memory.stand(contexts[0], Place(here, stride))
        own.append(_remembered(place, there == colour))
        return colour

    def _place(self, own: Places, above: Places, context: int | None) -> Place | None:
        """Where the next colours may stand: on from W's, below N's, or where the context stood."""
        w, n = own[-1], above[len(own)]
        place = None
        if w:
            place = Place(w.at + 1, w.stride, w.run)
        elif n:
            place = Place(n.at + n.stride, n.stride, n.run)
        if place and place.at >= len(self._seen):
            place = None
        if place is None and context is not None:
            place = self._memory.stood(context)
        return place

    def _goes_on(
        self, v: Window, place: Place | None, there: int, channels: int, same: bool
    ) -> bool:
        """Whether a pixel of a flat area has its colour."""
        says = 0 if place is None else 1 if there == v.w else 2
        run = min(place.run, 15) if place else 0
        at = ((says * 16 + run) * 2 + v.ahead) * 2 + (channels > 1)
        one = clip(self._adaptive.chance("flat", at), 1, 65535)
        broken = self._coder.code(one, int(not same))
        self._adaptive.count("flat", at, broken, FLAT_LIMIT)
        return not broken

    def _code_colour(
        self,
        v: Window,
        contexts: list[int],
        place: Place | None,
        there: int,
        kind: Kind,
        colour: int,
    ) -> int:
        told = [self._memory.entry(k, contexts[k]) for k in range(MEMORIES)]
        said = sources(v, place, there, told, kind.channels)
        a, memory, config = self._adaptive, self._memory, self._config
        without = [v.w] if v.flat else []
        found = code_colour(self._coder, a, memory, v, kind, said, config, without, colour)
        if found is None:
            found = code_values(self._coder, a, memory, v, kind, config.numbers, without, colour)
        for i, (own, confidence) in enumerate(said):
            if confidence >= 0:
                a.count("right", i * CONFIDENCES + confidence, int(own == found))
        for entry in told:
            entry.follow(found)
        return found

    def hold(self) -> None:
        """Hold what an encoder is, in place of what was held."""
        self._held = None
        self._held = deepcopy(self)

    def undo(self) -> bool:
        """Become what is held again.

        Returns
        -------
        bool
            False if that would not be known to a compiled kernel, which keeps MOST_CHANGES of its
            memory, and no messages: nothing changes then.
        """
        held, self._held = self._held, None
        if held is None or self._coder.messages > held._coder.messages:
            return False
        if self._memory.changes - held._memory.changes >= MOST_CHANGES:
            return False
        self.__dict__.update(held.__dict__)
        return True

    def words(self) -> NDArray[np.uint32]:
        """Words of all that was encoded; none of a decoder.

        Raises
        ------
        ArchiveError
            A decoder has not read all that it was told.
        """
        try:
            return self._coder.words()
        except Damaged:
            raise damaged() from None

    def teach(self, state: State) -> None:
        """Let a state be what this chunk has made of the one in which it began."""
        self._adaptive.teach(state._asdict())


def _remembered(place: Place | None, right: bool) -> Place | None:
    """The place of a pixel, as its neighbours see it."""
    if place and right:
        return Place(place.at, place.stride, min(place.run + 1, LONG_RUN))
    if place and place.run >= FORGIVEN:
        return Place(place.at, place.stride, min(place.run >> 3, 3))
    return None
