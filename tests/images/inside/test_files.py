"""Pictures are found that are whole files in TAR and ZIP files; whatever else these hold is not."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.images.inside.files import FILES
from bitswap_cli.images.inside.pictures import PICTURES
from bitswap_cli.images.inside.scanning import Span, find
from tests.images.formats.samples import files

EVERY = {name: data for name, data in files().items() if not name.startswith(("npz", "apng"))}
OTHERS = {"text": b"text" * 99, "like a BMP": b"BM" + bytes(300), "empty": b""}


def tarred(named: dict[str, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return a TAR file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as pack:
        for name, data in named.items():
            told = tarfile.TarInfo(name)
            told.size = len(data)
            pack.addfile(told, io.BytesIO(data))
    return out.getvalue()


def zipped(named: dict[str, bytes]) -> bytes:
    """Return a ZIP file in which nothing is deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for name, data in named.items():
            pack.writestr(name, data)
    return out.getvalue()


def found_in(data: bytes) -> list[bytes]:
    """What is found in a file."""
    return [data[start : start + length] for start, length, _ in spans(data)]


def spans(data: bytes) -> list[Span]:
    return find(io.BytesIO(data), len(data), (FILES, PICTURES))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_pictures_of_all_formats_are_found(form: int) -> None:
    named = EVERY | OTHERS | {"x" * 130: EVERY["tga"], "y\u00e9" * 80: EVERY["npy"]}
    expected = [*EVERY.values(), EVERY["tga"], EVERY["npy"]]
    long = {name: data for name, data in named.items() if len(name) < 100}
    some = long if form == tarfile.USTAR_FORMAT else named
    count = len(EVERY) if form == tarfile.USTAR_FORMAT else len(expected)
    assert found_in(tarred(some, form)) == expected[:count]
    assert found_in(zipped(named)) == expected


def test_what_lies_in_other_files_is_found_there() -> None:
    inner = tarred({"a": EVERY["qoi"], "b": b"text", "c": EVERY["idx"]})
    assert found_in(tarred({"inner": inner})) == [EVERY["qoi"], EVERY["idx"]]
    assert found_in(zipped({"inner.zip": zipped({"a": EVERY["qoi"]})})) == [EVERY["qoi"]]


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 2999), st.integers(0, 255)), min_size=1, max_size=5),
    end=st.integers(0, 6000),
)
def test_damage_leads_to_fewer_pictures(changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(tarred({"a": EVERY["bmp-32"], "b": EVERY["qoi"]}))
    for place, value in changes:
        data[place] = value
    for start, length, _ in spans(bytes(data[:end])):
        assert start > 0 and start + length <= end


def test_a_header_alone_is_no_file() -> None:
    header = tarred({"a": EVERY["qoi"]})[:512]
    for data in (header, header[257:], b"ustar", header + EVERY["qoi"][:-1]):
        assert not spans(data)
    noise = np.random.default_rng(1).bytes(512)
    assert not spans(noise[:257] + b"ustar" + noise[262:] + EVERY["qoi"])
