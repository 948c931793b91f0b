"""What searches are told is what decoders do."""

import hashlib

import numpy as np
import pytest

from bitswap_cli.images.formats.lattice.maps import MAP_OF, Map, colours
from bitswap_cli.images.history import engine, reference
from bitswap_cli.images.history.decoder import decode
from bitswap_cli.images.history.reference import ZIGZAG, Method, Plane
from bitswap_cli.images.history.search import UNIT, Effort, Searcher, Work, in_blocks
from tests.images.history.jpegs import load, save, scene, taken_apart

KERNEL = engine.compiled()
pytestmark = pytest.mark.skipif(KERNEL is None, reason="no kernel")


@pytest.fixture
def search() -> Searcher:
    assert KERNEL is not None
    return Searcher(KERNEL)


def triples(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (1, count)).astype(np.uint8) for _ in range(3)]


def test_luma_and_chroma_are_known_unless_something_was_cut(search: Searcher) -> None:
    planes = triples(4000)
    pixels = reference.colour(*planes)
    found, known, on, off = search.lattice(pixels)
    inside = ((pixels > 0) & (pixels < 255)).all(2)
    assert np.array_equal(known == 1, inside) and off == 0
    gray = (pixels == pixels[:, :, :1]).all(2)
    assert on == (inside & ~gray).sum()
    for plane, told in zip(planes, found, strict=True):
        assert np.array_equal(plane[inside], told[inside])


def test_few_other_pixels_are_on_the_lattice(search: Searcher) -> None:
    pixels = np.random.default_rng(4).integers(1, 255, (1, 9000, 3)).astype(np.uint8)
    _, known, on, off = search.lattice(pixels)
    assert 0.2 < on / (on + off) < 0.3 and set(np.unique(known)) == {1, 2}


@pytest.mark.parametrize("used", [None, MAP_OF["ffmpeg-601-full"], MAP_OF["scaled-601-full"]])
def test_ranges_hold_all_that_gives_a_pixel(search: Searcher, used: Map | None) -> None:
    def make(*planes: Plane) -> Plane:
        return colours(used, *planes) if used else reference.colour(*planes)

    planes = triples(300)
    pixels = make(*planes)
    low, high = np.zeros((2, 3, 1, 300), np.uint8)
    search.ranges(pixels, np.zeros((1, 300), np.uint8), used, planes, low, high)
    for place in range(3):
        gives = np.zeros((256, 300), bool)
        for value in range(256):
            others = [plane.copy() for plane in planes]
            others[place][:] = value
            gives[value] = (make(*others) == pixels).all(2)[0]
        assert np.array_equal(gives.argmax(0), low[place, 0])
        assert np.array_equal(255 - gives[::-1].argmax(0), high[place, 0])


def test_coefficients_are_those_of_the_cosine_transform(search: Searcher) -> None:
    origin, picture = taken_apart(save(scene(64, 64, gray=True), 90))
    blocks = picture.coefficients[0]
    samples = in_blocks(reference.plane(blocks, origin.steps[0]).astype(np.int32))
    told = search.forward(samples * UNIT) / UNIT
    wanted = blocks.reshape(-1, 64) * origin.steps[0]
    cut = ((samples == 0) | (samples == 255)).any(1)
    assert np.abs(told - wanted)[~cut].max() < 4.5 and np.abs(told - wanted)[~cut].mean() < 0.4


@pytest.mark.parametrize("most", [48, 255])
def test_steps_are_scored_one_by_one(search: Searcher, most: int) -> None:
    rng = np.random.default_rng(most)
    told = (rng.normal(0, 30 * UNIT, (12, 64)) * rng.integers(0, 2, (12, 64))).astype(np.int32)
    table = rng.integers(-900, 900, (256, 129)).astype(np.int32)
    wanted = np.zeros((64, 256), np.int64)
    for block in np.abs(told).tolist():
        for place, size in enumerate(block):
            for step in range(2, most + 1) if size > 333 else ():
                rest = size % (step * UNIT)
                near = min(rest, step * UNIT - rest)
                zero = 2 * size < step * UNIT
                wanted[place, step] += -256 if zero else table[step, min(near // 16, 128)]
    assert np.array_equal(search.comb(told, 333, most, table), wanted)


@pytest.mark.parametrize("vertical", [1, 2])
def test_interpolation_is_undone(search: Searcher, vertical: int) -> None:
    samples = scene(24, 30, gray=True)[:, :, 0]
    larger = reference.upsample(samples, 24, 30, vertical, 2, True)
    told = search.shrink(larger, vertical) / UNIT
    assert np.abs(told - samples).max() < 2.5 and np.abs(told - samples).mean() < 0.4


def test_blocks_are_found_by_rounding_and_searching(search: Searcher) -> None:
    origin, picture = taken_apart(save(scene(64, 96, gray=True), 95))
    wanted, steps = picture.coefficients[0], origin.steps[0]
    plane = reference.plane(wanted, steps)
    blocks, state = np.zeros_like(wanted), np.full(wanted.shape[:2], 2, np.uint8)
    told, work = (plane, plane, plane, steps, Method.SLOW, 0), Work(state.size)
    rounded = search.solve(*told, Effort(0, 0, 0, 0), work, blocks, state)
    assert 0.2 * state.size < rounded < state.size
    before = blocks.copy()
    found = search.solve(*told, Effort(6, 10, 32, 0), Work(state.size, 100), blocks, state)
    assert found == rounded and np.array_equal(blocks, before), "no work was granted"
    found = search.solve(*told, Effort(6, 10, 32, 0), work, blocks, state)
    assert found > 0.95 * state.size
    same = in_blocks(reference.plane(blocks, steps) == plane).all(1).reshape(state.shape)
    assert np.array_equal(same, state == 1)


@pytest.mark.parametrize("known", [3, 5, 7])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("end", [False, True])
def test_known_columns_or_rows_give_blocks(
    search: Searcher, known: int, transposed: bool, end: bool
) -> None:
    origin, picture = taken_apart(save(scene(64, 96, gray=True), 75))
    wanted, steps = picture.coefficients[0].reshape(-1, 64), origin.steps[0]
    samples = in_blocks(reference.plane(picture.coefficients[0], steps))
    mask = np.zeros((8, 8), bool)
    mask[:, 8 - known :] = end
    mask[:, :known] |= not end
    sure = np.tile((mask.T if transposed else mask).ravel(), (len(samples), 1))
    told = np.full((len(samples), 64), 9, np.int32)
    search.fit(samples.astype(np.int32) * UNIT, sure, steps, Method.SLOW, told)
    assert not (told % (steps * UNIT)).any()
    found = (told // (steps * UNIT)).astype(np.int16)
    made = in_blocks(reference.plane(found.reshape(picture.coefficients[0].shape), steps))
    off = np.abs(made.astype(int) - samples)[sure]
    assert off.mean() < 1 and (off > 8).mean() < 0.02
    if known == 7:
        assert (found == wanted).all(1).mean() > 0.5


def test_blocks_that_are_known_otherwise_stay(search: Searcher) -> None:
    samples, told = np.full((2, 64), 128 * UNIT, np.int32), np.full((2, 64), 9, np.int32)
    sure = np.ones((2, 64), bool)
    sure[1, 27] = False
    search.fit(samples, sure, np.ones(64, np.int32), Method.SLOW, told)
    assert (told == 9).all()


def test_subsets_find_blocks_that_a_beam_loses(search: Searcher) -> None:
    flat = np.random.default_rng(1).normal(128, 0.5, (128, 128, 1)).round().astype(np.uint8)
    origin, picture = taken_apart(save(flat, 95))
    plane = reference.plane(picture.coefficients[0], origin.steps[0])
    for subsets, all_found in ((0, False), (12, True)):
        blocks = np.zeros_like(picture.coefficients[0])
        state = np.full(blocks.shape[:2], 2, np.uint8)
        effort = Effort(64, 14, 64, subsets)
        told = plane, plane, plane, origin.steps[0], Method.SLOW, 0
        found = search.solve(*told, effort, Work(state.size), blocks, state)
        assert (found == state.size) == all_found
        same = in_blocks(reference.plane(blocks, origin.steps[0]) == plane).all(1)
        assert same.sum() == found


@pytest.mark.parametrize(
    ("quality", "expected"), [(75, "6661f62845bd09bf"), (95, "4b46889e33ee849a")]
)
def test_blocks_that_were_cut_are_found(search: Searcher, quality: int, expected: str) -> None:
    """And by the same numbers on every machine, though these are floating-point ones."""
    steps = taken_apart(save(scene(8, 8, gray=True), quality))[0].steps[0]
    frequencies = ZIGZAG // 8 + ZIGZAG % 8
    most = 300 // ((1 + frequencies) ** 2 * steps)
    wanted = np.random.RandomState(1).randint(-most, most + 1, (20, 20, 64)).astype(np.int16)
    wanted[..., 0] = 1000 // steps[0]
    plane = reference.plane(wanted, steps)
    white = (in_blocks(plane) == 255).mean(1).reshape(wanted.shape[:2])
    asked, found = (white > 0.3) & (white < 0.7), list[int]()
    for effort in (Effort(6, 10, 32, 0), Effort(16, 12, 48, 0)):
        blocks, state = np.zeros_like(wanted), np.where(asked, np.uint8(0), np.uint8(1))
        told = plane, plane, plane, steps, Method.SLOW, 0
        search.solve(*told, effort, Work(state.size), blocks, state)
        equal = in_blocks(reference.plane(blocks, steps) == plane)
        same = np.logical_and.reduce(equal, 1).reshape(state.shape)
        assert np.array_equal(same[asked], state[asked] == 1)
        found.append(int(same[asked].sum()))
    assert found[0] < 0.1 * asked.sum() and found[1] > 0.8 * asked.sum()
    assert hashlib.sha256(blocks.astype("<i2").tobytes()).hexdigest()[:16] == expected


def test_blocks_beyond_an_edge_are_found(search: Searcher) -> None:
    """If a picture has an edge there, and steps are coarse: of finer ones it costs more."""
    known = np.tile(np.arange(8) < 6, 24)
    for quality, crop in ((75, True), (75, False), (95, True)):
        origin, picture = taken_apart(save(scene(128, 192, gray=True), quality))
        plane = reference.plane(picture.coefficients[0], origin.steps[0])
        low, high = np.where(known, plane, np.uint8(0)), np.where(known, plane, np.uint8(255))
        blocks = np.zeros_like(picture.coefficients[0])
        state = np.zeros(blocks.shape[:2], np.uint8)
        start = np.where(known, plane, np.uint8(128))
        told = start, low, high, origin.steps[0], Method.SLOW, 0, Effort(16, 0, 1, 0)
        found = search.solve(*told, Work(state.size), blocks, state, crop)
        made = reference.plane(blocks, origin.steps[0])
        same = np.logical_and.reduce(in_blocks((made == plane) | ~known), 1)
        assert found == same.sum()
        if crop and quality == 75:
            assert found > 0.9 * state.size
        else:
            assert found < 0.1 * state.size


def test_blocks_that_are_far_off_begin_anew(search: Searcher) -> None:
    """Single steps do not come back from there; flat blocks are nearer."""
    data = save(scene(48, 64, 11), 75, "4:4:4")
    origin, picture = taken_apart(data)
    pixels, steps = np.ascontiguousarray(load(data)), np.stack(origin.steps)
    told = [48, 64, 0, 0, 1, 1, 48, 64, 0, 8, 4, Method.SLOW]
    left = []
    for sweeps in (1, 3):
        blocks = [own.copy() for own in picture.coefficients]
        for own, more in zip(blocks, (25, -6, 6), strict=True):
            own[3, 4, 0] += more
            own[3, 4, 1:] = 0
        planes = [reference.plane(own, s) for own, s in zip(blocks, origin.steps, strict=True)]
        geometry = np.array([*told, sweeps])
        search.settle(pixels, geometry, planes, blocks, steps, 10**9)
        left.append((decode(origin, blocks, 48, 64) != pixels).any(2).sum())
    assert left[0] == 64 and left[1] == 0


@pytest.mark.parametrize("height", [109, 108, 104])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_colours_settle_what_planes_agree_on_wrongly(
    search: Searcher, sampling: str, height: int
) -> None:
    data = save(scene(height, 155), 95, sampling)
    origin, picture = taken_apart(data)
    pixels = np.ascontiguousarray(load(data)[3:-2, 5:-4])
    blocks = [own.copy() for own in picture.coefficients]
    moved = (0, 2, 3, 4, 1), (1, 1, 2, 2, -1), (2, 3, 3, 0, 1), (1, -1, 5, 0, 1)
    for k, row, column, place, more in moved:
        blocks[k][row, column, place] += more
    tall, wide = origin.sampling
    most, rows, columns = blocks[1][..., 0].size, -(-height // tall), -(-155 // wide)
    told = [*pixels.shape[:2], 3, 5, tall, wide, rows, columns, 1, blocks[1].shape[1]]
    planes = [reference.plane(own, s) for own, s in zip(blocks, origin.steps, strict=True)]
    steps = np.stack(origin.steps)
    for count, wrong in ((1, True), (most, False)):
        geometry = np.array([*told, count, Method.SLOW, 1])
        found = search.settle(pixels, geometry, planes, blocks, steps, 10**9)
        assert (found == 0) == wrong
        made = decode(origin._replace(top=3, left=5), blocks, *pixels.shape[:2])
        assert (made != pixels).any() == wrong
    for plane, own, table in zip(planes, blocks, origin.steps, strict=True):
        assert np.array_equal(plane, reference.plane(own, table))
