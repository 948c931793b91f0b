"""Rate and speed of a model by the size of its tiles: python benchmarks/tiles.py FOLDER

Every RGB picture of the folder is cut into tiles of 1, 2, 4 .. times the model's edge, coded as
one chunk, decoded and compared. Bits/dim are of the words; speeds, in megabytes of raw pixels, are
of coding alone on one core, in processor time.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bitswap_cli.cli.table import format_table
from bitswap_cli.coding import tile_codec
from bitswap_cli.images.tiles import cut
from bitswap_models import zoo
from bitswap_models.stored import model_file


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="photo")
    arguments = parser.parse_args()
    model = model_file.load(zoo.resolve(arguments.model).path)
    codec = tile_codec(model)
    rows = [("tile", "bits/dim", "encode MB/s", "decode MB/s")]
    for factor in model.factors:
        edge = model.tile * factor
        samples, words, seconds = 0, 0, np.zeros(2)
        for path in sorted(arguments.folder.glob("*.png")):
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            tiles, sizes = cut(pixels, edge, edge, 3)
            times = [time.process_time()]
            encoded = codec.encode(tiles, sizes, b"")
            times.append(time.process_time())
            back, _ = codec.decode(encoded.words, sizes, factor)
            times.append(time.process_time())
            for a, b, (height, width, _) in zip(tiles, back, sizes, strict=True):
                if not np.array_equal(a[:height, :width], b[:height, :width]):
                    raise SystemExit(f"{path} came back different in tiles of {edge}")
            samples += pixels.size
            words += len(encoded.words)
            seconds += np.diff(times)
        speeds = samples / 1e6 / seconds
        rows.append((str(edge), f"{8 * words / samples:.4f}", *(f"{s:.2f}" for s in speeds)))
    print(format_table(rows))


if __name__ == "__main__":
    main()
