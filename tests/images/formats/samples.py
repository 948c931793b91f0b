"""Small files of the formats that come back byte for byte, as their usual writers make them."""

import io
import pickle
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.images.formats.pdfs import of_facsimiles, of_pdf

Pixels = NDArray[np.uint8]


def drawn(height: int, width: int, channels: int, seed: int = 0) -> Pixels:
    """Flat patches, some alike, with a few dots: (H, W, C), or (H, W) of one channel."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (7, channels))
    patches = colours[rng.integers(0, 7, (-(-height // 5), -(-width // 8)))]
    pixels = np.kron(patches, np.ones((5, 8, 1)))[:height, :width].astype(np.uint8)
    dots = rng.random((height, width)) < 0.03
    pixels[dots] = rng.integers(0, 256, (int(dots.sum()), channels))
    return pixels if channels > 1 else pixels[:, :, 0]


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """What Pillow writes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def array_file(array: NDArray[Any]) -> bytes:
    """What NumPy writes."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def idx(array: Pixels) -> bytes:
    """An IDX file of bytes."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def planar(pixels: Pixels, height: int | None = None) -> Pixels:
    """Pictures of some rows of a tall one each, by default all, (n, C, H, W)."""
    pictures = pixels.reshape(-1, height or len(pixels), *pixels.shape[1:])
    return np.ascontiguousarray(np.moveaxis(pictures, 3, 1))


def pickled(array: Pixels, protocol: int = 3) -> bytes:
    """A pickle as CIFAR has them."""
    labels, names = [*range(len(array))], [b"cat.png"] * len(array)
    told = {b"labels": labels, b"data": array, b"filenames": names}
    return pickle.dumps(told, protocol)


def arrays_file(*, packed: bool = True, **arrays: NDArray[Any]) -> bytes:
    """What NumPy writes of several, deflated or not."""
    out = io.BytesIO()
    every: Any = arrays
    (np.savez_compressed if packed else np.savez)(out, **every)
    return out.getvalue()


def opaque(pixels: Pixels) -> Pixels:
    """RGBA with alpha that nobody used."""
    return np.concatenate([pixels[..., :3], np.full_like(pixels[..., :1], 255)], axis=2)


def of_palettes(pixels: Pixels) -> dict[str, Image.Image]:
    """RGB pixels as palette images of 200, 16 and 2 colours."""
    image = Image.fromarray(pixels)
    return {f"{n} colours": image.quantize(n) for n in (200, 16, 2)}


def pam(pixels: NDArray[Any], maxval: int = 255) -> bytes:
    """A PAM file of (H, W, C)."""
    height, width, depth = pixels.shape
    head = f"P7\n# made up\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL {maxval}\n"
    return (
        head.encode()
        + b"TUPLTYPE ANY\nENDHDR\n"
        + pixels.astype(">u2" if maxval > 255 else "u1").tobytes()
    )


def words(rgba: Pixels, masks: tuple[int, ...]) -> NDArray[np.uint16]:
    """Pixels (H, W, C) as numbers of 16 bits, by the highest bits of each channel."""
    found = np.zeros(rgba.shape[:2], np.uint16)
    for channel, mask in enumerate(masks):
        bits = mask.bit_count()
        found |= (rgba[..., channel].astype(np.uint16) >> (8 - bits)) * np.uint16(mask & -mask)
    return found


def bmp_of_words(rgba: Pixels, masks: tuple[int, ...], *, told: bool = True) -> bytes:
    """A BMP file of 16 bits, its masks told or not, as ffmpeg writes them."""
    height, width = rgba.shape[:2]
    rows = np.zeros((height, width + width % 2), "<u2")
    rows[:, :width] = words(rgba, masks)[::-1]
    more = struct.pack("<III", *masks[:3]) if told else b""
    start = 54 + len(more)
    head = struct.pack("<2sIII", b"BM", start + rows.nbytes, 0, start)
    head += struct.pack("<IiiHHI20x", 40, width, height, 1, 16, 3 if told else 0)
    return head + more + rows.tobytes()


def tga_of_words(rgba: Pixels, *, runs: bool = False) -> bytes:
    """A TGA file of 16 bits, or one of runs of up to 128 pixels."""
    height, width = rgba.shape[:2]
    rows = words(rgba, (*FIVES, 1 << 15)).astype("<u2")
    head = struct.pack("<BBB9xHHBB", 0, 0, 10 if runs else 2, width, height, 16, 32)
    packets = b""
    for row in rows if runs else ():
        ends = [0, *np.flatnonzero(np.diff(row)) + 1, width]
        for start, end in zip(ends[:-1], ends[1:], strict=True):
            packets += bytes([127 + end - start]) + row[start].tobytes()
    return head + (packets or rows.tobytes())


FIVES = (31 << 10, 31 << 5, 31)


def files(rgb: Pixels | None = None) -> dict[str, bytes]:
    """By the name of the first kind of pictures that each is, and what is special about it.

    They are of an RGB picture (H, W, 3), and of alpha that goes with it; a small one by default.
    """
    rgba = drawn(23, 37, 4) if rgb is None else np.dstack([rgb, rgb[::-1, :, 0] & 0xF0])
    height, width = rgba.shape[:2]
    head = f"{width} {height}\n".encode()
    rgb, gray = rgba[..., :3], rgba[..., 0]
    deep = rgba.astype(np.uint16) * 251
    found = {
        "bmp-32": saved(Image.fromarray(rgba), "BMP"),
        "bmp-32 opaque": saved(Image.fromarray(opaque(rgba)), "BMP"),
        "pnm-few": b"P5 " + head + b"100\n" + (gray % 101).tobytes(),
        "pnm-few colour": b"P6\n# a comment\n" + head + b"7\n" + (rgb % 8).tobytes() + b"behind",
        "pam": pam(rgba),
        "pam opaque": pam(opaque(rgba)),
        "pam gray": pam(rgba[..., :2]),
        "pam deep": pam(deep, 65535),
        "npy": array_file(gray),
        "npy colour": array_file(rgb),
        "npy many": array_file(drawn(60, 9, 3).reshape(5, 12, 9, 3)),
        "npy deep": array_file(deep),
        "npy big-endian": array_file(deep[..., :3].astype(">u2")),
    }
    found |= of_words(rgba) | of_arrays(rgba) | of_volumes(rgba)
    for name, pixels in {"": rgb, " alpha": rgba, " opaque": opaque(rgba), " gray": gray}.items():
        image = Image.fromarray(pixels)
        found[f"tga{name}"] = saved(image, "TGA")
        found[f"tga{name} runs"] = saved(image, "TGA", compression="tga_rle")
        if name != " gray":
            found[f"qoi{name}"] = saved(image, "QOI")
    for name, image in of_palettes(rgb).items():
        found[f"tga-indices {name}"] = saved(image, "TGA")
        found[f"tga-indices {name} runs"] = saved(image, "TGA", compression="tga_rle")
        found[f"bmp-indices {name}"] = saved(image, "BMP")
        found[f"gif-indices {name}"] = saved(image, "GIF")
    found |= of_pages(rgba)
    icon = Image.fromarray(rgba).resize((60, 60), Image.Resampling.NEAREST)
    for name in ("bmp", "png"):
        found[f"ico {name}"] = saved(icon, "ICO", bitmap_format=name, sizes=[(60, 60)])
    for name, image in of_palettes(np.ascontiguousarray(np.asarray(icon)[..., :3])).items():
        found[f"ico-masks {name}"] = saved(image, "ICO", bitmap_format="bmp", sizes=[(60, 60)])
    found |= of_frames(rgba) | of_texts(rgba) | of_rows(rgba)
    few = Image.fromarray(rgb).quantize(16)
    turned = [few.transpose(Image.Transpose.ROTATE_180), few.resize((20, 11))]
    found["gif-indices in order"] = saved(few, "GIF", interlace=0)
    found["gif-indices transparent"] = saved(few, "GIF", transparency=3)
    found["gif-indices frames"] = saved(few, "GIF", save_all=True, append_images=turned, loop=0)
    return found


def of_words(rgba: Pixels) -> dict[str, bytes]:
    """Files of 16 bits a pixel, and of one."""
    rgb, (height, width) = rgba[..., :3], rgba.shape[:2]
    bits = np.packbits(rgba[..., 0] > 99, axis=1)
    return {
        "bmp-16": bmp_of_words(rgb, FIVES, told=False),
        "bmp-16 masks": bmp_of_words(rgb, (31 << 11, 63 << 5, 31)),
        "bmp-16 alpha": bmp_of_words(rgba, (15 << 8, 15 << 4, 15, 15 << 12)),
        "tga-16": tga_of_words(rgba),
        "tga-16 runs": tga_of_words(rgba, runs=True),
        "pbm": f"P4\n# bits\n{width} {height}\n".encode() + bits.tobytes(),
    }


def of_arrays(rgba: Pixels) -> dict[str, bytes]:
    """NumPy's files of signed integers, and in Fortran's order."""
    rgb, deep = rgba[..., :3], rgba.astype(np.uint16) * 251
    gray = deep[..., 0]
    return {
        "npy-other": array_file(np.asfortranarray(gray)),
        "npy-other big-endian": array_file(np.asfortranarray(gray.astype(">u2"))),
        "npy-other signed": array_file(rgb.astype(np.int16).astype(np.int8)),
        "npy-other signed deep": array_file((deep.astype(np.int32) - (1 << 15)).astype(np.int16)),
        "npy-other signed big-endian": array_file(gray.astype(np.int16).astype(">i2").T),
    }


def text_of(samples: NDArray[Any], line: int, between: str = " ", end: str = "\n") -> bytes:
    """Numbers as Netpbm writes them: each row (H, n) in lines of so many."""
    rows = [[f"{value}" for value in row] for row in samples.tolist()]
    starts = range(0, samples.shape[1], line)
    return "".join(between.join(row[k : k + line]) + end for row in rows for k in starts).encode()


def of_texts(rgba: Pixels) -> dict[str, bytes]:
    """Plain Netpbm files, as Netpbm, ImageMagick and GIMP write them."""
    rgb, gray, (height, width) = rgba[..., :3].reshape(len(rgba), -1), rgba[..., 0], rgba.shape[:2]
    head = f"\n{width} {height}\n".encode()
    deep = gray.astype(np.uint16) * 251
    return {
        "pnm-plain": b"P2" + head + b"255\n" + text_of(gray, 26, end=" \n"),
        "pnm-plain bits": b"P1" + head + text_of(gray // 128, 70, ""),
        "pnm-plain colour": b"P3 # by hand" + head + b"255\n" + text_of(rgb, 3 * width),
        "pnm-plain lines": b"P3" + head + b"255\n" + text_of(rgb, 1),
        "pnm-plain deep": b"P2" + head + b"65535\n" + text_of(deep, 15) + b"behind",
    }


def fits(stored: NDArray[Any]) -> bytes:
    """A FITS file of numbers (H, W), the last row first."""
    shape, bits = stored.shape[::-1], 8 * stored.itemsize
    told = {"SIMPLE": "T", "BITPIX": bits, "NAXIS": 2, "NAXIS1": shape[0], "NAXIS2": shape[1]}
    cards = [f"{name:8}= {value:>20} / told".ljust(80) for name, value in told.items()]
    head = "".join([*cards, "END".ljust(80)]).encode()
    body = stored.astype(stored.dtype.newbyteorder(">")).tobytes()
    return head.ljust(2880) + body + bytes(-len(body) % 2880)


def sgi(pixels: NDArray[Any]) -> bytes:
    """An SGI file of (H, W, C), not packed."""
    height, width, channels = pixels.shape
    each = pixels.itemsize
    axes = 2 if channels == 1 else 3
    head = struct.pack(">HBBHHHH", 474, 0, each, axes, width, height, channels)
    planes = np.moveaxis(pixels[::-1], 2, 0).astype(pixels.dtype.newbyteorder(">"))
    return head.ljust(512, b"\0") + planes.tobytes()


def sun(pixels: Pixels, kind: int = 1) -> bytes:
    """A Sun raster file of (H, W, C), rows filled up to two bytes."""
    height, width, channels = pixels.shape
    rows = np.zeros((height, -(-width * channels // 2) * 2), np.uint8)
    stored = pixels if kind == 3 else pixels[..., ::-1]
    rows[:, : width * channels] = stored.reshape(height, -1)
    numbers = 0x59A66A95, width, height, 8 * channels, rows.size, kind, 0, 0
    return struct.pack(">8I", *numbers) + rows.tobytes()


def of_rows(rgba: Pixels) -> dict[str, bytes]:
    """Files of plain rows whose headers archives do not know, and SGI files."""
    rgb, gray, (height, width) = rgba[..., :3], rgba[..., :1], rgba.shape[:2]
    deep = rgba.astype(np.uint16) * 251
    return {
        "rows sun": sun(rgb),
        "rows sun RGB": sun(rgb, 3) + b"behind",
        "rows sun gray": sun(gray),
        "rows dds": saved(Image.fromarray(rgba), "DDS"),
        "rows dds opaque": saved(Image.fromarray(opaque(rgba)), "DDS"),
        "rows farbfeld": b"farbfeld" + struct.pack(">II", width, height) + deep.tobytes()[::-1],
        "rows fits": fits(rgba[..., 0]),
        "rows fits deep": fits((deep[..., 0].astype(np.int32) - (1 << 15)).astype(np.int16)),
        "rows sgi": sgi(gray),
        "rows sgi deep": sgi(deep[..., :1]),
        "planar sgi": sgi(rgb),
        "planar sgi alpha": sgi(rgba),
    }


def of_volumes(rgba: Pixels) -> dict[str, bytes]:
    """Files of many pictures, or of several arrays."""
    rgb, gray, deep = rgba[..., :3], rgba[..., 0], rgba.astype(np.uint16) * 251
    alike = gray[..., None] // 2 + rgba // 16
    return {
        "idx": idx(gray),
        "idx colour": idx(rgb),
        "idx many": idx(drawn(60, 9, 1).reshape(5, 12, 9)),
        "planar": array_file(planar(alike[..., :3])),
        "planar alpha": array_file(planar(alike)),
        "planar rows": array_file(planar(alike[:16, :8, :3], 8).reshape(2, -1)),
        "planar pickled": pickled(planar(alike[:16, :, :3], 8)),
        "npz": arrays_file(x=rgb, y=np.arange(9)),
        "npz stored": arrays_file(x=rgb, y=rgb[::-1], packed=False),
        "npz opaque": arrays_file(x=opaque(rgba)),
        "npz deep": arrays_file(x=deep),
    }


def of_frames(rgba: Pixels) -> dict[str, bytes]:
    """Animated PNG files."""
    rgb, found = rgba[..., :3], dict[str, bytes]()
    arrays = {"apng": rgb, "apng alpha": rgba, "apng gray": rgba[..., 0]}
    images = {name: Image.fromarray(array) for name, array in arrays.items()}
    images["apng-indices"] = images["apng"].quantize(16)
    for name, image in images.items():
        more = [image.transpose(Image.Transpose.ROTATE_180), image]
        for apart in (False, True):  # whether the first image is none of the animation
            found[f"{name} {apart}"] = saved(
                image, "PNG", save_all=True, append_images=more, default_image=apart, disposal=0
            )
    return found


def of_pages(rgba: Pixels) -> dict[str, bytes]:
    """TIFF files."""
    rgb, gray, found = rgba[..., :3], rgba[..., 0], {}
    for name, pixels in {"": rgb, " alpha": rgba, " opaque": opaque(rgba), " gray": gray}.items():
        image = Image.fromarray(pixels)
        for packing in ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate"):
            found[f"tiff{name} {packing}"] = saved(image, "TIFF", compression=packing)
        found[f"tiff{name} differences"] = saved(
            image, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}
        )
    bits, deep = Image.fromarray(gray).convert("1"), Image.fromarray(gray.astype(np.uint16) * 251)
    found["tiff bits"] = saved(bits, "TIFF", compression="packbits")
    found["tiff deep"] = saved(deep, "TIFF", compression="tiff_lzw")
    more = [bits.convert("L").resize((9, 30))]
    found["tiff pages"] = saved(Image.fromarray(gray), "TIFF", save_all=True, append_images=more)
    for name, image in of_palettes(rgb).items():
        found[f"tiff-indices {name}"] = saved(image, "TIFF", compression="tiff_lzw")
    found |= of_facsimiles(gray) | of_pdf(rgba)
    found["bigtiff"] = saved(Image.fromarray(rgba), "TIFF", big_tiff=True)
    found["bigtiff-indices"] = saved(of_palettes(rgb)["16 colours"], "TIFF", big_tiff=True)
    return found
