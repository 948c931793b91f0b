"""What mutants are made of: frozen archives, and small ones; models, pictures and texts."""

import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import bitswap_cli
from bitswap_cli.api.codecs.decoder import decoder
from bitswap_cli.api.codecs.tiles import named
from bitswap_cli.archive.format.chunks import parts
from bitswap_cli.archive.format.register import need_of, read_table
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.format.segments import TileTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import find_codecs
from bitswap_cli.archive.writing.blocks import Keeping
from bitswap_cli.archive.writing.pack import pack
from tests.cli.conftest import smooth_pixels
from tests.fuzz.archives import Whole, beside, parsed, sizes_of
from tests.golden.make_corrected import correct
from tests.golden.make_drawn import draw
from tests.images import png_files
from tests.images.formats.jpeg import odd
from tests.images.formats.samples import files as samples_of_formats
from tests.models.families.drawn.pictures import flat

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
ZOO = ROOT / "models" / "zoo"
TIME = 1_700_000_000_000_000_000

RECIPE = """
[model]
tile = 16
channels = 3
latents = [2, 2]
width = 8
level_width = 8
hidden = 8

[training]
test = "pictures"
rate = 0.02
warmup = 5
steps = 3
batch = 4

[[source]]
folder = "pictures"
"""
REGISTRY = f"""
[[model]]
name = "one"
sha256 = "{"ab" * 32}"
size = 14000
urls = ["https://example.org/one", "ftp://example.org/one"]

[[model]]
name = "two"
sha256 = "{"cd" * 32}"
size = 1
urls = []
"""


def archives(few: bool = False) -> list[Whole]:
    """Return archives taken apart: of `few` models, or of all that are frozen."""
    frozen = sorted(GOLDEN.glob("*.bsw"))
    if few:
        frozen = [path for path in frozen if path.stem in ("photo-bitswap", "drawn-5")]
    with tempfile.TemporaryDirectory() as folder:
        own = [_taken_apart(path) for path in _made(Path(folder))]
    # ours are small, and of all that there is: most mutants are made of them
    return [*map(_taken_apart, frozen), *own * (1 + len(frozen) // len(own))]


def _taken_apart(path: Path) -> Whole:
    whole = parsed(path.read_bytes())
    with ArchiveReader(path) as reader:
        if not any(chunk.tag == TILE for chunk in reader.chunks):
            return whole
        needs = {need_of(chunk.tag, reader.table(chunk)) for chunk in reader.chunks}
        codecs = find_codecs(reader, decoder(None, 64), needs).tiles

    def decode(body: bytes, version: int) -> tuple[Any, ...]:
        table = read_table(TILE, body, version)
        assert isinstance(table, TileTable)
        own: Any = codecs[table.model].of(max(segment.channels for segment in table.segments))
        geometry = (own.tile_height * table.factor, own.tile_width * table.factor)
        sizes = sizes_of(table.coded, geometry)
        rest, words = parts(body)
        tiles, payload = own.decode(words, sizes, table.factor)
        return tiles, sizes, payload[: table.swallowed] + rest, own

    return beside(whole, decode)


def _made(folder: Path) -> Iterator[Path]:
    """Yield archives of all kinds of entries, in many chunks; without pictures, and with some."""
    source = folder / "in"
    (source / "sub" / "empty").mkdir(parents=True)
    for number in range(4):
        (source / f"{number}.txt").write_bytes(b"kept as it is %d\n" % number * 9)
    (source / "long.bin").write_bytes(np.random.default_rng(1).bytes(2500))
    (source / "nothing").write_bytes(b"")
    os.symlink("../0.txt", source / "sub" / "link")
    for path in source.rglob("*.*"):
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)
    start, files = named("photo", None, 64), folder / "files.bsw"
    pack([source], files, start.codec, start.header, keeping=Keeping(1000))
    yield files
    (source / "inner.bsw").write_bytes(files.read_bytes())
    for number, data in enumerate((*pictures()[:12], *list(odd.CODED.values())[::9])):
        (source / f"{number}.picture").write_bytes(data)
    for number in range(2):
        pixels = smooth_pixels(70 + 9 * number, 90, number)
        (source / f"{number}.jpg").write_bytes(png_files.file_of(pixels, "JPEG"))
    held = [png_files.file_of(smooth_pixels(50, 60, 5), kind) for kind in ("PNG", "JPEG")]
    (source / "host").write_bytes(b"held".join([b"", *held, held[0], pictures()[0], b""]))
    text = b"".join(b"%d is a number\n" % number for number in range(400))
    (source / "unfolded").write_bytes(b"held".join([zlib.compress(text), held[1], b""]))
    output = folder / "pictures.bsw"
    bitswap_cli.compress([source], output, model="photo", threads=1)
    yield output
    (drawn := folder / "drawn").mkdir()
    draw(drawn)
    coarse = flat(24, 20, 3, np.random.default_rng(2))
    for name, data in samples_of_formats(coarse).items():
        (drawn / name.replace("/", "-")).write_bytes(data)
    bitswap_cli.compress([drawn], output := folder / "drawn.bsw", threads=1)
    yield output
    (was := folder / "was").mkdir()
    correct(was, 48, 64)
    bitswap_cli.compress([was], output := folder / "was.bsw", model="photo", threads=1)
    yield output


@cache
def pictures() -> tuple[bytes, ...]:
    """Return pictures of every format, depth and colour type; and files that are none."""
    chance = np.random.default_rng(0)
    found = []
    y, x = np.mgrid[:24, :20]
    wave = (128 + 90 * np.sin(y / 5 + x / 7))[..., None] + chance.normal(0, 4, (24, 20, 4))
    for depth, colour in ((8, 0), (8, 2), (8, 4), (8, 6), (8, 3), (1, 0), (2, 3), (4, 0), (16, 2)):
        samples = (wave[..., : png_files.SAMPLES[colour]] * ((1 << depth) - 1) / 255).astype(int)
        samples = samples.clip(0, (1 << depth) - 1)
        for interlaced in (False, True):
            before = b""
            if colour == 3:
                before = png_files.chunk(b"PLTE", bytes(k % 256 for k in range(3 << depth)))
            file = png_files.write_png(
                samples, depth, colour, interlaced=interlaced, before=before, seed=depth
            )
            found.append(file)
    rgb = wave[..., :3].clip(0, 255).astype(np.uint8)
    found.append(b"P6 20 24 255\n" + rgb.tobytes())
    found.append(b"P5\n# gray\n20 24\n255\n" + rgb[..., 0].tobytes())
    found.append(b"P5 20 24 65535\n" + rgb[..., :2].tobytes())
    for image in (rgb, rgb[..., 0]):
        for kind in ("PNG", "BMP"):
            found.append(png_files.file_of(image, kind))
    return (*found, *odd.CODED.values(), *samples_of_formats().values())


def models(folder: Path) -> list[bytes]:
    """Return model files: small ones of every family that codes, of random weights; real ones."""
    from bitswap_models.stored import model_file
    from tests.conftest import SMALL, started

    found = [(ZOO / name / "model.safetensors").read_bytes() for name in ("gray", "drawn")]
    for kind in SMALL:
        path = folder / f"{kind}.safetensors"
        model_file.write(started(kind), path, recipe="", metrics={})
        found.append(path.read_bytes())
    return found


def recipes() -> list[bytes]:
    """Return recipes of training, small ones and those of installed models."""
    small = RECIPE.encode()
    pixel = b'kind = "pixel_vae"\nencoder = 8\nlink = 8\nradius = 2\nlayers = 2\nsplit = 8\n'
    pixel_vae = small.replace(b"level_width = 8\nhidden = 8\n", pixel + b"components = 3\n")
    photos = small.replace(b'folder = "pictures"', b'folder = "pictures"\nkind = "photos"')
    return [small, small, pixel_vae, photos, *_texts("*/recipe.toml")]


def registries() -> list[bytes]:
    """Return registries of models."""
    return [REGISTRY.encode(), *_texts("registry.toml")]


def _texts(pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(ZOO.glob(pattern))]


SEEDS: dict[str, Callable[..., Any]] = {
    "archive": archives, "model": models, "picture": pictures, "recipe": recipes,
    "registry": registries,
}  # fmt: skip
