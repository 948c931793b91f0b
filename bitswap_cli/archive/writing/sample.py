"""A sample of the pictures that are to be archived, to choose a codec by."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from bitswap_cli.archive.writing.choice import (
    candidates,
    codec_of,
    estimate,
    pictures,
    read_picture,
)
from bitswap_cli.contract import TileCodec
from bitswap_cli.images.picture import Picture

PICTURES = 24  # looked at, of all that there are
_TRIED = 10 * PICTURES  # files that may turn out to be no pictures
_READ = 1 << 23  # samples: large pictures take time to read, and fewer of them tell as much
_EDGE = 64  # pixels of the part of a picture that is coded


@dataclass(frozen=True)
class Sample:
    """The pictures that a file can be seen as, and bytes of the file."""

    pictures: list[Picture]
    size: int

    def cost(self, codec: TileCodec) -> float:
        """Bytes that it would take in an archive, net."""
        costs = [float(self.size)]
        for picture in self.pictures:
            own = codec_of(codec, picture)
            if own:
                costs.append(estimate(own, picture.pixels, _EDGE))
        return min(costs)


def sample(paths: Sequence[str | os.PathLike[str]], *, wide: bool = False) -> list[Sample]:
    """Look at some of the pictures below files and folders.

    Parameters
    ----------
    paths : sequence of paths
        As `sources.collect` takes them.
    wide : bool
        Look at wide pictures, too.

    Raises
    ------
    InputError
        If something cannot be read.
    """
    found: list[Sample] = []
    read = 0
    for source in candidates(paths)[:_TRIED]:
        data = read_picture(source)
        if data is None:
            continue
        seen = pictures(data, wide=wide)
        if not seen:
            continue
        found.append(Sample(seen, source.size))
        read += seen[0].pixels.size
        if len(found) == PICTURES or read >= _READ:
            break
    return found
