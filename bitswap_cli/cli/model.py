"""From the name of a model to the codec of tiles that the archive is handed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bitswap_cli.cli.common import Console
from bitswap_cli.errors import ArchiveError, ModelError

if TYPE_CHECKING:
    from bitswap_cli.archive.format.sections import Fitted, Header
    from bitswap_cli.coding.chunk import ChunkCodec
    from bitswap_cli.contract import TileCodec
    from bitswap_models.families.register import Model
    from bitswap_models.zoo import ModelFile

SCHEMES = ("bitswap", "bbans", "topdown")
NUMERIC_PROFILE = 1
AUTO = "auto"
FALLBACK = "photo"  # of archives without pictures
ANSWER = 32  # bytes of a known answer
TRIED = ("markov_vae", "pixel_vae")  # kinds of models that `auto` chooses from
FITTED = "pixel_vae"  # the kind that can be fitted
NEAR = 1.1  # bytes of a sample, over those of the best model, that fitting may make good
RIVALS = 3  # models at most that are fitted for a while, to go on with the best


def encoders(
    console: Console,
    name_or_path: str,
    scheme: str | None,
    batch: int,
    sources: Sequence[str],
    *,
    fitting: bool = False,
) -> "list[tuple[ChunkCodec, Header]]":
    """Return the codec for a new archive and the header that says which one it is.

    If it is to be fitted, others may follow that are about as good, and may become better.

    Parameters
    ----------
    console : Console
        Told about the model under ``-v``.
    name_or_path : str
        The model, or ``auto``: the installed one that codes a sample of the sources in the fewest
        bytes.
    scheme : {'bitswap', 'bbans', 'topdown'}, optional
        How latents are coded; as the model is coded best by default.
    batch : int
        Tiles the networks see at a time.
    sources : sequence of str
        What will be compressed.
    fitting : bool
        Whether the model is to be fitted: ``auto`` chooses from those that can be, and the codec
        knows grown models of wide pictures.

    Raises
    ------
    bitswap_cli.errors.ModelError
        There is no such model, or it fails its known answer on this machine.
    """
    from bitswap_cli.archive.format.sections import Header
    from bitswap_cli.contract import BYTES
    from bitswap_models import zoo

    if name_or_path == AUTO:
        found = _best(console, scheme, batch, sources, fitting)
    else:
        file = zoo.resolve(name_or_path)
        found = [(file, _load(console, file, scheme, batch, fitting=fitting))]
    named = []
    for file, codec in found:
        header = Header(file.name, file.sha256, codec.name, NUMERIC_PROFILE, _tile(codec))
        wide = codec.channels not in (1, 3) or codec.alphabet != BYTES
        named.append((codec, header._replace(wide=wide)))
    return named


def decoder(console: Console, path: str | None, batch: int) -> "Callable[[Header], TileCodec]":
    """Return a function that finds and loads the codec that the header of an archive asks for.

    Parameters
    ----------
    console : Console
        Told about the model under ``-v``.
    path : str, optional
        Name or path of the model; by default it is found by the archive's name and hash of it.
    batch : int
        Tiles the networks see at a time.
    """

    def codec_for(header: "Header") -> "TileCodec":
        from bitswap_models import zoo

        if header.profile != NUMERIC_PROFILE or header.scheme not in SCHEMES:
            raise ModelError(
                f"the archive needs numeric profile {header.profile} and scheme {header.scheme!r},"
                " which this version does not know: update bitswap"
            )
        if header.model is None or header.sha256 is None:
            raise ArchiveError("the archive holds tiles but names no model")
        file = zoo.resolve(path) if path else zoo.find(header.model, header.sha256)
        if file.sha256 != header.sha256:
            raise ModelError(
                f"{file.path} is not the model of the archive: its SHA-256 is {file.sha256},"
                f" but the archive was made with {header.model!r} {header.sha256}"
            )
        codec: TileCodec = _load(console, file, header.scheme, batch, header.fitted)
        if _tile(codec) != header.tile:
            raise ArchiveError("the archive's tiles are not of the size its model works on")
        return codec

    return codec_for


def _best(
    console: Console,
    scheme: str | None,
    batch: int,
    sources: Sequence[str],
    fitting: bool,
) -> "list[tuple[ModelFile, ChunkCodec]]":
    """Find the installed model that codes a sample of the sources best; if it is to be fitted, also
    those that code it nearly as well.

    Kinds that are there for their own sake, slower and never better, are not tried.
    """
    from bitswap_cli.archive.writing.sample import sample
    from bitswap_models import zoo

    samples = sample(sources, wide=fitting)
    widths = {picture.pixels.shape[2] for s in samples for picture in s.pictures}
    found: list[tuple[float, ModelFile, ChunkCodec]] = []
    for name in zoo.embedded():
        file = zoo.find(name)
        metadata = zoo.read_metadata(file.path)
        if metadata["kind"] not in ((FITTED,) if fitting else TRIED):
            continue
        channels = metadata["config"]["channels"]
        # one without pictures for it is no candidate, but an archive without pictures needs one too
        gray = 1 in widths or 2 in widths
        if channels not in widths and not (channels == 3 and (gray or name == FALLBACK)):
            continue
        codec = _load(console, file, scheme, batch, fitting=fitting)
        cost = sum(s.cost(codec) for s in samples)
        console.note(f"model {name} codes the sample in about {cost:,.0f} bytes")
        found.append((cost, file, codec))
    if not found:
        raise ModelError("no model is installed for these pictures: give one with --model")
    found.sort(key=lambda one: one[0])
    near = [(file, codec) for cost, file, codec in found if cost <= NEAR * found[0][0]]
    return near[: RIVALS if fitting else 1]


def _load(
    console: Console,
    file: "ModelFile",
    scheme: str | None,
    batch: int,
    fitted: "Sequence[Fitted]" = (),
    *,
    fitting: bool = False,
) -> "ChunkCodec":
    import torch

    from bitswap_cli.coding import tile_codec
    from bitswap_models.families.pixel_vae.model import PixelVAE
    from bitswap_models.stored import model_file

    torch.set_num_threads(1)  # --threads chunks at a time; more would get in each other's way
    console.note(f"model {file.name}, SHA-256 {file.sha256}, from {file.path}")
    model = model_file.load(file.path)
    if fitting and isinstance(model, PixelVAE):
        return tile_codec(model, scheme, batch, model.of)
    family = {one.channels: _revised(model, one) for one in fitted}
    return tile_codec(family.get(model.channels, model), scheme, batch, family.get)


def _revised(base: "Model", fitted: "Fitted") -> "Model":
    """A fitted model of an archive, proved exact and checked by its known answer."""
    import torch

    from bitswap_models.families.pixel_vae.model import PixelVAE
    from bitswap_models.stored import model_file
    from bitswap_models.stored.difference import decode
    from bitswap_models.stored.growth import grow

    channels, radius, width, body = fitted
    if isinstance(base, PixelVAE):
        c = base.config
        larger = max(c.channels, channels), c.radius + radius, c.width + width
        base = grow(base, channels=larger[0], radius=larger[1], width=larger[2])
    elif (channels, radius, width) != (base.channels, 0, 0):
        raise ArchiveError("the archive's model is none that was fitted from the one it names")
    answer, blob = body[:ANSWER], body[ANSWER:]
    arrays = {name: tensor.numpy() for name, tensor in model_file.tensors(base).items()}
    stored = {name: torch.from_numpy(array) for name, array in decode(arrays, blob).items()}
    model = model_file.build(base.config, stored)
    if bytes.fromhex(model_file.known_answer(model)) != answer:
        raise ModelError(
            "the archive's model fails its known answer: it is damaged, or this machine would"
            " compute other pictures; run `bitswap doctor`"
        )
    return model


def _tile(codec: "TileCodec") -> tuple[int, int, int]:
    return codec.tile_height, codec.tile_width, codec.channels
