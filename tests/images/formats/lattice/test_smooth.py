"""Samples between which there was interpolation are found, where they are told and where not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import Chroma, spread
from bitswap_cli.images.formats.lattice.search import Searcher
from bitswap_cli.images.formats.lattice.smooth import _sums, smooth_chroma
from bitswap_cli.images.history.engine import compiled
from tests.images.formats.lattice.scenes import SMOOTH, Plane, picture, planes, smooth

needs_kernel = pytest.mark.skipif(compiled() is None, reason="no kernel")


def searcher() -> Searcher:
    kernel = compiled()
    assert kernel is not None
    return Searcher(kernel)


def wrong(samples: Plane, plane: Plane, known: Plane) -> NDArray[np.bool_]:
    """Which known pixels samples do not give."""
    made = spread(samples, Chroma.SMOOTH, *plane.shape)
    return np.not_equal(made, plane) & np.equal(known, 1)


def error(samples: Plane, plane: Plane, known: Plane) -> int:
    """The squares of by how much, in 16ths, known pixels are not what samples give."""
    padded, (height, width) = np.pad(samples, 1, mode="edge").astype(np.int64), plane.shape
    rows, columns = np.arange(height), np.arange(width)
    near = rows // 2 + 1, columns // 2 + 1
    far = near[0] + rows % 2 * 2 - 1, near[1] + columns % 2 * 2 - 1
    lines = 3 * padded[near[0]] + padded[far[0]]
    left = 3 * lines[:, near[1]] + lines[:, far[1]] - 16 * plane.astype(np.int64)
    return int((np.maximum(np.maximum(left - 7, -8 - left), 0) ** 2)[known == 1].sum())


def touched(samples: Plane, at: Plane, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels that some samples count for."""
    mask = np.where(at, 255, 0).astype(np.uint8).reshape(samples.shape)
    height, width = shape
    return np.greater(spread(mask, Chroma.SMOOTH, height, width), 0)


@needs_kernel
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 40), st.integers(1, 40), st.sampled_from([0, 2, 9]))
def test_samples_that_are_nearly_right(seed: int, height: int, width: int, some: int) -> None:
    """What is sure is right; and what is wrong is less than before."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 256, (-(-height // 2), -(-width // 2)), np.uint8)
    plane = spread(truth, Chroma.SMOOTH, height, width)
    known = np.where(rng.random(plane.shape) * 10 < some, 2, 1).astype(np.uint8)
    nearly = (truth + rng.integers(-1, 2, truth.shape) * (rng.random(truth.shape) < 0.1)) % 256
    samples = nearly.astype(np.uint8)
    before, least = wrong(samples, plane, known), error(samples, plane, known)
    sure = searcher().smooth(samples, plane, known)
    after = wrong(samples, plane, known)
    assert error(samples, plane, known) <= least
    assert not (touched(samples, sure, plane.shape) & after).any()
    if not before.any():
        assert np.array_equal(samples, nearly)
    if not some and not after.any():
        assert sure[: height // 2, : width // 2].all()


@needs_kernel
def test_all_is_found_where_all_is_known() -> None:
    told = [np.ascontiguousarray(plane[::2, ::2]) for plane in smooth(5)[1:]]
    luma = smooth(5)[0]
    pixels = picture(*SMOOTH, [luma, *told])
    search = searcher()
    triples = search.triples(SMOOTH[0], pixels)
    assert (triples.known == 1).mean() > 0.99
    found = smooth_chroma(search, triples)
    assert found is not None and (found.known == 1).mean() > 0.99
    for samples, plane in zip(found.planes, triples.planes[1:], strict=True):
        assert wrong(samples, plane, triples.known).mean() < 0.001


@needs_kernel
def test_other_chroma_is_none() -> None:
    search, own = searcher(), smooth(6)
    pixels = picture(SMOOTH[0], Chroma.FULL, [*own])
    assert smooth_chroma(search, search.triples(SMOOTH[0], pixels)) is None


@needs_kernel
def test_what_libjpeg_interpolated_is_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rounds halves down in each second column: most is right, but a search is in vain."""
    luma, *own = smooth(5)
    height, width = luma.shape
    few = [np.ascontiguousarray(plane[::2, ::2]) for plane in own]
    up = [spread(plane, Chroma.SMOOTH, height, width) for plane in few]
    half = [_sums(plane)[:height, :width] % 16 == 8 for plane in few]
    half = [where & (np.arange(width) % 2 == 1) for where in half]
    planes = [np.where(where, plane - 1, plane) for where, plane in zip(half, up, strict=True)]
    search = searcher()
    triples = search.triples(SMOOTH[0], picture(SMOOTH[0], Chroma.FULL, [luma, *planes]))
    monkeypatch.setattr(Searcher, "smooth", None)
    assert smooth_chroma(search, triples) is None


@needs_kernel
def test_what_colours_at_an_end_of_their_range_allow() -> None:
    used, how = SMOOTH
    luma, *chroma = planes(how, 60, 81, 130)
    pixels = picture(used, how, [luma, *chroma])
    assert 0.05 < (pixels == 255).any(2).mean() < 0.95
    search, all_known = searcher(), np.ones(chroma[0].shape, np.uint8)
    truth = np.stack(chroma)
    samples = truth.copy()
    search.mend(used, pixels, samples)
    assert np.array_equal(samples, truth)
    samples[:, 3::7, 2::5] += 1
    _, before = search.lay(used, how, pixels, samples.copy(), all_known)
    search.mend(used, pixels, samples)
    _, after = search.lay(used, how, pixels, samples, all_known)
    assert after < 0.1 * before
