"""From the header of an archive to its codecs."""

from collections.abc import Set
from typing import Any

from bitswap_cli.api.arguments import SCHEMES, Notes, ignore
from bitswap_cli.api.codecs.others import OTHERS, Other
from bitswap_cli.api.codecs.tiles import NUMERIC_PROFILE, codec_of, load, shape
from bitswap_cli.archive.codecs import Codecs, CodecsFor
from bitswap_cli.archive.format.header import COMMON, Header
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.contract import TileCodec
from bitswap_cli.errors import ArchiveError, ModelError


def decoder(path: str | None, batch: int, *, notes: Notes = ignore) -> CodecsFor:
    """Return a function that finds and loads the codecs that the header of an archive asks for.

    Parameters
    ----------
    path : str, optional
        Name or path of the model of pixels; by default it is found, as others are, by the archive's
        name and hash of it.
    batch, notes
        See `named`.
    """

    def codecs_for(header: Header, tags: Set[bytes]) -> Codecs:
        codecs = Codecs(_tiles(header, path, batch, notes) if TILE in tags else None)
        for other in OTHERS:
            if other.tag in tags:
                codecs = other.put(codecs, _other(other, header, notes))
        return codecs

    return codecs_for


def _tiles(header: Header, path: str | None, batch: int, notes: Notes) -> TileCodec:
    from bitswap_models import zoo

    _check_profile(header.profile, header.scheme)
    if header.model is None or header.sha256 is None:
        raise ArchiveError("the archive holds tiles but names no model")
    file = zoo.resolve(path) if path else zoo.find(header.model, header.sha256)
    if file.sha256 != header.sha256:
        raise ModelError(
            f"{file.path} is not the model of the archive: its SHA-256 is {file.sha256},"
            f" but the archive was made with {header.model!r} {header.sha256}"
        )
    codec = codec_of(load(file, notes), header.scheme, batch, header.fitted)
    if shape(codec) != header.tile:
        raise ArchiveError("the archive's tiles are not of the size its model works on")
    if codec.tells_common and COMMON not in header.features:
        raise ArchiveError(f"the archive lacks the feature {COMMON!r}, which its model needs")
    return codec


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
