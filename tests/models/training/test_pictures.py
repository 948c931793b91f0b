"""Files that Pillow cannot read are one line, whatever it raises."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.errors import InputError
from bitswap_models.training.jpeg.quantization import tables_of
from bitswap_models.training.pictures import opened, size_of


def png() -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def huge() -> bytes:
    """A JPEG whose header tells of far more pixels than Pillow opens."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    data = bytearray(file.getvalue())
    data[(at := data.index(b"\xff\xc0") + 5) : at + 4] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def other_chunk() -> bytes:
    """A PNG whose second chunk of pixels has lost its name: a SyntaxError of Pillow's."""
    data = png()
    start = data.index(b"IDAT") - 4
    stream = data[start + 8 : start + 8 + struct.unpack_from(">I", data, start)[0]]
    parts = (b"IDAT", stream[:5000]), (b"\1\2\3\4", stream[5000:])
    chunks = [
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in parts
    ]
    return data[:start] + b"".join(chunks)


@pytest.mark.parametrize("data", [b"", b"\x89PNG", png()[:100], huge(), other_chunk()])
def test_what_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot read the picture") as raised, opened(path) as file:
        file.convert("RGB")
    assert "\n" not in str(raised.value)


def test_what_can(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png())
    assert size_of(path) == (64, 64)
    with opened(path) as file:
        assert file.convert("L").getpixel((0, 0)) is not None


def test_no_tables_of_what_cannot_be_read() -> None:
    assert tables_of([b"", huge()]) == []
