"""The pixels around the next one, each a colour: its channels in the bytes of an integer."""

from __future__ import annotations

from bitswap_cli.mixing.mixing import clip, mingle

MARGIN = 3  # columns beside a picture; two rows are above it


def channel(colour: int, k: int) -> int:
    """A channel of a colour."""
    return colour >> (8 * k) & 255


def median(w: int, n: int, nw: int) -> int:
    """w + n - nw, within w and n."""
    return clip(w + n - nw, min(w, n), max(w, n))


class Window:
    """Twelve pixels around the one at `at`, rows being `stride` apart."""

    def __init__(self, seen: list[int], at: int, stride: int) -> None:
        up, over = at - stride, at - 2 * stride
        self.w, self.n, self.nw, self.ne = seen[at - 1], seen[up], seen[up - 1], seen[up + 1]
        self.ww, self.nn, self.nne, self.nww = (
            seen[at - 2],
            seen[over],
            seen[over + 1],
            seen[up - 2],
        )
        self.far = seen[up + 2], seen[over - 1], seen[over - 2], seen[over + 2]
        near = self.n, self.nw, self.ne, self.ww, self.nn, self.nne, self.nww
        self.flat = all(colour == self.w for colour in (*near, *self.far))
        self.ahead = int(seen[up + 3] == self.w)
        """Whether the row above goes on with W's colour."""
        self.equal = (
            (self.w == self.n)
            | (self.w == self.nw) << 1
            | (self.n == self.nw) << 2
            | (self.n == self.ne) << 3
            | (self.w == self.ww) << 4
        )

    def contexts(self) -> list[int]:
        """Hashes of 12, 7, 4, 2, 2 and 2 of the pixels."""
        four = mingle(mingle(self.w, self.n), mingle(self.nw, self.ne))
        beyond = mingle(self.ww, self.nn)
        nee, nnw, nnww, nnee = self.far
        rest = mingle(mingle(nee, nnw), mingle(nnww, nnee))
        return [
            mingle(four, mingle(beyond, mingle(mingle(self.nne, self.nww), rest))),
            mingle(four, mingle(beyond, self.nne)),
            four,
            mingle(self.w, self.n),
            mingle(self.w, self.nw),
            mingle(self.n, self.ne),
        ]
