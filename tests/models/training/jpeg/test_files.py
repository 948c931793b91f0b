"""Files that are drawn for training."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from bitswap_models.training.jpeg.files import EACH, Drawer
from bitswap_models.training.jpeg.quantization import LUMA, scaled, tables_of


def photograph(folder: Path) -> Path:
    """A small picture with some structure."""
    y, x = np.mgrid[:300, :400]
    pixels = np.stack((x % 256, y % 256, (x + y) % 256), 2).astype(np.uint8)
    path = folder / "photograph.png"
    Image.fromarray(pixels).save(path)
    return path


def test_drawn_files_are_jpegs_of_all_kinds(tmp_path: Path) -> None:
    drawer = Drawer([photograph(tmp_path)], [[[3] * 64, [5] * 64]], seed=4)
    files = [file for turn in range(20) for file in drawer.draw(turn)]
    modes = set()
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            modes.add(image.mode)
            assert image.format == "JPEG"
    assert modes == {"L", "RGB"}
    again = Drawer([tmp_path / "photograph.png"], [[[3] * 64, [5] * 64]], seed=4)
    assert again.draw(1) == files[EACH : 2 * EACH]
    assert [[3] * 64, [5] * 64] in tables_of(files)


def test_tables_are_scaled_as_libjpeg_does() -> None:
    picture, file = Image.new("RGB", (8, 8)), io.BytesIO()
    picture.save(file, "JPEG", quality=60)
    with Image.open(file) as image:
        told = image.quantization[0]  # type: ignore[attr-defined]
    assert np.abs(np.array(told) - scaled(LUMA, 60, 0.0)).max() <= 1
