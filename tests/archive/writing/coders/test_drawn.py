"""Which pictures a chunk of whole pictures keeps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders import drawn
from bitswap_cli.contract import CodedPictures, Palette
from bitswap_cli.images.picture import Picture, Recipe


class Dear:
    """A codec for which the first picture of a chunk is too dear, and the others are next to
    nothing."""

    scheme = "bitswap"

    def __init__(self) -> None:
        self.rounds: list[int] = []
        self.adding: list[Adding] = []

    def encode(
        self, pictures: Sequence[NDArray[np.uint8]], palettes: Sequence[Palette]
    ) -> CodedPictures:
        """See `PictureCodec`."""
        raise AssertionError("they come one by one")

    def encoder(self, shapes: Sequence[tuple[int, ...]]) -> "Adding":
        """See `PictureCodec`."""
        self.rounds.append(len(shapes))
        self.adding.append(Adding())
        return self.adding[-1]

    def decode(
        self, words: bytes, shapes: Sequence[tuple[int, int, int]], palettes: Sequence[Palette]
    ) -> list[NDArray[np.uint8]]:
        """See `PictureCodec`."""
        raise AssertionError("nothing is decoded")


class Adding:
    """What codes a chunk for it."""

    count = held = 0

    def add(self, picture: NDArray[np.uint8], palette: Palette) -> float:
        """See `PictureEncoder`."""
        self.count += 1
        return 8 * 301.0 if self.count == 1 else 1.0

    def hold(self) -> None:
        """See `PictureEncoder`."""
        self.held += 1

    def undo(self) -> bool:
        """See `PictureEncoder`."""
        return False

    def suits(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """See `PictureEncoder`."""
        return True

    def words(self) -> bytes:
        """See `PictureEncoder`."""
        return bytes(310)


def files(count: int) -> list[drawn._File]:
    """Some pictures, each of which takes 300 bytes without the model."""
    picture = Picture(np.zeros((10, 10, 3), np.uint8), Recipe("bmp", b"", b""))
    names = [b"%03d" % number for number in range(count)]
    sources = [Source(name, name, "file", 300, 0) for name in names]
    return [drawn._File(source, picture, 300, 7, 1, lambda: 0.0) for source in sources]


def test_pictures_that_are_dear_one_after_the_other_take_few_rounds() -> None:
    codec = Dear()
    coded = drawn.code_files(codec, files(50))
    assert codec.rounds == [50, 50, 49, 48, 47, 46]
    # none was to be taken back at first: there it ends with the first picture that is dear
    assert [own.count for own in codec.adding] == [1, 50, 49, 48, 47, 46]
    assert [own.held for own in codec.adding] == [0, 50, 49, 48, 47, 0]
    assert len(coded.kept) == 46
    assert [own.name for own in coded.lost] == [b"000", b"001", b"002", b"003"]


def test_what_does_not_pay_as_a_whole_is_not_kept() -> None:
    coded = drawn.code_files(Dear(), files(1))
    assert not coded.chunks and len(coded.lost) == 1


def test_haste_is_of_eight_bits_only() -> None:
    """Of 16 bits most may be lower ones, which other models do not know: files would be larger."""

    class Equal(Dear):
        """A codec of so many bits a picture."""

        def encode(
            self, pictures: Sequence[NDArray[np.uint8]], palettes: Sequence[Palette]
        ) -> CodedPictures:
            """See `PictureCodec`."""
            return CodedPictures(b"", np.full(len(pictures), 800.0))

    deep = Picture(np.zeros((10, 10, 6), np.uint8), Recipe("png-samples-exact", b"", b""))
    byte = Picture(np.zeros((10, 10, 3), np.uint8), Recipe("bmp", b"", b""))
    high = byte._replace(recipe=Recipe("high-bits-exact", b"", b""))
    hasty = [drawn.estimate(Equal(), *one, haste=2) for one in ((deep, 2), (high, 1), (byte, 1))]
    plain = [drawn.estimate(Equal(), *one, haste=1) for one in ((deep, 2), (high, 1), (byte, 1))]
    assert hasty[:2] == plain[:2] and hasty[2] == plain[2] + 100


def test_a_picture_by_luma_goes_by_its_colours_as_well() -> None:
    """What luma does not tell may take more."""
    gray = Picture(np.zeros((10, 10, 1), np.uint8), Recipe("gray", b"", b"", b"corrections"))
    plain = Picture(np.zeros((10, 10, 3), np.uint8), Recipe("bmp", b"", b""))
    assert drawn.whole([plain, gray]) == [(gray, 1), (plain, 1)]
    random = np.random.default_rng(1)
    noise = gray._replace(pixels=random.integers(0, 256, (10, 10, 1), np.uint8))
    assert drawn.whole([plain, noise]) == []
