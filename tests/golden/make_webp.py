"""Make the golden archive of WebP files, and write what has to come out of it into manifest.json.

python -m tests.golden.make_webp [--force]
"""

import io
import tarfile
from pathlib import Path

from PIL import Image

from tests.golden.make import HERE, photo
from tests.golden.make_embedded import encoded
from tests.golden.make_formats import freeze

ARCHIVE = HERE / "photo-webp-5.bsw"


def hold(folder: Path) -> None:
    """Write files by different methods and qualities, one with an alpha channel, one lossless, an
    animation, some in a TAR."""
    for n, quality in enumerate((10, 60, 75, 99)):
        data = encoded(photo(56, 70 + n, 130 + n), "webp", quality=quality, method=2 * n)
        (folder / f"{n}.webp").write_bytes(data)
    (folder / "lossless.webp").write_bytes(encoded(photo(16, 20, 5), "webp", lossless=1))
    frames = [Image.fromarray(photo(48, 48, 140 + n)).convert("RGBA") for n in range(3)]
    frames[0].putalpha(99)
    frames[0].save(folder / "alpha.webp")
    frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:])
    with tarfile.open(folder / "some.tar", "w") as tar:
        for n in range(3):
            data = encoded(photo(90, 96, 150 + n), "webp", quality=80)
            member = tarfile.TarInfo(f"{n}.webp")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


if __name__ == "__main__":
    freeze(ARCHIVE, hold, "photo")
