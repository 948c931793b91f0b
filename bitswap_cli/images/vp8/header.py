"""Headers of frames (RFC 6386, section 9)."""

from __future__ import annotations

from bitswap_cli.images.vp8.coefficients import Blocks
from bitswap_cli.images.vp8.decisions import Decisions, Known
from bitswap_cli.images.vp8.macroblocks import Settings
from bitswap_cli.images.vp8.numbers import numbers
from bitswap_cli.images.vp8.state import OF_BLOCKS
from bitswap_cli.mixing.mixing import clip

OF_HEADERS = OF_BLOCKS + 64
NEAR_HEADERS, AT_HEADERS = 700, 2041  # sets of weights
SEGMENTS = 4


class Header:
    """Codes the header of a frame.

    Parameters
    ----------
    decisions : Decisions
    """

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._indices = [0] * SEGMENTS
        self._segmented = self._whole = 0

    def coded(self, blocks: Blocks) -> Settings:
        """What it says; `blocks` get their probabilities."""
        self._flag(1), self._flag(2)  # the space of colours, and how they are cut
        tree = self._segments()
        self._filters()
        partitions = 1 << self._number(35, 2)
        steps = self._steps()
        self._flag(46)  # whether probabilities last
        self._probabilities(blocks)
        skip = self._number(48, 8) if self._flag(47) else None
        return Settings(tree, skip, steps, partitions)

    def _flag(self, place: int) -> int:
        known = Known((place,), NEAR_HEADERS, AT_HEADERS)
        return self._decisions.decided(0, OF_HEADERS + place % 64, known, 128)

    def _number(self, place: int, bits: int) -> int:
        found = 1
        for _ in range(bits):
            found = 2 * found + self._flag(256 * place + found)
        return found - (1 << bits)

    def _optional(self, place: int, bits: int) -> int:
        """A number with a sign, if one is told."""
        if not self._flag(place):
            return 0
        found = self._number(place, bits)
        return -found if self._flag(place + 64) else found

    def _segments(self) -> list[int] | None:
        """Indices of steps of segments; probabilities, if a macroblock tells its own one."""
        self._segmented = self._flag(3)
        if not self._segmented:
            return None
        told = self._flag(4)
        if self._flag(5):
            self._whole = self._flag(6)
            self._indices = [self._optional(8 + i, 7) for i in range(SEGMENTS)]
            for i in range(SEGMENTS):
                self._optional(12 + i, 6)  # of loop filters
        if not told:
            return None
        return [self._number(16 + i, 8) if self._flag(16 + i) else 255 for i in range(3)]

    def _filters(self) -> None:
        self._flag(20), self._number(21, 6), self._number(22, 3)
        if self._flag(23) and self._flag(24):
            for i in range(8):
                self._optional(25 + i, 6)

    def _steps(self) -> list[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]:
        """Those of all segments."""
        dc, ac = numbers().dc.tolist(), numbers().ac.tolist()
        base = self._number(36, 7)
        y1, y2_dc, y2_ac, uv_dc, uv_ac = (self._optional(37 + i, 4) for i in range(5))
        found = []
        for own in self._indices:
            at = (own if self._whole else own + base) if self._segmented else base
            luma = dc[clip(at + y1, 0, 127)], ac[clip(at, 0, 127)]
            second = 2 * dc[clip(at + y2_dc, 0, 127)], ac[clip(at + y2_ac, 0, 127)] * 155 // 100
            chroma = dc[clip(at + uv_dc, 0, 117)], ac[clip(at + uv_ac, 0, 127)]
            found.append((luma, (second[0], max(second[1], 8)), chroma))
        return found

    def _probabilities(self, blocks: Blocks) -> None:
        """Those of coefficients, of which those are told that are not usual."""
        updates = numbers().updates.ravel().tolist()
        for i, update in enumerate(updates):
            known = Known((i,), NEAR_HEADERS + 1, AT_HEADERS + 1)
            if not self._decisions.decided(0, OF_HEADERS + 64, known, update):
                continue
            rest, branch = divmod(i, 11)
            kind, band, context = rest // 24, rest // 3 % 8, rest % 3
            own = blocks.probabilities[kind][band][context]
            so_far = 1
            for bit in range(8):
                of = i, own[branch] >> 4, i // 33, branch, 0
                known = Known(
                    [so_far + 256 * k for k in of], NEAR_HEADERS + 2 + bit, AT_HEADERS + 1
                )
                node = OF_HEADERS + 65 + min(bit, 4)
                so_far = 2 * so_far + self._decisions.decided(0, node, known, 128)
            own[branch] = so_far - 256
