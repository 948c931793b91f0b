"""The demo: photographs go into an archive and come back equal, pixel by pixel.

The photographs are those that scikit-image carries in its wheel; nothing is downloaded. They are
converted to PNG files in a temporary folder (some to gray), compressed with the embedded model,
restored, and compared by Pillow and numpy alone, which know nothing of the archive.

    python -m benchmarks.demo [--model NAME] [--keep FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from benchmarks.command import BITSWAP
from benchmarks.data.pictures import compare

# Photographs only: name of the file in skimage/data, and the mode of the PNG made of it.
PHOTOGRAPHS = [
    ("astronaut.png", "RGB"),
    ("brick.png", "L"),
    ("camera.png", "L"),
    ("chelsea.png", "RGB"),
    ("chelsea.png", "L"),
    ("coffee.png", "RGB"),
    ("coins.png", "L"),
    ("motorcycle_left.png", "RGB"),
    ("rocket.jpg", "RGB"),
    ("rocket.jpg", "L"),
]


def make_photographs(folder: Path) -> None:
    """Write PNG files of real photographs into a folder.

    Raises
    ------
    SystemExit
        If scikit-image is not installed, or holds none of them.
    """
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        sys.exit("the demo takes its photographs from scikit-image: pip install -e '.[dev]'")
    data = Path(spec.origin).parent / "data"
    found = [(data / name, mode) for name, mode in PHOTOGRAPHS if (data / name).is_file()]
    if not found:
        sys.exit(f"no photographs in {data}")
    for path, mode in found:
        target = folder / ("gray" if mode == "L" else "color") / f"{path.stem}.png"
        target.parent.mkdir(exist_ok=True, parents=True)
        with Image.open(path) as image:
            image.convert(mode).save(target, optimize=True)


def bitswap(*arguments: str) -> None:
    """Run the command line as a user does; stop if it fails."""
    print("$ bitswap", *arguments, flush=True)
    code = subprocess.run([sys.executable, *BITSWAP, *arguments]).returncode
    if code:
        sys.exit(code)
    print(flush=True)


def run(folder: Path, model: str | None) -> None:
    """Make photographs, compress, list, restore and compare them below a folder."""
    photographs, archive, restored = (folder / name for name in ("photos", "photos.bsw", "back"))
    make_photographs(photographs)
    options = ["--model", model] if model else []
    bitswap("compress", str(photographs), "-o", str(archive), *options)
    bitswap("list", str(archive))
    bitswap("decompress", str(archive), "-o", str(restored), *options)
    try:
        subpixels = compare(photographs, restored / photographs.name)
    except ValueError as error:
        sys.exit(f"FAILED: {error}")
    print(f"equal: all {subpixels:,} subpixels, modes and times of the files came back")


def main(given: Sequence[str] | None = None) -> None:
    """Run in a temporary folder, or in one that is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="another model than the default")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder to keep it in")
    arguments = parser.parse_args(given)
    if arguments.keep:
        arguments.keep.mkdir(parents=True)
        run(arguments.keep, arguments.model)
        return
    with tempfile.TemporaryDirectory(prefix="bitswap-demo-") as folder:
        run(Path(folder), arguments.model)


if __name__ == "__main__":
    main()
