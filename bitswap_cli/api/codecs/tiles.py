"""From the name of a model to the codec of tiles for a new archive."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, cast

from bitswap_cli.api.arguments import Notes, ignore
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import COMMON, MODELS, TURNED, Fitted, Header, Tiled
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.coders.choice import choose_tiles, own_of
from bitswap_cli.archive.writing.coders.orientation import may_turn
from bitswap_cli.archive.writing.probe import probes
from bitswap_cli.coding import ChunkCodec, tile_codec
from bitswap_cli.contract import BYTES, TileCodec
from bitswap_cli.errors import ModelError
from bitswap_cli.images.formats.format import WIDE

if TYPE_CHECKING:
    from bitswap_models.exact.model import ExactModel
    from bitswap_models.zoo import ModelFile

NUMERIC_PROFILE = 1


class Start(NamedTuple):
    """The codecs of tiles for a new archive, and the header that says which ones they are."""

    codecs: tuple[ChunkCodec, ...]
    header: Header
    genres: Mapping[str, int] = MappingProxyType({})
    """See `Codecs`."""

    @property
    def codec(self) -> ChunkCodec:
        """The first one."""
        return self.codecs[0]

    @property
    def model(self) -> Tiled:
        """Its model, as the header names it."""
        return self.header.models[0]

    def put(self, codecs: Codecs) -> Codecs:
        """Put the codecs among those of an archive."""
        return codecs._replace(tiles=dict(enumerate(self.codecs)), genres=self.genres)


def named(
    name_or_path: str,
    scheme: str | None,
    batch: int,
    *,
    fitting: bool = False,
    notes: Notes = ignore,
) -> Start:
    """Return the codec of a model for a new archive.

    Parameters
    ----------
    name_or_path : str
        The model.
    scheme : {'bitswap', 'bbans', 'topdown'}, optional
        How latents are coded; as the model is coded best by default.
    batch : int
        Tiles that the networks see at a time.
    fitting : bool
        Whether the model is to be fitted: the codec knows grown models of wide pictures.
    notes : callable
        Told which model it is.

    Raises
    ------
    ModelError
        There is no such model, or it fails its known answer on this machine.
    """
    from bitswap_models import zoo

    file = zoo.resolve(name_or_path)
    return start(file, codec_of(load(file, notes), scheme, batch, fitting=fitting))


def turning(start: Start, catalogue: Catalogue) -> Start:
    """Let small pictures be turned, if there are any in a sample of the catalogue."""
    codecs = start.put(Codecs())
    for picture in (picture for one in probes(catalogue, wide=False) for picture in one.pictures):
        if own := own_of(codecs, picture):
            factor, _ = choose_tiles(own.codec, *picture.pixels.shape[:2])
            if may_turn(own.codec, picture.pixels, factor):
                return start._replace(header=start.header.using([TURNED]))
    return start


def refining(start: Start) -> Start:
    """Let what tiles have in common be chosen with time, if the model tells it and can do so."""
    from bitswap_models.families.register import family_of

    for codec in start.codecs:
        if codec.tells_common:
            model = cast("ExactModel", codec.model)
            family_of(model).refining().refine(model)
    return start


def start(file: "ModelFile", codec: ChunkCodec) -> Start:
    """Return the codec of a model's file with the header of an archive by it."""
    wide = codec.channels not in (1, 3) or codec.alphabet != BYTES
    features = frozenset(([WIDE] if wide else []) + ([COMMON] if codec.tells_common else []))
    model = Tiled(file.name, file.sha256, codec.name, NUMERIC_PROFILE, shape(codec))
    return Start((codec,), Header((model,), features))


def together(starts: Sequence[Start], genres: Mapping[str, int]) -> Start:
    """Return the codecs of one archive that has those of several, and which pictures they are for,
    as in `Codecs`."""
    if len(starts) == 1:
        return starts[0]
    features = frozenset([MODELS]).union(*(start.header.features for start in starts))
    codecs = tuple(start.codec for start in starts)
    return Start(codecs, Header(tuple(start.model for start in starts), features), genres)


def load(file: "ModelFile", notes: Notes) -> "ExactModel":
    """Return the model of a file.

    Raises
    ------
    ModelError
        It fails its known answer on this machine, or is no model of pixels.
    """
    from bitswap_models.families.register import family_of
    from bitswap_models.stored import model_file

    notes(f"model {file.name}, SHA-256 {file.sha256}, from {file.path}")
    model = model_file.load(file)
    if (subject := family_of(model).subject) != "tiles":
        raise ModelError(f"{file.name} is a model of {subject}: give one of tiles of pixels")
    return model


def codec_of(
    model: "ExactModel",
    scheme: str | None,
    batch: int,
    fitted: Sequence[Fitted] = (),
    *,
    fitting: bool = False,
) -> ChunkCodec:
    """Return the codec of a model; it knows those that were fitted from it, or, for fitting, larger
    ones.

    Raises
    ------
    ModelError
        A fitted one fails its known answer on this machine.
    """
    from bitswap_models.families.register import family_of
    from bitswap_models.stored import fitted_model

    larger = family_of(model).larger
    if fitting and larger is not None:
        return tile_codec(model, scheme, batch, lambda channels: larger(model, channels, 0, 0))
    family = {one.channels: fitted_model.decode(model, *one) for one in fitted}
    return tile_codec(family.get(model.channels, model), scheme, batch, family.get)


def shape(codec: TileCodec) -> tuple[int, int, int]:
    """Return height, width and channels of a codec's tiles."""
    return codec.tile_height, codec.tile_width, codec.channels
