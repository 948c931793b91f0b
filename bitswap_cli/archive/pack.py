"""Files into an archive."""

import os
from collections.abc import Sequence

from bitswap_cli.archive.codec import TileCodec
from bitswap_cli.archive.format import Header
from bitswap_cli.archive.report import PackReport, Progress


def pack(
    sources: Sequence[str | os.PathLike[str]],
    destination: str | os.PathLike[str],
    codec: TileCodec | None,
    header: Header,
    *,
    force: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> PackReport:
    """Write an archive of files and folders.

    The bytes of the archive do not depend on `threads`.

    Parameters
    ----------
    sources : sequence of paths
        Files and folders. A folder's entries are named from the folder's own name on.
    destination : path
        The archive; written beside itself under a temporary name, then renamed.
    codec : TileCodec or None
        Encoder of pictures; None keeps every file byte for byte.
    header : Header
        Names the model behind `codec` (`Header.without_model()` if there is none).
    force : bool
        Replace an existing archive.
    threads : int
        Chunks encoded at the same time.
    progress : callable, optional
        Called with the source bytes done and the source bytes in all.

    Raises
    ------
    InputError
        If a source cannot be read, two sources share a name, or the destination cannot be written.
    """
    raise NotImplementedError
