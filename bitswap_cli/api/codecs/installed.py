"""The installed models, and which of them suits the pictures of a catalogue."""

from typing import TYPE_CHECKING

from bitswap_cli.api.arguments import Notes, ignore
from bitswap_cli.api.codecs.tiles import Start, codec_of, load, start
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.probe import Probe, probes
from bitswap_cli.coding import ChunkCodec
from bitswap_cli.images.formats.lattice.format import FEATURE as LATTICE
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.picture import Picture

if TYPE_CHECKING:
    from bitswap_models.exact.model import ExactModel
    from bitswap_models.zoo import ModelFile

FAST_MODEL = "fast"  # for those who ask for speed
LATTICE_MODEL = "ycc"  # of luma and chroma: tried only where a picture is seen by these
# Those that take the least room are tried. Others are there for those who name them, for their
# speed or to compare, and to be fitted, which is quicker with a smaller one.
_TRIED = frozenset(["digits", "gray", "large", LATTICE_MODEL])
_FALLBACK = "photo"  # of archives without pictures
_NEAR = 1.1  # bytes of a sample, over those of the best model, that fitting may make good
_RIVALS = 3  # models at most that are fitted for a while, to go on with the best


class Installed:
    """The installed models, each loaded once, and tried once on a picture.

    Parameters
    ----------
    catalogue : Catalogue
        What will be compressed.
    scheme, batch, notes
        See `tiles.named`.
    """

    def __init__(
        self, catalogue: Catalogue, scheme: str | None, batch: int, *, notes: Notes = ignore
    ) -> None:
        self._catalogue = catalogue
        self._scheme, self._batch, self._notes = scheme, batch, notes
        self._loaded: dict[str, tuple[ModelFile, ExactModel]] = {}
        self._costs: dict[tuple[str, bytes, str], float] = {}

    def best(self, *, fitting: bool = False) -> list[Start]:
        """Return the codec of the model that codes a sample in the fewest bytes.

        If it is to be fitted, others may follow that are about as good, and may become better.

        Parameters
        ----------
        fitting : bool
            Whether the model is to be fitted: see `tiles.named`.

        Raises
        ------
        ModelError
            One fails its known answer on this machine.
        """
        from bitswap_models import zoo

        tried = probes(self._catalogue, wide=fitting)
        pictures = [picture for one in tried for picture in one.pictures]
        widths = {picture.pixels.shape[2] for picture in pictures}
        of_lattice = any(map(_is_luma_and_chroma, pictures))
        found: list[tuple[float, Start]] = []
        names = [
            name
            for name in zoo.embedded()
            if (of_lattice or name != LATTICE_MODEL) and _may_suit(name, widths, fitting=fitting)
        ]
        for name in names or [_FALLBACK]:
            file, model = self._load(name)
            codec = codec_of(model, self._scheme, self._batch, fitting=fitting)
            cost = sum(self._cost(name, codec, one) for one in tried)
            self._notes(f"model {name} codes the sample in about {cost:,.0f} bytes")
            found.append((cost, start(file, codec)))
        found.sort(key=lambda one: one[0])
        near = [one for cost, one in found if cost <= _NEAR * found[0][0]]
        return near[: _RIVALS if fitting else 1]

    def _load(self, name: str) -> "tuple[ModelFile, ExactModel]":
        from bitswap_models import zoo

        if name not in self._loaded:
            file = zoo.find(name)
            self._loaded[name] = file, load(file, self._notes)
        return self._loaded[name]

    def _cost(self, name: str, codec: ChunkCodec, one: Probe) -> float:
        """Return how many bytes a file of the sample would take, net.

        Whether larger models are known for other pictures changes nothing for those of a kind that
        was coded before.
        """
        costs = [float(one.size)]
        for number, picture in enumerate(one.pictures):
            key = name, one.name, picture.recipe.kind
            if key not in self._costs and (cost := one.cost(codec, number)) is not None:
                self._costs[key] = cost
            costs.append(self._costs.get(key, costs[0]))
        return min(costs)


def _is_luma_and_chroma(picture: Picture) -> bool:
    """Tell whether the channels of a picture are luma and chroma."""
    of_lattice = kind_of(picture.recipe.kind).feature == LATTICE
    return of_lattice and picture.pixels.shape[2] == 3


def _may_suit(name: str, widths: set[int], *, fitting: bool) -> bool:
    """Tell whether a model is a candidate for pictures of these numbers of channels; it is read and
    hashed only then."""
    from bitswap_models import zoo
    from bitswap_models.families import register

    if name == FAST_MODEL or not (fitting or name in _TRIED):
        return False
    metadata = zoo.read_metadata(zoo.EMBEDDED / name / zoo.MODEL_FILE)
    family = register.find(metadata["kind"])
    if family is None or (fitting and not family.fit):
        return False
    channels = metadata["config"]["channels"]
    return channels in widths or (channels == 3 and bool(widths & {1, 2}))
