"""The compiled engine and the one in Python read and write the same."""

import random
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitswap_cli.images.formats.jpeg import scan
from bitswap_cli.images.formats.jpeg.frame import parse
from bitswap_cli.images.formats.jpeg.notes import Notes, Unwritable
from tests.images.formats.jpeg import fuzz, odd
from tests.images.formats.jpeg.files import put_together

FILES = {**odd.CODED, **odd.PARTLY}


@pytest.fixture
def kernel() -> scan.Kernel:
    found = scan.compiled()
    if found is None:
        pytest.skip("the kernel is not built")
    return found


@pytest.mark.parametrize("name", FILES)
def test_engines_agree(kernel: scan.Kernel, name: str) -> None:
    fuzz.agree(kernel, FILES[name], random.Random(name))


@pytest.mark.parametrize("seed", range(40))
def test_engines_agree_on_mutants(kernel: scan.Kernel, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(5):
        data = fuzz.mutant([*FILES.values()], chance)
        fuzz.comes_back(data)
        fuzz.agree(kernel, data, chance)


@pytest.mark.parametrize("run", [0, 0x8000, 0xFFFF])
def test_runs_of_no_length_are_not_written(run: int) -> None:
    skeleton = odd.progressive(((0,), 1, 63), factors=[(1, 1)])
    file = put_together(*skeleton, density=0)
    parsed = parse(file.data)
    notes = Notes(10, runs=np.array([run], np.uint16))
    with pytest.raises(Unwritable):
        scan.write(parsed.frame, parsed.scans[0], file.coefficients, notes)


@pytest.mark.parametrize("values", [(32767, -32768), (-32768, 32767)])
def test_differences_without_a_code_are_not_written(values: tuple[int, int]) -> None:
    file = put_together(*odd.sequential([(1, 1)]))
    parsed = parse(file.data)
    (blocks,) = file.coefficients
    blocks[0, :2, 0] = values
    with pytest.raises(Unwritable):
        scan.write(parsed.frame, parsed.scans[0], [blocks], Notes(2))


def test_comparing_ends_where_they_differ() -> None:
    file = put_together(*odd.sequential())
    parsed = parse(file.data)
    (one,), notes = parsed.scans, Notes(parsed.scans[0].units(parsed.frame))
    size = one.end - one.start
    assert scan.compare(parsed.frame, one, file.data, file.coefficients, notes) == size
    for end in (one.start, one.end - 3):
        shorter = one._replace(end=end)
        assert scan.compare(parsed.frame, shorter, file.data, file.coefficients, notes) is None
    longer = one._replace(end=one.end + 1)
    assert scan.compare(parsed.frame, longer, file.data, file.coefficients, notes) is None
    changed = file.data[: one.start] + b"\x80" + file.data[one.start + 1 :]
    assert scan.compare(parsed.frame, one, changed, file.coefficients, notes) is None


@pytest.mark.parametrize("blocks", [np.zeros((1, 1, 64), np.int16), np.zeros((6, 8, 64), np.int32)])
def test_coefficients_of_another_frame_are_refused(
    kernel: scan.Kernel, blocks: NDArray[np.generic]
) -> None:
    parsed = parse(put_together(*odd.sequential([(1, 1)])).data)
    with pytest.raises(ValueError, match="none of this frame"):
        kernel.write(
            parsed.frame,
            parsed.scans[0],
            [blocks],  # type: ignore[list-item]  # of a type that is refused
            Notes(1),
        )


def test_coefficients_that_are_not_contiguous_are_refused(kernel: scan.Kernel) -> None:
    parsed = parse(put_together(*odd.sequential([(1, 1)])).data)
    blocks = np.zeros((6, 8, 128), np.int16)[..., ::2]
    with pytest.raises(ValueError, match="not contiguous"):
        kernel.write(parsed.frame, parsed.scans[0], [blocks], Notes(1))


def test_a_library_that_is_no_kernel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kernel.so").write_bytes(b"no library")
    with pytest.raises(OSError, match="kernel"):
        scan.Kernel(tmp_path / "kernel.so")
