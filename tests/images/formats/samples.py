"""Small files of the formats that come back byte for byte, as their usual writers make them."""

import io
import pickle
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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


def files(rgb: Pixels | None = None) -> dict[str, bytes]:
    """By the name of the first kind of pictures that each is, and what is special about it.

    They are of an RGB picture (H, W, 3), and of alpha that goes with it; a small one by default.
    """
    rgba = drawn(23, 37, 4) if rgb is None else np.dstack([rgb, rgb[::-1, :, 0] & 0xF0])
    height, width = rgba.shape[:2]
    head = f"{width} {height}\n".encode()
    rgb, gray = rgba[..., :3], rgba[..., 0]
    deep = rgba.astype(np.uint16) * 251
    alike = gray[..., None] // 2 + rgba // 16
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
    found |= of_frames(rgba)
    few = Image.fromarray(rgb).quantize(16)
    turned = [few.transpose(Image.Transpose.ROTATE_180), few.resize((20, 11))]
    found["gif-indices in order"] = saved(few, "GIF", interlace=0)
    found["gif-indices transparent"] = saved(few, "GIF", transparency=3)
    found["gif-indices frames"] = saved(few, "GIF", save_all=True, append_images=turned, loop=0)
    return found


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
    return found
