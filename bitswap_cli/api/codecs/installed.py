"""The installed models, and which of them suit the pictures of a catalogue."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bitswap_cli.api.arguments import Notes, ignore
from bitswap_cli.api.codecs.sharing import Trial, View, shared, sums
from bitswap_cli.api.codecs.tiles import Start, codec_of, load, start, together
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.coders.drawn import estimate, whole
from bitswap_cli.archive.writing.probe import EDGE, Probe, probes
from bitswap_cli.coding import ChunkCodec
from bitswap_cli.contract import PictureCodec
from bitswap_cli.images.genres import GRAY, LUMA_AND_CHROMA, PLANES, RGB, SMALL_GRAY, genre_of
from bitswap_cli.threads import Threads

if TYPE_CHECKING:
    from bitswap_models.exact.model import ExactModel
    from bitswap_models.zoo import ModelFile

FAST_MODEL = "fast"  # for those who ask for speed
LATTICE_MODEL = "ycc"  # of luma and chroma: only where a picture is seen by these
# Those that take the least room are tried; the first one here is for what no sample is of. Others
# are there for those who name them, for their speed or to compare, and to be fitted, which is
# quicker with a smaller one.
_TRIED = {
    RGB: ["large"],
    LUMA_AND_CHROMA: [LATTICE_MODEL, "large"],
    PLANES: ["gray", "large"],
    GRAY: ["gray", "large", "digits"],
    SMALL_GRAY: ["gray", "large", "digits"],
}
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
    threads : int
        Pictures that models are tried on at the same time.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        scheme: str | None,
        batch: int,
        *,
        notes: Notes = ignore,
        threads: int = 1,
    ) -> None:
        self._catalogue = catalogue
        self._scheme, self._batch, self._notes = scheme, batch, notes
        self._threads = threads
        self._loaded: dict[str, tuple[ModelFile, ExactModel]] = {}
        self._costs: dict[tuple[str, bytes, str], float | None] = {}

    def best(self, drawn: PictureCodec | None, haste: float) -> Start:
        """Return the codecs of the models that code a sample in the fewest bytes: one, unless more
        pay.

        Parameters
        ----------
        drawn : PictureCodec, optional
            May code whole pictures instead.
        haste : float
            How many times fewer bytes it has to promise.

        Raises
        ------
        ModelError
            One fails its known answer on this machine.
        """
        from bitswap_models import zoo

        here = set(zoo.embedded())
        tried = [
            (one, [[n for n in _TRIED.get(genre_of(p), ()) if n in here] for p in one.pictures])
            for one in probes(self._catalogue, wide=False)
        ]
        names = sorted({name for _, views in tried for view in views for name in view})
        if len(names) < 2:
            return self._start((names or [_FALLBACK])[0])
        starts = {name: self._start(name) for name in names}
        codecs = {name: start.codec for name, start in starts.items()}
        with Threads(self._threads) as pool:
            told = pool.map(lambda one: self._trial(one[0], one[1], codecs, drawn, haste), tried)
            trials = list(told)
        for genre, own in sums(trials).items():
            for name, cost in own.items():
                self._notes(f"model {name} codes the sample in about {cost:,.0f} bytes ({genre})")
        models, genres = shared(trials)
        others = {genre: [n for n in some if n in models] for genre, some in _TRIED.items()}
        genres = {genre: some[0] for genre, some in others.items() if some} | genres
        numbers = {genre: models.index(name) for genre, name in genres.items()}
        return together([starts[name] for name in models], numbers)

    def rivals(self) -> list[Start]:
        """Return the codec of the one model that codes a sample in the fewest bytes, of those that
        can be fitted; others may follow that are about as good, and may become better.

        Raises
        ------
        ModelError
            One fails its known answer on this machine.
        """
        from bitswap_models import zoo

        tried = probes(self._catalogue)
        pictures = [picture for one in tried for picture in one.pictures]
        widths = {picture.pixels.shape[2] for picture in pictures}
        genres = set(map(genre_of, pictures))
        found: list[tuple[float, Start]] = []
        for name in [n for n in zoo.embedded() if _may_suit(n, widths, genres)] or [_FALLBACK]:
            file, model = self._load(name)
            codec = codec_of(model, self._scheme, self._batch, fitting=True)
            cost = sum(one.weight * self._least(name, codec, one) for one in tried)
            self._notes(f"model {name} codes the sample in about {cost:,.0f} bytes")
            found.append((cost, start(file, codec)))
        found.sort(key=lambda one: one[0])
        near = [one for cost, one in found if cost <= _NEAR * found[0][0]]
        return near[:_RIVALS]

    def _load(self, name: str) -> "tuple[ModelFile, ExactModel]":
        from bitswap_models import zoo

        if name not in self._loaded:
            file = zoo.find(name)
            self._loaded[name] = file, load(file, self._notes)
        return self._loaded[name]

    def _start(self, name: str) -> Start:
        file, model = self._load(name)
        return start(file, codec_of(model, self._scheme, self._batch))

    def _trial(
        self,
        one: Probe,
        views: list[list[str]],
        codecs: Mapping[str, ChunkCodec],
        drawn: PictureCodec | None,
        haste: float,
    ) -> Trial:
        """Try models on each view of a file, and the one of whole pictures."""
        told = list[View]()
        for number, (picture, names) in enumerate(zip(one.pictures, views, strict=True)):
            tried = {name: self._cost(name, codecs[name], one, number) for name in names}
            costs = {name: cost for name, cost in tried.items() if cost is not None}
            told.append(View(genre_of(picture), costs))
        others = whole(one.pictures) if drawn else []
        rivals = [estimate(drawn, *other, haste, EDGE) for other in others if drawn]
        return Trial(one.size, min([one.size, *rivals]), told, one.weight)

    def _cost(self, name: str, codec: ChunkCodec, one: Probe, number: int) -> float | None:
        """Return how many bytes a file of the sample would take as one of its pictures, net; None
        if there is no codec of that.

        Whether larger models are known for other pictures changes nothing for those of a kind that
        was coded before.
        """
        key = name, one.name, one.pictures[number].recipe.kind
        if self._costs.get(key) is None:
            self._costs[key] = one.cost(codec, number)
        return self._costs[key]

    def _least(self, name: str, codec: ChunkCodec, one: Probe) -> float:
        """Return how many bytes a file of the sample would take, whatever it is seen as."""
        costs = (self._cost(name, codec, one, number) for number in range(len(one.pictures)))
        return min([float(one.size), *(cost for cost in costs if cost is not None)])


def _may_suit(name: str, widths: set[int], genres: set[str]) -> bool:
    """Tell whether a model may be fitted to pictures of these numbers of channels and genres; it is
    read and hashed only then."""
    from bitswap_models import zoo
    from bitswap_models.families import register

    if name == FAST_MODEL or (name == LATTICE_MODEL and LUMA_AND_CHROMA not in genres):
        return False
    metadata = zoo.read_metadata(zoo.EMBEDDED / name / zoo.MODEL_FILE)
    family = register.find(metadata["kind"])
    if family is None or not family.fit:
        return False
    channels = metadata["config"]["channels"]
    return channels in widths or (channels == 3 and bool(widths & {1, 2}))
