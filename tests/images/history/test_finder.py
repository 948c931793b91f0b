"""Pictures that were JPEGs are found, and no others."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.images.history import engine, finder, sampling
from bitswap_cli.images.history.decoder import Decoder, Origin, decode
from bitswap_cli.images.history.finder import find
from bitswap_cli.images.history.reference import ZIGZAG
from bitswap_cli.images.history.search import Blocks, Effort
from bitswap_cli.images.history.solving.canvas import Canvas
from bitswap_cli.images.history.solving.puzzle import Puzzle
from bitswap_cli.images.history.tables import mozjpegs, standard
from bitswap_cli.images.orientation import ORIENTATIONS, turn, turn_back
from tests.images.history.jpegs import decoded, load, save, scene, taken_apart

needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="no kernel")


@needs_kernel
@pytest.mark.parametrize("quality", [75, 90])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
def test_what_a_picture_was(sampling: str, quality: int) -> None:
    gray = sampling == "gray"
    data = save(scene(192, 256, gray=gray), quality, "4:4:4" if gray else sampling)
    origin, _ = taken_apart(data)
    pixels = load(data)
    found = find(pixels)
    assert found is not None
    assert found.origin.sampling == origin.sampling
    for steps, told in zip(found.origin.steps, origin.steps, strict=True):
        assert np.array_equal(steps, told)
    made = decode(found.origin, found.coefficients, *pixels.shape[:2])
    assert (made != pixels).any(2).sum() == found.wrong <= 0.002 * made[:, :, 0].size


@needs_kernel
@pytest.mark.parametrize("quality", [75, 92])
@pytest.mark.parametrize("orientation", [0, 4, 7])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
@pytest.mark.parametrize("decoder", list(Decoder)[1:])
def test_who_decoded_it(decoder: Decoder, sampling: str, orientation: int, quality: int) -> None:
    gray = sampling == "gray"
    data = save(scene(192, 256, gray=gray), quality, "4:4:4" if gray else sampling)
    pixels = turn_back(decoded(data, decoder), orientation)
    found = find(pixels)
    same = sampling not in ("4:2:2", "4:2:0")
    assert found is not None and found.wrong <= 0.002 * pixels[:, :, 0].size
    alike = {Decoder.WIDE: Decoder.LIBJPEG, Decoder.FFMPEG_PLAIN: Decoder.FFMPEG}
    assert found.origin.decoder == (alike.get(decoder, decoder) if same else decoder)
    assert found.origin.orientation == (orientation & 4 if decoder != Decoder.FAST else orientation)


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_gray_in_three_channels_was_sampled_in_no_way(sampling: str) -> None:
    pixels = load(save(scene(192, 256, gray=True).repeat(3, 2), 85, sampling))
    found = find(pixels)
    assert found is not None and found.wrong <= 0.002 * pixels[:, :, 0].size
    assert found.origin.sampling == (2, 2) and not found.origin.fancy
    assert not any(blocks.any() for blocks in found.coefficients[1:])


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:2:2", "4:2:0"])
def test_chroma_where_channels_were_cut(sampling: str) -> None:
    much = ((scene(192, 256).astype(np.int16) - 110) * 8 // 5 + 128).clip(0, 255)
    pixels = load(save(much.astype(np.uint8), 95, sampling))
    assert ((pixels == 0) | (pixels == 255)).any(2).mean() > 0.1
    found = find(pixels)
    assert found is not None and found.wrong == 0


@needs_kernel
def test_what_was_cut_nearly_all_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours alone do not settle it; what is wrong, added up, does."""
    random = np.random.default_rng(9)
    y, x = np.mgrid[:128, :128]
    light = 150 + 60 * np.sin(x / 17 + 9) + 50 * np.cos(y / 23)
    pixels = np.stack([light + 20 * k for k in range(3)], 2) + random.normal(0, 6, (128, 128, 3))
    for _ in range(10):
        top, left = random.integers(0, 104), random.integers(0, 104)
        ends = np.where(random.random((14, 20, 1)) < 0.97, 500, -300)
        pixels[top : top + 14, left : left + 20] += ends + random.normal(0, 60, (14, 20, 3))
    out, cut = io.BytesIO(), Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    cut.save(out, "JPEG", quality=90, subsampling=0)
    shown = np.array(Image.open(out))
    found = find(shown)
    assert found and not found.wrong
    monkeypatch.setattr(Puzzle, "relax", lambda self, pace: None)
    settled = find(shown)
    assert settled and settled.wrong


@needs_kernel
def test_gray_that_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short search in blocks leaves some, which are relaxed as colours are."""
    puzzle = "bitswap_cli.images.history.solving.puzzle"
    monkeypatch.setattr(f"{puzzle}._EFFORTS", ((1.0, Effort(1, 10, 24, 0)),))
    much = ((scene(192, 256, 3, gray=True).astype(np.int16) - 128) * 2 + 128).clip(0, 255)
    pixels = load(save(much.astype(np.uint8), 90, "4:4:4"))
    found = find(pixels)
    assert found and not found.wrong and len(found.coefficients) == 1
    monkeypatch.setattr(f"{puzzle}._RARE", -1)
    searched = find(pixels)
    assert searched and searched.wrong


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_sign_of_colours_at_their_ends(sampling: str) -> None:
    """Red is 255 and blue 0 in all that is yellow: only green is known."""
    y, x = np.mgrid[:192, :256]
    pixels, beside = np.full((192, 256, 3), 255, np.uint8), scene(192, 256)
    pixels[abs(y - 96) + abs(x - 128) < 90] = 255, 204, 0
    pixels[(y - 80) ** 2 + (x - 120) ** 2 < 900] = 0
    pixels[100:110, 90:170] = 0
    found = find(load(save(np.hstack([beside, pixels]), 75, sampling)))
    assert found is not None and found.wrong == 0


@needs_kernel
@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("edges", [(0, 0), (5, 3), (0, 6)])
def test_what_stands_before_white(quality: int, edges: tuple[int, int]) -> None:
    pixels = np.full((256, 320, 1), 255, np.uint8)
    pixels[60:156, 70:182] = scene(96, 112, gray=True)
    top, left = edges
    found = find(np.ascontiguousarray(load(save(pixels, quality))[top:, left:]))
    assert found is not None and found.wrong == 0
    assert (found.origin.top, found.origin.left) == edges


@needs_kernel
@pytest.mark.parametrize(("gain", "seed"), [(3, 0), (4, 0), (6, 3)])
def test_crops_that_are_mostly_black_and_white(gain: int, seed: int) -> None:
    """Hardly a block is known as a whole."""
    pixels = ((scene(256, 320, seed) - 128.0) * gain + 128).clip(0, 255).astype(np.uint8)
    found = find(np.ascontiguousarray(load(save(pixels, 95))[5:, 3:]))
    assert found is not None and (found.origin.top, found.origin.left) == (5, 3)
    assert np.array_equal(found.origin.steps[0], standard(chroma=False)[95])


@needs_kernel
def test_a_part_is_taken_where_pixels_are_known() -> None:
    origin, _ = taken_apart(save(scene(320, 320), 75, "4:2:0"))
    pixels = np.zeros((320, 320, 3), np.uint8)
    known = np.zeros((320, 320), np.uint8)
    pixels[160:300, 20:160] = known[160:300, 20:160] = 1
    canvas = Canvas(pixels, np.moveaxis(pixels, 2, 0), known, origin)
    assert canvas.part(128).known.mean() > 0.6
    canvas.known[:] = 1
    assert canvas.part(128).pixels[..., 0].mean() < 0.5  # in the midst


@needs_kernel
def test_tables_of_no_quality() -> None:
    rng = np.random.default_rng(5)
    tables = [(4 + rng.permutation(64) % 9).tolist(), (6 + rng.permutation(64) % 9).tolist()]
    out = io.BytesIO()
    Image.fromarray(scene(256, 256)).save(out, "JPEG", qtables=tables, subsampling=0)
    origin, _ = taken_apart(out.getvalue())
    found = find(load(out.getvalue()))
    assert found is not None and found.wrong == 0
    assert (found.origin.steps[0] == origin.steps[0]).mean() > 0.9


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_tables_of_mozjpeg(sampling: str) -> None:
    table = np.empty(64, np.int32)
    table[ZIGZAG] = mozjpegs()[75]
    out = io.BytesIO()
    tables = [table.tolist()] * 2
    Image.fromarray(scene(256, 256)).save(out, "JPEG", qtables=tables, subsampling=sampling)
    origin, _ = taken_apart(out.getvalue())
    assert (origin.steps[1] == mozjpegs()[75]).all()
    found = find(load(out.getvalue()))
    assert found is not None and found.wrong == 0
    assert all((a == b).all() for a, b in zip(found.origin.steps, origin.steps, strict=True))


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_sides_of_any_length(sampling: str) -> None:
    pixels = load(save(scene(181, 203), 80, sampling))
    found = find(pixels)
    assert found is not None
    made = decode(found.origin, found.coefficients, 181, 203)
    assert (made != pixels).any(2).mean() < 0.06


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
@pytest.mark.parametrize("edges", [(3, 5), (8, 13), (0, 1)])
def test_crops(sampling: str, edges: tuple[int, int]) -> None:
    gray = sampling == "gray"
    whole = load(save(scene(230, 260, 3, gray=gray), 85, "4:4:4" if gray else sampling))
    top, left = edges
    pixels = np.ascontiguousarray(whole[top:-9, left:-3])
    found = find(pixels)
    assert found is not None
    origin = found.origin
    tall, wide = origin.sampling
    assert (origin.top, origin.left) == (top % (8 * tall), left % (8 * wide))
    made = decode(origin, found.coefficients, *pixels.shape[:2])
    assert (made != pixels).any(2).mean() < 0.08


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0", "gray"])
@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_turned_ones(sampling: str, orientation: int) -> None:
    gray = sampling == "gray"
    whole = load(save(scene(192, 256, 3, gray=gray), 85, "4:4:4" if gray else sampling))
    pixels = np.ascontiguousarray(turn(whole, orientation))
    found = find(pixels)
    assert found is not None
    made = decode(found.origin, found.coefficients, *pixels.shape[:2])
    assert (made != pixels).any(2).sum() == found.wrong <= 0.002 * made[:, :, 0].size


@needs_kernel
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("orientation", [0, 1, 4, 5])
def test_parts_tell_how_a_picture_was_turned(
    sampling: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole is solved once."""
    whole = load(save(scene(300, 340, 3), 85, sampling))
    pixels = np.ascontiguousarray(turn_back(whole, orientation))
    solved, finish = list[tuple[int, ...]](), Puzzle.finish

    def finished(self: Puzzle) -> tuple[list[Blocks], int]:
        solved.append(self.canvas.pixels.shape[:2])
        return finish(self)

    monkeypatch.setattr(Puzzle, "finish", finished)
    found = find(pixels)
    assert found is not None and found.wrong <= 0.02 * pixels[:, :, 0].size
    assert solved == [(300, 340)]
    same = sampling == "4:4:4"  # which is nearly what it was once it is mirrored
    assert found.origin.orientation == (orientation & 4 if same else orientation)


@needs_kernel
@pytest.mark.parametrize("gray", [False, True])
def test_with_an_alpha(gray: bool) -> None:
    colours = load(save(scene(192, 256, gray=gray), 85))
    alpha = np.full((192, 256, 1), 200, np.uint8)
    found, plain = find(np.concatenate([colours, alpha], 2)), find(colours)
    assert found is not None and plain is not None
    for own, other in zip(found.coefficients, plain.coefficients, strict=True):
        assert np.array_equal(own, other)
    alpha[0, 0] = 199
    assert find(np.concatenate([colours, alpha], 2)) is None


def converted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels on a decoder's lattice that no decoder made."""
    return np.asarray(Image.fromarray(pixels).convert("YCbCr").convert("RGB"))


@pytest.mark.parametrize(
    "pixels",
    [
        scene(192, 256),
        scene(192, 256, gray=True),
        converted(scene(192, 256)),
        np.full((64, 64, 3), 77, np.uint8),
        np.zeros((64, 64, 1), np.uint8),
        np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8),
        scene(8, 9),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 1), np.uint16),
    ],
)
def test_nothing_is_found_where_there_is_nothing(pixels: NDArray[np.uint8]) -> None:
    assert find(pixels) is None


@needs_kernel
@pytest.mark.parametrize(("top", "left"), [(40, 60), (140, 170)])
def test_what_was_painted_over_is_not_taken_for_turned(
    top: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where a part in the midst tells whether it was, nor elsewhere."""
    pixels = load(save(scene(320, 384), 80, "4:2:0")).copy()
    pixels[top : top + 40, left : left + 50] = scene(40, 50, 7)
    asked = list[int]()

    def turned(colours: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
        asked.append(orientation)
        return turn(colours, orientation)

    monkeypatch.setattr(finder, "turn", turned)
    found = find(pixels)
    assert found is not None and found.wrong > 0.01 * 320 * 384 and asked == [0]


@needs_kernel
@pytest.mark.parametrize(("sampling", "quality"), [("4:4:4", 82), ("4:4:4", 92), ("4:2:0", 82)])
def test_steps_are_not_those_of_what_was_painted_over(sampling: str, quality: int) -> None:
    """Though it is rougher than all around it, and was a JPEG, too."""
    calm = (19 + scene(256, 256) * 0.85).astype(np.uint8)
    data = save(calm, quality, sampling)
    pixels, (origin, _) = load(data).copy(), taken_apart(data)
    pixels[107:155, 90:138] = load(save(scene(64, 64, 7), quality, sampling))[5:53, 3:51]
    found = find(pixels)
    assert found is not None
    assert (found.origin.top, found.origin.left) == (0, 0)
    for steps, told in zip(found.origin.steps, origin.steps, strict=True):
        assert np.array_equal(steps, told)
    assert found.wrong <= 66 * 66  # the MCUs that it touches, and chroma beside them


def test_nothing_is_found_without_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "compiled", lambda: None)
    assert find(load(save(scene(192, 256), 75))) is None


@needs_kernel
@pytest.mark.parametrize("left", [16, 24])
def test_crops_of_which_chroma_says_little_are_looked_at(
    left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few of all samplings are likely, one is left."""
    pixels = load(save(scene(160, 160), 75, "4:2:0"))[9:105, left : left + 96]

    def far(search: object, luma: object, asked: list[Origin]) -> list[Origin]:
        return [own for own in asked if max(own.top, own.left) >= 8] or asked

    monkeypatch.setattr(sampling, "_likely", far)
    monkeypatch.setattr(sampling, "_EVIDENCE", 1 << 30)
    found = find(pixels)
    assert found is None or found.origin.left < 16
