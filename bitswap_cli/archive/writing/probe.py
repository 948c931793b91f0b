"""Some of the pictures that are to be archived, to choose models by."""

from contextlib import closing
from dataclasses import dataclass, replace

from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.seen import Group
from bitswap_cli.archive.writing.coders.choice import codec_of, estimate
from bitswap_cli.contract import TileCodec
from bitswap_cli.images.picture import Picture

PICTURES = 24  # looked at, of all that there are
_FEWEST = 4  # of those that can be seen alike
_READ = 1 << 23  # samples: large pictures take time to read, and fewer of them tell as much
EDGE = 128  # pixels of the part of a picture that is coded: it has a z_2, as larger ones do


@dataclass(frozen=True)
class Probe:
    """The pictures that a file can be seen as, and bytes of the file."""

    name: bytes
    pictures: list[Picture]
    size: int
    weight: float = 1.0
    """How many times its own samples it stands for."""

    def cost(self, codec: TileCodec, number: int) -> float | None:
        """Bytes that it would take in an archive as one of its pictures, net; None if there is no
        codec of that."""
        picture = self.pictures[number]
        own = codec_of(codec, picture)
        return estimate(own, picture, EDGE) if own else None


def probes(catalogue: Catalogue, *, wide: bool = True) -> list[Probe]:
    """Look at some of the pictures of a catalogue, of all genres that there are; not at `wide` ones
    if they are of no interest.

    Raises
    ------
    InputError
        If something cannot be read.
    """
    found: list[Probe] = []
    groups = catalogue.by_genres(wide=wide)
    for genres in sorted(groups):
        share = max(PICTURES // len(groups), _FEWEST)
        found += _some(catalogue, groups[genres], share, _READ // len(groups), wide)
    return found + _middles(catalogue, max(PICTURES - len(found), _FEWEST))


def _some(catalogue: Catalogue, group: Group, most: int, samples: int, wide: bool) -> list[Probe]:
    """Return some pictures that stand for all of a group: so many, or of about so many samples."""
    found: list[Probe] = []
    read = 0
    with closing(catalogue.look_at(group.sources, wide=wide)) as looks:
        for source, seen in looks:
            if not seen:
                continue
            found.append(Probe(source.name, seen.pictures, source.size))
            read += seen.pictures[0].pixels.size
            if len(found) == most or read >= samples:
                break
    return [replace(one, weight=group.samples / read) for one in found]


def _middles(catalogue: Catalogue, most: int) -> list[Probe]:
    """Return the middles of pictures that are had by strips, with their part of the files."""
    found = list[Probe]()
    for source in catalogue.large[:most]:
        if seen := catalogue.strips(source):
            height, width, channels = seen.strips.shape
            share = seen.middle.pixels.size / (height * width * channels)
            size = round(source.size * share)
            found.append(Probe(source.name, [seen.middle], size, 1 / share))
    return found
