"""What z_2 of a pixel VAE knows of a picture: how its pixels came about.

    python -m benchmarks.figures.treatments FOLDER -o FILE.png [--model large]

Of each RGB picture of the folder, the midst is treated in some ways, and the model chooses z_2 of
what comes of it. The figure has the first four principal components of all these z_2; pixels say
nothing else to it. The table says how many bits z_2 takes, and how far apart the treatments lie:
the share of all variance that lies between their means.
"""

import argparse
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks import drawing
from benchmarks.report import markdown
from bitswap_cli.ans import Logistic
from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_cli.contract import Integers
from bitswap_models import zoo
from bitswap_models.families.pixel_vae.common import Common
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.stored import model_file

SIDE = 256  # of what is treated
Pixels = NDArray[np.uint8]


def by_jpeg(image: Image.Image) -> Image.Image:
    """Return what a JPEG of quality 70 leaves of an image."""
    file = BytesIO()
    image.save(file, "JPEG", quality=70)
    return Image.open(file).convert("RGB")


def noisy(image: Image.Image) -> Image.Image:
    """Add noise of standard deviation 4 to each sample."""
    noise = np.random.default_rng(0).normal(0, 4, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image) + noise).round().clip(0, 255).astype(np.uint8))


def enlarged(image: Image.Image) -> Image.Image:
    """Make it twice as large as it was."""
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
    return half.resize(image.size, Image.Resampling.BICUBIC)


TREATMENTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "gray": lambda image: image.convert("L").convert("RGB"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "enlarged": enlarged,
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(1, 150, 0)),
    "noisy": noisy,
    "was a JPEG": by_jpeg,
    "64 colours": lambda image: image.quantize(64).convert("RGB"),
}


def midst(path: Path) -> Image.Image:
    """Return the midst of a picture."""
    with Image.open(path) as image:
        left, top = ((side - SIDE) // 2 for side in image.size)
        return image.convert("RGB").crop((left, top, left + SIDE, top + SIDE))


def chosen(common: Common, image: Image.Image) -> Integers:
    """Return z_2 of a picture that is one tile."""
    x = np.asarray(image).transpose(2, 0, 1)[None].astype(np.int32)
    return common.of(x, np.array([[SIDE, SIDE, 3]], np.int32))


def plot(places: dict[str, NDArray[np.float64]], path: Path) -> None:
    """Draw places (N, 4) of each treatment, two components a panel."""
    figure, (panels,) = drawing.subplots(1, 2, (drawing.WIDTH, 3.6))
    for axes, first in zip(panels, (0, 2), strict=True):
        for name, some in places.items():
            axes.plot(some[:, first], some[:, first + 1], "o", markersize=3, label=name)
        axes.set(xlabel=f"component {first + 1}", ylabel=f"component {first + 2}")
        axes.grid(alpha=0.2, linewidth=0.6)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=8)
    drawing.save(figure, path)


def main(given: Sequence[str] | None = None) -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--model", default="large")
    arguments = parser.parse_args(given)
    model = model_file.load(zoo.resolve(arguments.model))
    if not isinstance(model, PixelVAE) or model.common is None or model.channels != 3:
        raise SystemExit(f"{arguments.model} has no z_2 of RGB pictures")
    images = [midst(path) for path in sorted(arguments.folder.iterdir())]
    found = np.stack(
        [[chosen(model.common, treat(image)) for image in images] for treat in TREATMENTS.values()]
    )
    bits = Logistic(model.common.prior, LATENT_MIN, LATENT_MAX)
    taken = [np.mean([bits.bits(z).sum() for z in own]) for own in found]
    rows = [(name, f"{mean:.0f}") for name, mean in zip(TREATMENTS, taken, strict=True)]
    print(markdown([("treatment", "bits of z_2"), *rows]))
    centred = found - found.mean((0, 1))
    between = (centred.mean(1) ** 2).sum() / (centred**2).mean(1).sum()
    print(f"\nbetween treatments: {100 * between:.0f} % of the variance")
    _, _, axes = np.linalg.svd(centred.reshape(-1, centred.shape[2]), full_matrices=False)
    plot(dict(zip(TREATMENTS, centred @ axes[:4].T, strict=True)), arguments.output)


if __name__ == "__main__":
    main()
