"""Where pixels differ from what a decoder or a map makes, and by what, as columns of bytes."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError

_PLACE = 4  # bytes of how far a pixel is behind the one before


def corrections(pixels: NDArray[np.uint8], made: NDArray[np.uint8]) -> bytes:
    """Write where pixels (H, W, C) differ from those that were made, and by what."""
    channels = pixels.shape[2]
    where: NDArray[np.int64] = np.flatnonzero(pixels != made) // channels
    steps = np.diff(where, prepend=-1)
    where, steps = where[steps > 0], steps[steps > 0].astype("<u4") - 1
    places = steps.view(np.uint8).reshape(-1, _PLACE)
    own = pixels.reshape(-1, channels)[where] - made.reshape(-1, channels)[where]
    if channels == 3:
        own = np.stack((own[:, 1], own[:, 0] - own[:, 1], own[:, 2] - own[:, 1]), 1)
    return places.T.tobytes() + own.T.tobytes()


def corrected(made: NDArray[np.uint8], told: bytes) -> NDArray[np.uint8]:
    """Invert `corrections`; raise `ArchiveError` if they are of another picture."""
    channels = made.shape[2]
    columns = np.frombuffer(told, np.uint8)
    if columns.size % (_PLACE + channels):
        raise _misfit()
    planes = columns.reshape(_PLACE + channels, -1)
    steps = np.ascontiguousarray(planes[:_PLACE].T).view("<u4")[:, 0]
    where = np.cumsum(steps.astype(np.int64) + 1) - 1
    if where.size and where[-1] >= made.size // channels:
        raise _misfit()
    own = planes[_PLACE:].T
    if channels == 3:
        own = np.stack((own[:, 1] + own[:, 0], own[:, 0], own[:, 2] + own[:, 0]), 1)
    pixels = made.reshape(-1, channels).copy()
    pixels[where] += own
    return pixels.reshape(made.shape)


def _misfit() -> ArchiveError:
    return ArchiveError("the archive holds corrections of pixels that are malformed")
