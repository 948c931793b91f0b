"""A tile codec without a network, and folders to archive."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from bitswap_cli.archive.codecs import Codecs, CodecsFor, Need
from bitswap_cli.archive.format.header import Header, Tiled
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.report import UnpackReport
from bitswap_cli.contract import BYTES, EncodedTiles, Integers, Samples, TileCodec
from bitswap_cli.errors import ArchiveError

Put = Callable[[bytes, bytes], None]
Tree = dict[bytes, tuple[str, bytes, int]]


class ZlibCodec:
    """Deflates differences of samples and swallows some of the payload, as a message would."""

    def __init__(
        self,
        channels: int = 3,
        tile: int = 8,
        chunk_tiles: int = 40,
        swallow: int = 64,
        factors: Sequence[int] = (1, 2),
    ) -> None:
        self.tile_height = self.tile_width = tile
        self.channels = channels
        self.alphabet = BYTES
        self.chunk_tiles = chunk_tiles
        self.factors = factors
        self.slack = 1.25
        self.swallow = swallow
        self.coded_tiles: list[int] = []
        self.words_length = 0

    def of(self, channels: int) -> "ZlibCodec | None":
        return self if channels in (1, self.channels) else None

    def _valid(self, sizes: Integers, factor: int) -> np.ndarray:
        height, width = self.tile_height * factor, self.tile_width * factor
        shape = (len(sizes), height, width, self.channels)
        rows, columns, channels = (sizes[:, k].reshape(-1, 1, 1, 1) for k in range(3))
        place = np.indices(shape, sparse=True)
        return (place[1] < rows) & (place[2] < columns) & (place[3] < channels)

    def encode(self, tiles: Samples, sizes: Integers, payload: bytes) -> EncodedTiles:
        assert tiles.dtype == np.uint8
        assert sizes.dtype == np.int32
        factor = tiles.shape[1] // self.tile_height
        assert factor in self.factors
        assert tiles.shape == self._valid(sizes, factor).shape
        self.coded_tiles.append(len(tiles))
        used = min(self.swallow, len(payload) // 4 * 4)
        steps = tiles.copy()
        steps[:, :, 1:] -= tiles[:, :, :-1]
        squeezed = zlib.compress(steps[self._valid(sizes, factor)].tobytes(), 9)
        bits = np.array([8.0 * len(zlib.compress(tile.tobytes())) - 80 for tile in steps])
        self.words_length += 4 + used + len(squeezed)
        return EncodedTiles(struct.pack("<I", used) + payload[:used] + squeezed, used, bits)

    def decode(self, words: bytes, sizes: Integers, factor: int) -> tuple[Samples, bytes]:
        (used,) = struct.unpack_from("<I", words)
        valid = self._valid(sizes, factor)
        steps = np.full(valid.shape, 99, np.uint8)
        try:
            samples = zlib.decompress(words[4 + used :])
        except zlib.error as error:
            raise ArchiveError("corrupt words") from error
        if len(samples) != valid.sum():
            raise ArchiveError("corrupt words")
        steps[valid] = np.frombuffer(samples, np.uint8)
        return steps.cumsum(axis=2, dtype=np.uint8), words[4 : 4 + used] + bytes(8)


def header_for(codec: ZlibCodec) -> Header:
    tile = (codec.tile_height, codec.tile_width, codec.channels)
    return Header((Tiled("fake", "ab" * 32, "bitswap", 1, tile),))


def codec_for(codec: TileCodec | None) -> CodecsFor:
    """The codec of every header; None where nobody will ask for one."""

    def find(_: Header, needs: Set[Need]) -> Codecs:
        assert codec is not None
        return Codecs({0: codec})

    return find


def smooth(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Pixels of which only the differences deflate well."""
    steps = np.random.default_rng(seed).integers(0, 3, (height, width, channels))
    steps[:, 0] = np.random.default_rng(seed).integers(0, 256, (height, channels))
    return steps.cumsum(axis=1).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    image = Image.fromarray(pixels.squeeze()) if pixels.shape[-1] == 1 else Image.fromarray(pixels)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def bad_png(height: int, width: int, channels: int = 3, seed: int = 0) -> bytes:
    """A PNG without filters, so that the codec wins."""
    head = struct.pack(">IIBBBBB", width, height, 8, channels - 1, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in smooth(height, width, channels, seed))
    out = b"\x89PNG\r\n\x1a\n"
    for tag, body in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        out += struct.pack(">I", len(body)) + tag + body
        out += struct.pack(">I", zlib.crc32(tag + body))
    return out


def write(path: str | bytes | Path, data: bytes, mtime: int | None = None) -> None:
    path = os.fsencode(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    if mtime is not None:
        os.utime(path, ns=(mtime, mtime))


def build_zoo(root: Path) -> None:
    """Write one file of every kind that has ever troubled an archiver."""
    top = os.fsencode(root)

    def put(name: bytes, data: bytes) -> None:
        write(os.path.join(top, name), data, 1_600_000_000_123_456_789 + 1000 * len(name))

    _put_plain_pictures(put)
    _put_other_pictures(put)
    put(b"truncated.png", bad_png(30, 30)[:-500])
    put(b"a.png", b"no picture at all")
    put(b"empty", b"")
    put(b"empty.png", b"")
    put(b"name with spaces.txt", b"text " * 99)
    put(b"new\nline", b"x")
    put(b"nested/x", os.urandom(1000))
    put(b"-o", b"dash")
    os.makedirs(os.path.join(top, b"nested", b"nothing"))
    os.symlink(b"deeper/and/deeper.png", os.path.join(top, b"nested", b"link.png"))
    os.symlink(b"../nowhere", os.path.join(top, b"nested", b"dangling"))


def _put_plain_pictures(put: Put) -> None:
    """Pictures that every codec takes."""
    put(b"1x1.png", encoded(smooth(1, 1)))
    put(b"1x50.png", encoded(smooth(1, 50)))
    put(b"50x1.png", encoded(smooth(50, 1)))
    put(b"300x17.png", bad_png(300, 17))
    put(b"square.png", bad_png(16, 16, seed=5))
    gray = smooth(33, 21)[..., :1]
    put(b"gray.png", bad_png(33, 21, 1))
    put(b"gray.pgm", encoded(smooth(90, 80)[..., :1], "PPM"))
    put(b"colour.ppm", encoded(smooth(40, 23), "PPM"))
    put(b"colour.bmp", encoded(smooth(41, 23), "BMP"))
    put(b"gray.bmp", encoded(gray, "BMP"))
    put(b"flat.bmp", encoded(np.zeros((60, 60, 3), np.uint8), "BMP"))
    put(b"not\xff\xfeutf8.png", bad_png(20, 20, seed=3))
    put(b"nested/deeper/and/deeper.png", bad_png(24, 24, seed=4))
    put(b"big.ppm", encoded(smooth(123, 130), "PPM"))


def _put_other_pictures(put: Put) -> None:
    """Pictures of other modes, with metadata, of several frames."""

    def image(mode: str, kind: str, **options: Any) -> bytes:
        out = io.BytesIO()
        picture = Image.new(mode, (30, 20))
        if mode == "P":
            picture.putpalette(bytes(range(255, -1, -1)) * 3)
        picture.save(out, kind, **options)
        return out.getvalue()

    put(b"palette.png", image("P", "PNG"))
    put(b"rgba.png", image("RGBA", "PNG"))
    put(b"la.png", image("LA", "PNG"))
    put(b"16 bit.png", image("I;16", "PNG"))
    put(b"1bit.png", image("1", "PNG"))
    put(b"transparent.png", image("RGB", "PNG", transparency=(0, 0, 0)))
    put(b"cmyk.jpg", image("CMYK", "JPEG"))
    exif = Image.Exif()
    exif[0x0112] = 6
    put(b"rotated.jpg", image("RGB", "JPEG", exif=exif))
    frames = [Image.new("RGB", (9, 9), (50 * k, 9, 9)) for k in range(4)]
    for kind in ("GIF", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        put(b"animated." + kind.lower().encode(), out.getvalue())
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "with text")
    text.add_itxt("Comment", "ä", "de")
    options: dict[str, Any] = {
        "pnginfo": text,
        "icc_profile": b"profile" * 30,
        "exif": exif,
        "dpi": (72, 72),
    }
    rich, plain = encoded(smooth(64, 64), **options), bad_png(64, 64)
    put(b"metadata.png", rich[: rich.index(b"IDAT") - 4] + plain[plain.index(b"IDAT") - 4 :])


def tree(root: Path) -> Tree:
    """Return what is below a folder: name -> kind, bytes or target, mtime."""
    top = os.fsencode(root)
    found: Tree = {}
    for folder, folders, files in os.walk(top):
        if not folders and not files and folder != top:
            found[os.path.relpath(folder, top)] = ("dir", b"", 0)
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            path = os.path.join(folder, name)
            mtime = os.lstat(path).st_mtime_ns
            if os.path.islink(path):
                value = ("link", os.readlink(path), mtime)
            else:
                with open(path, "rb") as file:
                    value = ("file", file.read(), mtime)
            found[os.path.relpath(path, top)] = value
    return found


def _image(data: bytes) -> tuple[object, ...]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, image.size, dict(image.info), image.tobytes()


def assert_same(before: Tree, after: Tree) -> None:
    """Compare two trees: bytes, or for PNG the pixels, mode and metadata."""
    assert before.keys() == after.keys()
    for name, (kind, data, mtime) in before.items():
        assert (kind, mtime) == (after[name][0], after[name][2]), name
        if data != after[name][1]:
            assert data.startswith(b"\x89PNG"), name
            assert _image(data) == _image(after[name][1]), name


def check(path: Path, codec: ZlibCodec | None) -> UnpackReport:
    """List and verify an archive."""
    with ArchiveReader(path) as reader:
        list(reader.entries())
        return verify(reader, codec_for(codec))


def rescue(path: Path, codec: ZlibCodec | None, directory: Path) -> UnpackReport:
    """Restore what is whole."""
    with ArchiveReader(path, recover=True) as reader:
        return unpack(reader, codec_for(codec), directory, keep_going=True)
