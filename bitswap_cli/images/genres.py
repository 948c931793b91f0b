"""The genres of pictures: what pictures have in common that one model suits."""

from bitswap_cli.images.formats.lattice.kinds import FEATURES as LATTICES
from bitswap_cli.images.formats.register import kind_of, shown_shape
from bitswap_cli.images.picture import Picture

RGB, GRAY, SMALL_GRAY = "rgb", "gray", "small gray"
LUMA_AND_CHROMA, PLANES = "luma and chroma", "planes"
_SMALL = 32  # pixels of each side, at most


def genre_of(picture: Picture) -> str:
    """Return the genre of a picture: `RGB`, `GRAY` or `SMALL_GRAY`, or its number of channels in
    words; by luma and chroma `LUMA_AND_CHROMA`, or `PLANES` where these lie side by side."""
    height, width, channels = picture.pixels.shape
    kind = kind_of(picture.recipe.kind)
    if kind.feature in LATTICES and channels > 1:
        return LUMA_AND_CHROMA
    if kind.feature in LATTICES and shown_shape(kind.name, (height, width, channels))[0] < height:
        return PLANES
    if channels > 1:
        return RGB if channels == 3 else f"{channels} channels"
    return SMALL_GRAY if max(height, width) <= _SMALL else GRAY
