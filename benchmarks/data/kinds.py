"""A folder with one file of every kind that troubles an archiver of images.

Nothing here depends on bitswap: the files are made by Pillow, or byte by byte where Pillow cannot.

    python -m benchmarks.data.kinds FOLDER
"""

import io
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

Pixels = NDArray[np.uint8]


def photo(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels:
    """Smooth waves of a few sizes, an edge and gray noise: (H, W, C), or (H, W) for gray."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    light = np.full((height, width), 120.0)
    for size in (60, 25, 9):
        down, right, phase = rng.uniform(-1, 1, 3)
        light += size / 2 * np.sin((down * y + right * x) / size * 3 + 6 * phase)
    light += 30 * (y + x / 2 > height * 0.7)
    tint = rng.uniform(-25, 25, channels)
    light += rng.normal(0, 5, (height, width))
    pixels = light[..., None] + tint + rng.normal(0, 0.5, (height, width, channels))
    return pixels.clip(0, 255).astype(np.uint8).squeeze(-1 if channels == 1 else ())


def encoded(image: Image.Image | Pixels, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file."""
    out = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(tag: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def interlaced(pixels: Pixels) -> bytes:
    """An RGB PNG in Adam7 order, which Pillow reads but does not write."""
    height, width = pixels.shape[:2]
    rows = b""
    for top, left, down, right in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):  # fmt: skip
        part = pixels[top::down, left::right]
        rows += b"".join(b"\0" + row.tobytes() for row in part) if part.size else b""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def with_metadata() -> bytes:
    """A PNG with a profile, EXIF, text of three kinds, resolution, gamma and chromaticities."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "plain text")
    text.add_text("Description", "compressed text " * 20, zip=True)
    text.add_itxt("Comment", "international text: \u00e4\u4e2d", "de", "Kommentar")
    text.add(b"gAMA", struct.pack(">I", 45455))
    text.add(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = made[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + made[36:]  # not the time of now
    options: dict[str, Any] = {"icc_profile": profile, "exif": rotation(), "dpi": (300, 300)}
    return encoded(photo(120, 90, seed=1), pnginfo=text, **options)


def rotation() -> Image.Exif:
    """EXIF data that ask for a turn by 90 degrees."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def files() -> dict[bytes, bytes]:
    """Names, as bytes, and contents."""
    color, gray = Image.fromarray(photo(64, 48)), Image.fromarray(photo(64, 48, 1))
    frames = [Image.fromarray(photo(40, 40, seed=k)) for k in range(4)]
    animation: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 100}
    deep = photo(64, 48, 1).astype(np.uint16) * 257
    alpha = color.copy()
    alpha.putalpha(gray)
    plain = encoded(color)
    return {
        b"1x1.png": encoded(photo(1, 1)),
        b"1x1 gray.png": encoded(photo(1, 1, 1)),
        b"1x200.png": encoded(photo(200, 1)),
        b"200x1.png": encoded(photo(1, 200)),
        b"3000x17.png": encoded(photo(17, 3000)),
        b"17x3000 gray.png": encoded(photo(3000, 17, 1)),
        b"color.png": plain,
        b"gray.png": encoded(gray),
        b"flat.png": encoded(Image.new("RGB", (200, 200), (9, 99, 199))),
        b"noise.png": encoded(np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)),
        b"palette.png": encoded(color.quantize(64)),
        b"rgba.png": encoded(alpha),
        b"la.png": encoded(alpha.convert("LA")),
        b"16 bit.png": encoded(Image.fromarray(deep)),
        b"1 bit.png": encoded(gray.convert("1")),
        b"transparent color.png": encoded(color, transparency=(1, 2, 3)),
        b"interlaced.png": interlaced(photo(61, 45)),
        b"metadata.png": with_metadata(),
        b"animated.png": encoded(frames[0], **animation),
        b"animated.gif": encoded(frames[0], "GIF", **animation),
        b"truncated.png": plain[: len(plain) // 2],
        b"bad checksum.png": plain[:-20] + bytes([plain[-20] ^ 1]) + plain[-19:],
        b"data behind the end.png": plain + b"more",
        b"color.bmp": encoded(photo(45, 70), "BMP"),
        b"gray.bmp": encoded(gray, "BMP"),
        b"color.ppm": encoded(photo(45, 70), "PPM"),
        b"gray.pgm": encoded(gray, "PPM"),
        b"cmyk.jpg": encoded(color.convert("CMYK"), "JPEG"),
        b"rotated.jpg": encoded(color, "JPEG", exif=rotation()),
        b"color.webp": encoded(color, "WEBP", lossless=True),
        b"color.tiff": encoded(color, "TIFF"),
        b"no picture.png": b"This is no picture.\n",
        b"picture without suffix": encoded(photo(33, 34, seed=2)),
        b"empty": b"",
        b"empty.png": b"",
        b"name with spaces .txt": b"text\n" * 50,
        b"two\nlines.png": encoded(photo(40, 41, seed=3)),
        b"not\xff\xfeUTF-8.png": encoded(photo(40, 42, seed=4)),
        b"-o": b"looks like an option",
        b"nested/folders/of/some/depth/deep.png": encoded(photo(40, 43, seed=5)),
    }


def make(folder: Path) -> None:
    """Write the folder: the files, with times of their own, an empty folder and links."""
    for number, (name, data) in enumerate(files().items()):
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        time = 1_500_000_000_123_456_789 - 10**16 * number
        os.utime(path, ns=(time, time))
    (folder / "nested" / "nothing").mkdir()
    (folder / "link.png").symlink_to("nested/folders/of/some/depth/deep.png")
    (folder / "nested" / "link up").symlink_to("../gray.png")
    (folder / "nested" / "dangling").symlink_to("nowhere")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
