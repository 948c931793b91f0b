"""Models of what no model of pixels codes, one line each: archives name them besides that one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bitswap_cli.api.arguments import Notes, ignore
from bitswap_cli.api.codecs.tiles import NUMERIC_PROFILE
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import DRAWN, JPEGS, Named
from bitswap_cli.archive.format.sections import DRAW, JPEG
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.coding.coefficients import CoefficientCodec
from bitswap_cli.coefficients import CoefficientModel
from bitswap_cli.contract import PictureCodec
from bitswap_cli.errors import ModelError

if TYPE_CHECKING:
    from bitswap_models.families.family import Family
    from bitswap_models.zoo import ModelFile


class Other(NamedTuple):
    """The model of one feature's chunks."""

    feature: str
    tag: bytes
    """Of the chunks."""
    codes: str
    """What they hold, in words."""
    model: str
    """The one that is installed."""
    wanted: Callable[[Catalogue], bool]
    """Tells whether a catalogue has anything for it."""
    fits: Callable[["Family"], bool]
    """Tells whether models of a family can code it."""
    codec: Callable[[Any], Any]
    """Makes a codec of a model."""
    put: Callable[[Codecs, Any], Codecs]
    """Puts a codec among those of an archive."""

    def load(self, file: "ModelFile", notes: Notes = ignore) -> Any:
        """Return the codec of a model's file.

        Raises
        ------
        ModelError
            It fails its known answer on this machine, or codes something else.
        """
        from bitswap_models.families.register import family_of
        from bitswap_models.stored import model_file

        notes(f"model {file.name}, SHA-256 {file.sha256}, from {file.path}")
        model = model_file.load(file)
        if not self.fits(family_of(model)):
            raise ModelError(f"{file.name} is no model of {self.codes}")
        return self.codec(model)


OTHERS = (
    Other(
        JPEGS,
        JPEG,
        "JPEG files",
        "jpeg",
        lambda catalogue: bool(catalogue.jpegs) or catalogue.decoded,
        lambda family: family.subject == "coefficients",
        lambda model: CoefficientCodec(cast(CoefficientModel, model)),
        lambda codecs, codec: codecs._replace(coefficients=codec),
    ),
    Other(
        DRAWN,
        DRAW,
        "whole pictures",
        "drawn",
        lambda catalogue: catalogue.drawn,
        lambda family: family.subject == "pictures",
        lambda model: cast(PictureCodec, model),
        lambda codecs, codec: codecs._replace(pictures=codec),
    ),
)


def wanted(
    catalogue: Catalogue, *, named: bool, notes: Notes = ignore
) -> tuple[Codecs, list[Named]]:
    """Return the codecs of what a catalogue holds for other models, and these.

    Where the model of pixels was `named`, none of whole pictures competes with it.

    Raises
    ------
    ModelError
        One is not installed, or fails its known answer on this machine.
    """
    from bitswap_models import zoo

    codecs, models = Codecs(), list[Named]()
    for other in OTHERS:
        if other.wanted(catalogue) and not (named and other.feature == DRAWN):
            file = zoo.find(other.model)
            codec = other.load(file, notes)
            codecs = other.put(codecs, codec)
            told = file.name, file.sha256, codec.scheme, NUMERIC_PROFILE
            models.append(Named(other.feature, *told))
    return codecs, models
