"""From the header of an archive to its codecs."""

from collections.abc import Sequence, Set
from typing import Any

from bitswap_cli.api.arguments import SCHEMES, Notes, ignore
from bitswap_cli.api.codecs.others import OTHERS, Other
from bitswap_cli.api.codecs.tiles import NUMERIC_PROFILE, codec_of, load, shape
from bitswap_cli.archive.codecs import Codecs, CodecsFor, Need
from bitswap_cli.archive.format.header import COMMON, Header
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.contract import TileCodec
from bitswap_cli.errors import ArchiveError, ModelError


def decoder(path: str | None, batch: int, *, notes: Notes = ignore) -> CodecsFor:
    """Return a function that finds and loads the codecs that the header of an archive asks for.

    Parameters
    ----------
    path : str, optional
        Name or path of a model of tiles, of those that the archive names; by default these are
        found, as others are, by the archive's names and hashes of them.
    batch, notes
        See `named`.
    """

    def codecs_for(header: Header, needs: Set[Need]) -> Codecs:
        numbers = sorted(need.model for need in needs if need.tag == TILE)
        codecs, tags = Codecs(_tiles(header, numbers, path, batch, notes)), {n.tag for n in needs}
        for other in OTHERS:
            if other.tag in tags:
                codecs = other.put(codecs, _other(other, header, notes))
        return codecs

    return codecs_for


def _tiles(
    header: Header, numbers: Sequence[int], path: str | None, batch: int, notes: Notes
) -> dict[int, TileCodec]:
    """Return the codecs of the models of some numbers."""
    from bitswap_models import zoo

    given = zoo.resolve(path) if path and numbers else None
    if given and given.sha256 not in {model.sha256 for model in header.models}:
        named = ", ".join(f"{model.name!r} {model.sha256}" for model in header.models)
        raise ModelError(
            f"{given.path} is not the model of the archive: its SHA-256 is {given.sha256},"
            f" but the archive was made with {named}"
        )
    codecs = dict[int, TileCodec]()
    for number in numbers:
        told = header.models[number]
        _check_profile(told.profile, told.scheme)
        file = given if given and given.sha256 == told.sha256 else zoo.find(told.name, told.sha256)
        codec = codec_of(load(file, notes), told.scheme, batch, told.fitted)
        if shape(codec) != told.tile:
            raise ArchiveError("the archive's tiles are not of the size its model works on")
        if codec.tells_common and COMMON not in header.features:
            raise ArchiveError(f"the archive lacks the feature {COMMON!r}, which its model needs")
        codecs[number] = codec
    return codecs


def _other(other: Other, header: Header, notes: Notes) -> Any:
    from bitswap_models import zoo

    told = header.other(other.feature)
    if told is None:
        raise ArchiveError(f"the archive holds {other.codes} but names no model of them")
    _check_profile(told.profile, told.scheme)
    return other.load(zoo.find(told.model, told.sha256), notes)


def _check_profile(profile: int, scheme: str) -> None:
    if profile != NUMERIC_PROFILE or scheme not in SCHEMES:
        raise ModelError(
            f"the archive needs numeric profile {profile} and scheme {scheme!r}, which this version"
            " does not know: update bitswap"
        )
