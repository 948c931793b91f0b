"""From the name of a model to the codec of tiles for a new archive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bitswap_cli.api.arguments import Notes, ignore
from bitswap_cli.archive.format.header import TURNED, Fitted, Header
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.coders.choice import choose_tiles
from bitswap_cli.archive.writing.coders.orientation import may_turn
from bitswap_cli.archive.writing.sample import sample
from bitswap_cli.coding import ChunkCodec, tile_codec
from bitswap_cli.contract import BYTES, TileCodec
from bitswap_cli.errors import ModelError
from bitswap_cli.images.formats.format import WIDE

if TYPE_CHECKING:
    from bitswap_models.zoo import ModelFile

NUMERIC_PROFILE = 1
FALLBACK = "photo"  # of archives without pictures
FAST_MODEL = "fast"  # for those who ask for speed: it is not tried among the others
NEAR = 1.1  # bytes of a sample, over those of the best model, that fitting may make good
RIVALS = 3  # models at most that are fitted for a while, to go on with the best


class Start(NamedTuple):
    """The codec for a new archive, and the header that says which one it is."""

    codec: ChunkCodec
    header: Header


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
    return _start(file, load(file, scheme, batch, fitting=fitting, notes=notes))


def best(
    catalogue: Catalogue,
    scheme: str | None,
    batch: int,
    *,
    fitting: bool = False,
    notes: Notes = ignore,
) -> list[Start]:
    """Return the codec of the installed model that codes a sample in the fewest bytes.

    If it is to be fitted, others may follow that are about as good, and may become better. Families
    that are there for their own sake, slower and never better, are not tried.

    Parameters
    ----------
    catalogue : Catalogue
        What will be compressed.
    scheme, batch, fitting, notes
        See `named`.

    Raises
    ------
    ModelError
        No model is installed, or one fails its known answer on this machine.
    """
    from bitswap_models import zoo
    from bitswap_models.families import register

    samples = sample(catalogue, wide=fitting)
    widths = {picture.pixels.shape[2] for s in samples for picture in s.pictures}
    found: list[tuple[float, Start]] = []
    for name in zoo.embedded():
        metadata = zoo.read_metadata(zoo.EMBEDDED / name / zoo.MODEL_FILE)
        family = register.find(metadata["kind"])
        if name == FAST_MODEL or family is None or not (family.fit if fitting else family.tried):
            continue
        channels = metadata["config"]["channels"]
        # one without pictures for it is no candidate, but an archive without pictures needs one too
        gray = 1 in widths or 2 in widths
        if channels not in widths and not (channels == 3 and (gray or name == FALLBACK)):
            continue
        file = zoo.find(name)  # read and hashed, unlike those that are no candidates
        codec = load(file, scheme, batch, fitting=fitting, notes=notes)
        cost = sum(s.cost(codec) for s in samples)
        notes(f"model {name} codes the sample in about {cost:,.0f} bytes")
        found.append((cost, _start(file, codec)))
    if not found:
        raise ModelError("no model is installed for these pictures: give one with --model")
    found.sort(key=lambda one: one[0])
    near = [start for cost, start in found if cost <= NEAR * found[0][0]]
    return near[: RIVALS if fitting else 1]


def turning(start: Start, catalogue: Catalogue) -> Start:
    """Let small pictures be turned, if there are any in a sample of the catalogue."""
    codec, header = start
    seen = (p.pixels for s in sample(catalogue, wide=False) for p in s.pictures)
    if any(may_turn(codec, x, choose_tiles(codec, *x.shape[:2])[0]) for x in seen):
        header = header._replace(features=header.features | {TURNED})
    return Start(codec, header)


def _start(file: "ModelFile", codec: ChunkCodec) -> Start:
    wide = codec.channels not in (1, 3) or codec.alphabet != BYTES
    features = frozenset([WIDE] if wide else [])
    tile = shape(codec)
    header = Header(file.name, file.sha256, codec.name, NUMERIC_PROFILE, tile, (), features)
    return Start(codec, header)


def load(
    file: "ModelFile",
    scheme: str | None,
    batch: int,
    fitted: Sequence[Fitted] = (),
    *,
    fitting: bool = False,
    notes: Notes,
) -> ChunkCodec:
    from bitswap_models.families.register import family_of
    from bitswap_models.stored import model_file, revision

    """Return the codec of a model's file; it knows those that were fitted from it, or, for fitting,
    larger ones.

    Raises
    ------
    ModelError
        It fails its known answer on this machine, or is no model of pixels.
    """
    notes(f"model {file.name}, SHA-256 {file.sha256}, from {file.path}")
    model = model_file.load(file)
    if family_of(model).coefficients:
        raise ModelError(f"{file.name} is a model of JPEG files' coefficients: give one of pixels")
    larger = family_of(model).larger
    if fitting and larger is not None:
        return tile_codec(model, scheme, batch, lambda channels: larger(model, channels, 0, 0))
    family = {one.channels: revision.decode(model, *one) for one in fitted}
    return tile_codec(family.get(model.channels, model), scheme, batch, family.get)


def shape(codec: TileCodec) -> tuple[int, int, int]:
    """Return height, width and channels of a codec's tiles."""
    return codec.tile_height, codec.tile_width, codec.channels
