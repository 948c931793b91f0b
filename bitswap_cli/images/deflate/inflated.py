"""What engines exchange: an inflated stream with its tokens and blocks, and corrections."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.deflate.columns import Column

PADDING = 512  # zeros behind inflated bytes, which a search may read

DAMAGED = "the compressed data is damaged: its corrections make no deflate stream"

Bytes = NDArray[np.uint8]  # inflated, and PADDING
Tokens = NDArray[np.uint32]  # 0 for a literal, else length << 16 | distance
Blocks = NDArray[np.int32]  # rows: kind (0 stored, 1 fixed, 2 dynamic), size, padding bits
Seen = NDArray[np.uint32]  # what a search saw while it was described, in an engine's own way
UNSEEN: Seen = np.empty(0, np.uint32)


class Inflated(NamedTuple):
    """A deflate stream as it was made.

    Attributes
    ----------
    data : uint8 array
        The inflated bytes, and PADDING zeros behind them.
    tokens : uint32 array
        Of all blocks but stored ones, in order.
    blocks : int32 array, shape (n, 3)
        Kind; size in tokens, or bytes if stored; value of the padding bits if stored.
    heads : uint8 array
        Of each dynamic block: HLIT, HDIST, HCLEN, the lengths of the code of operations in the
        order in which they were sent, the operations, each of 16 to 18 followed by its extra bits.
    consumed : int
        Bytes of the stream.
    pad : int
        Value of the padding bits behind the last block.
    """

    data: Bytes
    tokens: Tokens
    blocks: Blocks
    heads: NDArray[np.uint8]
    consumed: int
    pad: int


class Walked(NamedTuple):
    """Whole blocks of a stream that were gone through.

    Attributes
    ----------
    end : int
        The bit behind them.
    size : int
        Bytes that they inflate to.
    start : int
        The bit at which the last of them begins.
    last : bool
        Whether that is the last one of the stream.
    """

    end: int
    size: int
    start: int
    last: bool


class Predicted(NamedTuple):
    """How the tokens of a stream differ from what a predictor says.

    Attributes
    ----------
    wrong : int
        Tokens that are not as predicted.
    columns : list of int32 arrays
        What tells them; see native/deflate.h.
    seen : uint32 array or None
        What was predicted at each token, if an engine keeps that.
    ranked : int32 array
        Distances that were told by their ranks.
    """

    wrong: int
    columns: list[Column]
    seen: Seen | None = None
    ranked: Column = np.empty(0, np.int32)


class Told(NamedTuple):
    """A stream that is told by costs.

    Attributes
    ----------
    message : bytes
        What `hear` needs besides the data.
    seen : uint32 array
        What was foreseen and asked for, so that what is heard is proved without another search;
        empty if an engine does not keep that, or if it would be too much.
    """

    message: bytes
    seen: Seen = UNSEEN
