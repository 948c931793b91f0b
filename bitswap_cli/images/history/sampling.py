"""How a JPEG's chroma was sampled, where its blocks lie, and how it was upsampled: what most speaks
for."""

import itertools

import numpy as np

from bitswap_cli.images.history.decoder import FULL_MAP, SAMPLINGS, Decoder, Origin
from bitswap_cli.images.history.evidence import EXACT, SMOOTH, Evidence, aliens, busy, evidence
from bitswap_cli.images.history.luma import Luma
from bitswap_cli.images.history.search import UNIT, Searcher, bias, fine, in_blocks, over_areas
from bitswap_cli.images.history.tables import Steps, chromas_of

_EVIDENCE = 300  # nats that must speak for how chroma was sampled; else several ways are tried
_QUICK, _QUICK_LEAST = 100, 30  # blocks that are asked first, and what they must say at least
_RIVAL = 3  # what so many times as much would speak for is tried, too
_LITTLE, _RIVAL_OF_LITTLE = 60, 8  # of fewer nats nothing follows; of fewer than _EVIDENCE, less
_BAND, _BANDS = 128, 4  # rows that are asked first are a multiple of that, and such a part
_NEUTRAL = 128  # chroma of gray
_LOT = 1024  # blocks that are looked at together, which bounds memory
_OWN = 0.5  # of the known pixels are in other blocks, at least; else nothing was painted over
# How chroma that has fewer samples may have been upsampled, by what luma tells of the decoder.
_WAYS = {
    Decoder.LIBJPEG: [(True, Decoder.LIBJPEG), (False, Decoder.LIBJPEG), (False, Decoder.WIDE)],
    Decoder.FAST: [(True, Decoder.FAST), (False, Decoder.FAST)],
    Decoder.FFMPEG: [(False, Decoder.FFMPEG)],
    Decoder.FFMPEG_PLAIN: [(False, Decoder.FFMPEG_PLAIN)],
}


def origins(search: Searcher, luma: Luma) -> list[Origin]:
    """Return the JPEG that most speaks for; or some, if little is told of chroma."""
    steps, by, place = luma.way.steps, luma.decoder, luma.grid[:2]
    if len(luma.planes) == 1:
        return [_origin(luma, place, SAMPLINGS[0], True, (steps,), by)]
    known = chromas_of(steps)
    like = known[0] if known else steps
    if (luma.planes[1:] == _NEUTRAL).all():  # gray, however it was sampled
        return [_origin(luma, place, SAMPLINGS[-1], False, (steps, like, like), by)]
    luma = _own(search, luma)
    tried = list[tuple[int, Origin, Evidence]]()
    for own in _likely(search, _band(luma), _possible(luma)):
        found = _chroma(search, luma, own)
        tried.append((found.strength_for(chroma=True), own, found))
    tried.sort(key=lambda one: -one[0])  # of equals, the one of the fewest blocks
    best = tried[0][0]
    if best >= _EVIDENCE or not known:
        best_of = [
            (own, found.chroma(steps)) for much, own, found in tried if _RIVAL * much >= best
        ]
        return [own._replace(steps=(steps, table, table)) for own, table in best_of]
    # blocks begin as luma's; if those of none of these do, any may be
    near = _near([own for _, own, _ in tried]) or _near(_possible(luma))
    return [own._replace(steps=(steps, like, like)) for own in near]


def _near(some: list[Origin]) -> list[Origin]:
    return [own for own in some if max(own.top, own.left) < 8]


def _own(search: Searcher, luma: Luma) -> Luma:
    """Return luma without the blocks that its steps do not make, as where another picture was put
    over this one: chroma would tell of that one's blocks there."""
    top, left = (-own % 8 for own in luma.grid[:2])
    rows, columns = (
        (side - a) // 8 * 8 for side, a in zip(luma.known.shape, (top, left), strict=True)
    )
    inner = slice(top, top + rows), slice(left, left + columns)
    blocks, method = in_blocks(luma.planes[0][inner]), luma.way.method
    steps, alien = fine(luma.way.steps, method), np.zeros(len(blocks), np.bool_)
    for first in range(0, len(blocks), _LOT):
        lot = slice(first, first + _LOT)
        samples = blocks[lot].astype(np.int32) * UNIT + bias(method)
        alien[lot] = aliens(search.forward(samples), steps, EXACT)
    known = luma.known.copy()
    known[inner][np.kron(alien.reshape(rows // 8, columns // 8), np.ones((8, 8), bool))] = 0
    few = np.count_nonzero(known == 1) < _OWN * np.count_nonzero(luma.known == 1)
    return luma if few else luma._replace(known=known)


def _band(luma: Luma) -> Luma:
    """Return some rows of a picture, those of which most colours are known."""
    height = luma.known.shape[0]
    rows = max(_BAND, height // _BANDS // _BAND * _BAND)
    tops = range(0, max(1, height - rows + 1), rows)
    told = (luma.known == 1) & (luma.planes[1] != _NEUTRAL)
    top = max(tops, key=lambda y: int(np.count_nonzero(told[y : y + rows])))
    band = slice(top, top + rows)
    return luma._replace(planes=luma.planes[:, band], known=luma.known[band])


def _likely(search: Searcher, luma: Luma, asked: list[Origin]) -> list[Origin]:
    """Return those for which most speaks in a part of a picture; all, if that says little."""
    told = [_chroma(search, luma, own).strength_for(chroma=True) for own in asked]
    best = max(told)
    rival = _RIVAL if best >= _EVIDENCE else _RIVAL_OF_LITTLE
    some = [own for much, own in zip(told, asked, strict=True) if rival * much >= best]
    return some if best >= _LITTLE else asked


def _possible(luma: Luma) -> list[Origin]:
    """Return all JPEGs that luma allows, with its own steps for chroma."""
    found = list[Origin]()
    for sampling in SAMPLINGS[::-1]:
        tall, wide = sampling
        if luma.map and (wide > 1) == (luma.map == FULL_MAP):
            continue
        for fancy, decoder in _WAYS[luma.decoder] if wide > 1 else [(True, luma.decoder)]:
            rows = range(luma.grid.top, 8 * tall, 8)
            columns = range(luma.grid.left, 8 * wide, 8)
            for place in itertools.product(rows, columns):
                steps = (luma.way.steps,) * 3
                found.append(_origin(luma, place, sampling, fancy, steps, decoder))
    return found


def _origin(
    luma: Luma, place: tuple[int, int], sampling: tuple[int, int], fancy: bool,
    steps: tuple[Steps, ...], decoder: Decoder,
) -> Origin:  # fmt: skip
    """Return a JPEG in which the picture lies at a place.

    If it was cropped at the top or left, it is taken to have been so at the other edges.
    """
    height, width = (a + b for a, b in zip(place, luma.known.shape, strict=True))
    if any(place):
        height += -height % (8 * sampling[0])
        width += -width % (8 * sampling[1])
    return Origin(height, width, *place, sampling, fancy, steps, decoder=decoder)


def _chroma(search: Searcher, luma: Luma, origin: Origin) -> Evidence:
    """Ask blocks of chroma for steps, as it was before it was upsampled."""
    (tall, wide), smooth = origin.sampling, origin.fancy and origin.sampling[1] > 1
    height, width = luma.known.shape
    margin = (
        (origin.top, -(origin.top + height) % (8 * tall)),
        (origin.left, -(origin.left + width) % (8 * wide)),
    )
    known = np.pad(luma.known == 1, margin)
    sure = over_areas(np.logical_and, known, tall, wide)
    told = []
    for plane in luma.planes[1:]:
        whole = np.pad(plane, margin, mode="edge")
        if origin.wide:
            small = search.narrow(whole, tall)
        elif smooth:
            small = search.shrink(whole, tall)
        else:
            small = whole[::tall, ::wide].astype(np.int32) * UNIT
        told.append(busy(search, small + bias(origin.decoder.method), sure))
    errors = SMOOTH if smooth else EXACT
    few = evidence(search, np.concatenate([own[:_QUICK] for own in told]), errors)
    if few.strength_for(chroma=True) < _QUICK_LEAST:
        return few
    return evidence(search, np.concatenate(told), errors)
