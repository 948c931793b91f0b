"""How blocks of files go under zstd, and what samples of them tell."""

from collections.abc import Callable

import zstandard

from bitswap_cli.archive.format.values.blobs import Buffer, squeezed

WINDOW = 27
"""Logarithm of how far zstd looks back."""
DENSE = 0.99
"""Of its size, and more, is what zstd leaves of bytes that are packed already."""
DENSE_LEVEL = 3
"""Of zstd, for such."""
QUICK_SIZE = 1 << 22
"""Bytes of a block that takes no time worth saving."""
# What zstd's threads work on is half a block, within these bounds, and they see a quarter of the
# window before it (9 stands for all of it): neither depends on how many threads there are, so the
# bytes do not either.
_JOBS = 1 << 23, 1 << 25
_OVERLAP = 7
_SAMPLE = 1 << 15
_SMALL = 1 << 10  # bytes of files that tell nothing alone
_TRIED, _TRIES = 1 << 20, 16  # bytes of a block that are tried, and in how many pieces
_PAYS = 0.99  # of the room that the low level takes, and less


def squeezer(level: int, size: int, threads: int) -> Callable[[Buffer], bytes]:
    """Return what compresses so many bytes by so many threads, of which the result does not
    depend."""
    job, jobs = min(max(_JOBS[0], -(-size // 2)), _JOBS[1]), {}
    if size > job:
        threads = min(threads, -(-size // job))  # zstd takes memory for each
        jobs = {"threads": threads, "job_size": job, "overlap_log": _OVERLAP}
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=size, window_log=WINDOW, enable_ldm=True, **jobs
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress


def level_of(data: bytearray, level: int, *, dense: bool) -> int:
    """Return the level for a block: a low one if the usual `level` hardly takes less room for a
    sample of what looks `dense`, or if it is nothing but zeros, as holes are."""
    if len(data) <= QUICK_SIZE:
        return level
    if _is_blank(data):
        return min(level, DENSE_LEVEL)
    if not dense:
        return level
    sample = _sample(data)
    usual = len(zstandard.ZstdCompressor(level=level).compress(sample))
    return level if usual < _PAYS * squeezed(sample) else DENSE_LEVEL


def share_of(data: bytearray) -> float:
    """Return the share of the bytes of a sample, from all over a block, that zstd leaves at a low
    level."""
    sample = _sample(data)
    return squeezed(sample) / len(sample)


def is_dense(data: bytes) -> bool:
    """Tell by samples whether zstd will hardly make a file smaller that begins so."""
    if len(data) > 3 * _SAMPLE:
        places = (len(data) // 4 * k for k in (1, 2, 3))
        data = b"".join(data[place : place + _SAMPLE] for place in places)
    return len(data) > _SMALL and squeezed(data) > DENSE * len(data)


def _sample(data: bytearray) -> bytes:
    size = len(data)
    starts = range(size // (2 * _TRIES), size, size // _TRIES)
    return b"".join(data[k : k + _TRIED // _TRIES] for k in starts)


def _is_blank(data: bytearray) -> bool:
    """Tell whether there are nothing but zeros."""
    zeros = bytes(_SAMPLE)
    return all(
        data[k : k + _SAMPLE] == zeros[: len(data) - k] for k in range(0, len(data), _SAMPLE)
    )
